import { decodeImageConfig, readContent } from '@sociable/oci'
import { ImageError } from './error.js'
import type { CallOptions, ImageLocation, RegistryAccess, WholeLayerOptions } from './options.js'
import { openOnly } from './places/location.js'
import type { Profile } from './profile/profile.js'
import { staticProfile } from './profile/static/static-profile.js'
import { UnionFiles } from './profile/static/union-files.js'
import { readOnePlatform } from './reading/one-platform.js'

export interface ProfileImageOptions extends CallOptions, RegistryAccess, WholeLayerOptions {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
}

export interface ProfileImageResult {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  readonly profile: Profile
  /** What could not be followed, such as a library that is not in the image. */
  readonly notes: readonly string[]
}

/**
 * Makes a profile of an image without running it: follows its entry point and command through shebangs, libraries, interpreters and imports. Reads zTOCs and the spans
 * of the files that it looks at; a layer without a zTOC is read whole.
 * @throws ImageError, StoreError; NO_COMMAND if the image has neither an entry point nor a command, or the command is not in it
 * @example
 * const { profile } = await profileImage('registry.example/app:1')
 * await convert('registry.example/app:1', 'registry.example/app:1-soci', { profile })
 */
export async function profileImage(
  image: ImageLocation,
  options: ProfileImageOptions = {},
): Promise<ProfileImageResult> {
  const { signal, onWholeLayer } = options
  const place = await openOnly(image, 'read', options)
  try {
    const { store, name } = place
    const one = await readOnePlatform(place, options.platform, signal)
    const { entry, platform, digest } = one
    const layers = one.layers(await one.findIndex(), { onWholeLayer })
    const config = await readConfig()
    if (config.entrypoint.length + config.command.length === 0)
      throw new ImageError(
        'NO_COMMAND',
        `${name} has neither an entry point nor a command, so what it starts is unknown`,
      )
    const files = new UnionFiles(layers, signal)
    const { profile, notes } = await staticProfile(files, config, signal)
    return {
      image: name,
      platform,
      digest,
      profile,
      notes: files.isOverLimit ? [...notes, 'the limit of bytes to read was reached: files are left out'] : notes,
    }

    async function readConfig() {
      const descriptor = entry.manifest!.config
      const bytes = await readContent(store, descriptor, { signal })
      decodeImageConfig(bytes, descriptor.digest)
      const { config = {} } = JSON.parse(Buffer.from(bytes).toString()) as {
        readonly config?: Record<string, unknown> | null
      }
      const env = texts(config?.Env).map((text) => {
        const at = text.indexOf('=')
        return at < 0 ? ([text, ''] as const) : ([text.slice(0, at), text.slice(at + 1)] as const)
      })
      const folder = config?.WorkingDir
      return {
        env: new Map(env),
        cwd: typeof folder === 'string' && folder.startsWith('/') ? folder : '/',
        entrypoint: texts(config?.Entrypoint),
        command: texts(config?.Cmd),
      }
    }
  } finally {
    await place.close()
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

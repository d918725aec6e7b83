import { readContent } from '@sociable/oci'
import { ImageError } from './error.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { openOnly } from './places/location.js'
import { readOnePlatform } from './reading/one-platform.js'
import { type ContentResult, contentResult } from './result.js'

export interface ImageConfigOptions extends CallOptions, RegistryAccess {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
}

export interface ImageConfigResult extends ContentResult {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The config as it is stored. Its digest is verified. */
  readonly bytes: Uint8Array
  /** The same, decoded. */
  readonly json: unknown
}

/**
 * The config of one of an image's platforms: what it starts, its environment, its history.
 * @throws ImageError PLATFORM_NOT_FOUND, NOT_AN_IMAGE where the config is not JSON; StoreError
 */
export async function imageConfig(image: ImageLocation, options: ImageConfigOptions = {}): Promise<ImageConfigResult> {
  const { signal } = options
  const place = await openOnly(image, 'read', options)
  try {
    const { store, name } = place
    const { entry, platform } = await readOnePlatform(place, options.platform, signal)
    const { config } = entry.manifest!
    const bytes = await readContent(store, config, { signal })
    const json = parseConfig(bytes, `config ${config.digest} of ${name}`)
    return { ...contentResult(config), image: name, platform, bytes, json }
  } finally {
    await place.close()
  }
}

function parseConfig(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new ImageError('NOT_AN_IMAGE', `${what} is not JSON`, { cause })
  }
}

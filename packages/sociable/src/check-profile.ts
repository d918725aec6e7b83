import type { CallOptions, ImageLocation, RegistryAccess, WholeLayerOptions } from './options.js'
import { openOnly } from './places/location.js'
import { mergeProfiles } from './profile/merge-profiles.js'
import type { Profile } from './profile/profile.js'
import { readOnePlatform } from './reading/one-platform.js'
import { Union } from './reading/union.js'
import { resolveProfile } from './start-layer/resolve-profile.js'

export interface CheckProfileOptions extends CallOptions, RegistryAccess, WholeLayerOptions {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
}

export interface CheckProfileResult {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** Paths of the profile. */
  readonly paths: number
  /** Paths that lead to a regular file, through symlinks too. */
  readonly found: number
  /** Paths that the image does not have. Files that a runtime mounts, such as `/etc/hosts`, are never missing. */
  readonly missing: readonly string[]
  /** Paths of folders, devices and pipes, which a profile has no use for. */
  readonly notFiles: readonly string[]
}

/**
 * Which paths of a profile an image has. Reads zTOCs; a layer without one is read whole.
 * @throws ImageError, StoreError
 * @example
 * const { missing } = await checkProfile('registry.example/app:2', parseProfile(await readFile('start.json', 'utf8')))
 */
export async function checkProfile(
  image: ImageLocation,
  profile: Profile,
  options: CheckProfileOptions = {},
): Promise<CheckProfileResult> {
  const { signal, onWholeLayer } = options
  const place = await openOnly(image, 'read', options)
  try {
    const one = await readOnePlatform(place, options.platform, signal)
    const layers = one.layers(await one.findIndex(), { onWholeLayer })
    const union = new Union(layers.map((layer) => () => layer.open(signal)))
    const merged = mergeProfiles([profile])
    const { missing, notFiles } = await resolveProfile(union, merged, signal)
    return {
      image: place.name,
      platform: one.platform,
      digest: one.digest,
      paths: merged.files.length,
      found: merged.files.length - missing.length - notFiles.length,
      missing,
      notFiles,
    }
  } finally {
    await place.close()
  }
}

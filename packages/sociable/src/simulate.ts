import type { CallOptions, ImageLocation, RegistryAccess, WholeLayerOptions } from './options.js'
import { openOnly } from './places/location.js'
import { mergeProfiles } from './profile/merge-profiles.js'
import type { Profile } from './profile/profile.js'
import { readOnePlatform } from './reading/one-platform.js'
import type { SimulatedWay } from './simulating/compare-ways.js'
import { simulatePlatform } from './simulating/simulate-platform.js'
import { DEFAULT_CONDITIONS, type StartConditions } from './simulating/start-time.js'

export interface SimulateOptions extends CallOptions, RegistryAccess, WholeLayerOptions {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
  /** Bytes per second between the registry and the machine. @default 60e6 */
  readonly bandwidth?: number | undefined
  /** Seconds of a round trip to the registry. @default 0.003 */
  readonly latency?: number | undefined
  /** How many times as fast as the machine that the model was measured on the processor is. @default 1 */
  readonly machineSpeed?: number | undefined
  /** Seconds that the program takes until it is ready if all its files are in memory. @default 0.5 */
  readonly programTime?: number | undefined
}

export interface SimulateResult {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** Compressed bytes of the layers, without a start layer. */
  readonly size: number
  /** Files of the profile that the image has. */
  readonly files: number
  /** Paths of the profile that it does not have. */
  readonly missing: number
  readonly conditions: StartConditions
  /** The whole pull first, then the ways of converting the image. */
  readonly ways: readonly SimulatedWay[]
  /** Name of the way to take. */
  readonly recommended: string
}

/**
 * Predicts how long a start takes and what it fetches, for several ways of converting an image, from what a profile says that it reads. Reads zTOCs; a layer
 * without one is read whole. A start layer that the image has is ignored.
 * @throws ImageError, StoreError; RangeError for conditions that are not positive
 * @example
 * const { recommended } = await simulate('registry.example/app:1-soci', parseProfile(await readFile('start.json', 'utf8')))
 */
export async function simulate(
  image: ImageLocation,
  profile: Profile | readonly Profile[],
  options: SimulateOptions = {},
): Promise<SimulateResult> {
  const { signal, onWholeLayer } = options
  const conditions = checkConditions(options)
  const place = await openOnly(image, 'read', options)
  try {
    const one = await readOnePlatform(place, options.platform, signal)
    const soci = await one.findIndex()
    const merged = mergeProfiles([profile].flat())
    const all = one.layers(soci, { onWholeLayer })
    const { layers, resolved, ways, recommended } = await simulatePlatform(all, merged, conditions, signal)
    return {
      image: place.name,
      platform: one.platform,
      digest: one.digest,
      size: layers.reduce((sum, { size }) => sum + size, 0),
      files: resolved.files.length,
      missing: resolved.missing.length,
      conditions,
      ways,
      recommended,
    }
  } finally {
    await place.close()
  }
}

function checkConditions(options: SimulateOptions): StartConditions {
  const { bandwidth, latency, machineSpeed, programTime } = options
  const given = Object.fromEntries(
    Object.entries({ bandwidth, latency, machineSpeed, programTime }).filter(([, value]) => value !== undefined),
  )
  const conditions = { ...DEFAULT_CONDITIONS, ...given }
  for (const name of ['bandwidth', 'machineSpeed'] as const)
    if (!(conditions[name] > 0 && Number.isFinite(conditions[name])))
      throw new RangeError(`${name} is ${conditions[name]}: it must be more than 0`)
  for (const name of ['latency', 'programTime'] as const)
    if (!(conditions[name] >= 0 && Number.isFinite(conditions[name])))
      throw new RangeError(`${name} is ${conditions[name]}: it must be at least 0`)
  return conditions
}

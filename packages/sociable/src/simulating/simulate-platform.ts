import type { Descriptor } from '@sociable/oci'
import { isStartLayer } from '../image/start-layer-mark.js'
import type { Profile } from '../profile/profile.js'
import type { LazyLayer } from '../reading/lazy-layer.js'
import { Union } from '../reading/union.js'
import { type ResolvedProfile, resolveProfile } from '../start-layer/resolve-profile.js'
import { type Comparison, compareWays } from './compare-ways.js'
import { simulatedImage } from './simulated-image.js'
import type { StartConditions } from './start-time.js'

export interface PlatformSimulation extends Comparison {
  /** The layers of the image without its start layer. */
  readonly layers: readonly Descriptor[]
  readonly resolved: ResolvedProfile
}

/**
 * Compares the starts of one platform's image, as it was before it got a start layer.
 * @param all the image's layers, bottom first
 */
export async function simulatePlatform(
  all: readonly LazyLayer[],
  profile: Profile,
  conditions: StartConditions,
  signal: AbortSignal | undefined,
): Promise<PlatformSimulation> {
  const lazy = all.filter(({ descriptor }) => !isStartLayer(descriptor))
  const union = new Union(lazy.map((layer) => () => layer.open(signal)))
  const resolved = await resolveProfile(union, profile, signal)
  const layers = await Promise.all(
    lazy.map(async (layer) => ({ descriptor: layer.descriptor, open: await layer.open(signal) })),
  )
  const comparison = compareWays(simulatedImage(layers, resolved), profile, conditions)
  return { ...comparison, layers: lazy.map(({ descriptor }) => descriptor), resolved }
}

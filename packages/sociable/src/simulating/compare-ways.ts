// The starts that each way of converting an image leads to, and which way is best.
import { coldSpanSizeOf, resolveSettings } from '../indexing/settings.js'
import type { Profile } from '../profile/profile.js'
import { chooseFiles } from '../start-layer/choose-files.js'
import type { SimulatedImage } from './simulated-image.js'
import { type SimulatedStart, type StartConditions, startTime } from './start-time.js'
import { lazyStart, ratioOf, type SimulatedFile, type SimulatedLayer, startLayer, wholePull } from './start-work.js'
import { PLAIN, WAYS, type Way } from './ways.js'

/** The start of an image that was converted in one way. */
export interface SimulatedWay extends SimulatedStart {
  readonly name: string
  /** Flags of `sociable convert`; absent for a whole pull of the image as it is. `FILE` stands for the profile. */
  readonly flags?: readonly string[]
  /** Compressed bytes of the start layer. */
  readonly startLayer: number
  /** Whether the prediction is only an upper bound: the image's zTOCs do not tell where smaller spans could start. */
  readonly isBound: boolean
}

export interface Comparison {
  readonly ways: readonly SimulatedWay[]
  /** The way to take: its name. */
  readonly recommended: string
}

export const WHOLE_PULL = 'whole pull'

/** A more complicated way must save so much of the time. */
const WORTH = 0.03
/** A lazy start must be so much faster than a whole pull. */
const WORTH_LAZY = 0.1

export function compareWays(image: SimulatedImage, profile: Profile, conditions: StartConditions): Comparison {
  const pull = startTime(wholePull(image.layers), conditions)
  const ways = [
    { name: WHOLE_PULL, ...pull, startLayer: 0, isBound: false },
    ...WAYS.map((way) => simulateWay(image, profile, way, conditions)),
  ]
  return { ways, recommended: recommend(ways) }
}

function simulateWay(
  { layers, files }: SimulatedImage,
  profile: Profile,
  { name, flags, options, usesProfile }: Way,
  conditions: StartConditions,
): SimulatedWay {
  const settings = resolveSettings(options) // without the profile, which would be merged and hashed for each way
  const cutsSpans = usesProfile && options.profileSpans !== false
  const copied = new Set<SimulatedFile>()
  if (usesProfile && settings.startLayer !== 'none') {
    const byDigest = new Map(layers.map((layer) => [layer.digest, layer]))
    const sizes = {
      imageSize: layers.reduce((sum, { size }) => sum + size, 0),
      ratioOf: (digest: string) => ratioOf(byDigest.get(digest)!),
    }
    for (const file of chooseFiles([...files.keys()], settings, sizes)) copied.add(files.get(file)!)
  }
  const { spanSize, minLayerSize } = settings
  const work = lazyStart(layers, [...files.values()], {
    spanSize,
    minLayerSize,
    profileSpans: cutsSpans,
    coldSpanSize: cutsSpans ? coldSpanSizeOf(profile) : undefined,
    copied,
  })
  return {
    name,
    flags,
    ...startTime(work, conditions),
    startLayer: startLayer(layers, copied).size,
    isBound: !cutsSpans && layers.some((layer) => isCoarse(layer, spanSize)),
  }
}

/** Whether two points are so far apart that there would be another between them. */
function isCoarse({ points, unpacked, canBeLazy }: SimulatedLayer, spanSize: number): boolean {
  return canBeLazy && points.some(({ out }, i) => (points[i + 1]?.out ?? unpacked) - out >= 2 * spanSize)
}

/** The fastest, or one before it that is about as fast. */
function recommend(ways: readonly SimulatedWay[]): string {
  const [pull, ...lazy] = ways
  const fastest = Math.min(...lazy.map(({ seconds }) => seconds))
  if (pull!.seconds < fastest * (1 + WORTH_LAZY)) return pull!.name
  return lazy.find(({ seconds }) => seconds <= fastest * (1 + WORTH))?.name ?? PLAIN
}

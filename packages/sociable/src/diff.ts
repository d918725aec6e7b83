import { ImageError } from './error.js'
import { type InspectedLayer, type InspectedPlatform, type InspectOptions, inspect } from './inspect.js'
import type { ImageLocation } from './options.js'
import type { ContentResult } from './result.js'

/** A layer of the later image. */
export interface DiffLayer extends ContentResult {
  /** Whether the earlier image has the same layer: a runtime that has that one fetches nothing of it. */
  readonly isShared: boolean
  /** Whether a runtime loads it lazily. */
  readonly lazy: boolean
  /** Bytes of its zTOC, which a runtime fetches before it reads the layer; absent for a layer that is not lazy. */
  readonly ztocSize?: number
}

export interface DiffPlatform {
  readonly name: string
  /** The platform's manifests. */
  readonly before: ContentResult
  readonly after: ContentResult
  /** Of the later image, bottom first. */
  readonly layers: readonly DiffLayer[]
  /** Layers that only the earlier image has. */
  readonly dropped: readonly ContentResult[]
  /** Compressed bytes of the layers that both images have. */
  readonly sharedBytes: number
  /** Compressed bytes of new layers that are pulled whole before the start. */
  readonly wholeBytes: number
  /** Compressed bytes of new layers that are loaded lazily: the most that is fetched of them. */
  readonly lazyBytes: number
  /** Bytes of the new lazy layers' zTOCs. */
  readonly ztocBytes: number
}

export interface DiffResult {
  /** Names of the images. */
  readonly before: string
  readonly after: string
  readonly platforms: readonly DiffPlatform[]
}

/**
 * What a runtime that has the layers of one version of an image fetches for another. Of each platform that both have. Reads manifests, indexes and zTOCs, no layer.
 * @throws ImageError PLATFORM_NOT_FOUND if the images have no platform in common; StoreError
 */
export async function diff(
  before: ImageLocation,
  after: ImageLocation,
  options: InspectOptions = {},
): Promise<DiffResult> {
  const earlier = await inspect(before, options)
  const later = await inspect(after, options)
  const platforms = later.images.flatMap((image) => {
    const same = earlier.images.find(({ name }) => name === image.name)
    return same === undefined ? [] : [diffPlatform(same, image)]
  })
  if (platforms.length === 0) {
    const [has, other] = [earlier, later].map(({ images }) => images.map(({ name }) => name).join(', '))
    throw new ImageError(
      'PLATFORM_NOT_FOUND',
      `${earlier.image} and ${later.image} have no platform in common: the first has ${has}, the second ${other}`,
    )
  }
  return { before: earlier.image, after: later.image, platforms }
}

function diffPlatform(before: InspectedPlatform, after: InspectedPlatform): DiffPlatform {
  const known = new Set(before.layers.map(({ digest }) => digest))
  const kept = new Set(after.layers.map(({ digest }) => digest))
  const layers = after.layers.map((layer) => diffLayer(layer, known.has(layer.digest)))
  // A layer that stands in an image twice is fetched once
  const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()]
  const bytesOf = (choose: (layer: DiffLayer) => boolean) =>
    distinct.filter(choose).reduce((sum, { size }) => sum + size, 0)
  return {
    name: after.name,
    before: before.manifest,
    after: after.manifest,
    layers,
    dropped: before.layers
      .filter(({ digest }) => !kept.has(digest))
      .map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    sharedBytes: bytesOf(({ isShared }) => isShared),
    wholeBytes: bytesOf(({ isShared, lazy }) => !isShared && !lazy),
    lazyBytes: bytesOf(({ isShared, lazy }) => !isShared && lazy),
    ztocBytes: distinct.reduce((sum, { isShared, ztocSize = 0 }) => sum + (isShared ? 0 : ztocSize), 0),
  }
}

function diffLayer({ mediaType, digest, size, lazy, ztoc }: InspectedLayer, isShared: boolean): DiffLayer {
  return { mediaType, digest, size, isShared, lazy, ...(ztoc !== undefined && { ztocSize: ztoc.size }) }
}

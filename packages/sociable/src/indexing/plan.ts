// What is to be done with an image, decided from its manifests alone.
import type { Descriptor, Platform } from '@sociable/oci'
import type { Compression } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import type { ImageTree, TreeEntry } from '../image/image-tree.js'
import { decideLayer } from '../image/layer-type.js'
import { distinctByPlatform, formatPlatform, matchesPlatform, parsePlatform } from '../image/platform.js'
import type { PlannedLayer } from '../progress.js'

/** A platform that is to be indexed. */
export interface PlatformPlan {
  /** As it was asked for; with all platforms as the image has it. */
  readonly platform: Platform
  readonly name: string
  readonly entry: TreeEntry
  /** One for each layer entry of the manifest, bottom first. */
  readonly layers: readonly LayerPlan[]
}

export interface LayerPlan {
  readonly descriptor: Descriptor
  /** How it is compressed where it is to be indexed. */
  readonly index?: Compression
  /** Why it is not. */
  readonly skip?: string
}

/** A layer to index, once however often it stands in the image. */
export interface LayerJob {
  readonly key: string
  readonly descriptor: Descriptor
  readonly compression: Compression
  /** Names of the platforms that have it. */
  readonly platforms: readonly string[]
}

/**
 * The platforms to index, in the order asked for, without those that are the same.
 * @param wanted as the caller named them; undefined for all that the image has
 * @throws ImageError PLATFORM_NOT_FOUND, naming those that there are; NOT_AN_IMAGE for a layer that is none, or an image without any platform
 */
export function planPlatforms(
  tree: ImageTree,
  wanted: readonly string[] | undefined,
  minLayerSize: number,
): PlatformPlan[] {
  const all = imagesOf(tree).map((entry) => ({ platform: entry.platform!, entry: () => entry }))
  const asked = wanted?.map(parsePlatform).map((platform) => ({ platform, entry: () => selectImage(tree, platform) }))
  return distinctByPlatform(asked ?? all).map(({ platform, entry: find }) => {
    const entry = find()
    const name = formatPlatform(platform)
    return {
      platform,
      name,
      entry,
      layers: (entry.manifest!.layers ?? []).map((layer, i) => planLayer(layer, i, name)),
    }
  })

  function planLayer(descriptor: Descriptor, i: number, platform: string): LayerPlan {
    const decision = decideLayer(descriptor.mediaType, descriptor.size, minLayerSize)
    if ('refuse' in decision)
      throw new ImageError(
        'NOT_AN_IMAGE',
        `layer ${i + 1} (${descriptor.digest}) of ${platform} in ${tree.name} cannot be indexed: ${decision.refuse}`,
      )
    return 'index' in decision ? { descriptor, index: decision.index } : { descriptor, skip: decision.skip }
  }
}

/** The image's entry for this platform: of several the first, unless another has just the os version and features that are asked for. */
export function selectImage(tree: ImageTree, platform: Platform): TreeEntry {
  const matching = imagesOf(tree).filter((image) => matchesPlatform(platform, image.platform!))
  const isExact = ({ platform: own }: TreeEntry): boolean =>
    own!['os.version'] === platform['os.version'] && String(own!['os.features']) === String(platform['os.features'])
  const particular = platform['os.version'] !== undefined || platform['os.features'] !== undefined
  const entry = (particular ? matching.find(isExact) : undefined) ?? matching[0]
  if (entry === undefined) throw platformNotFound(tree, platform)
  return entry
}

/** The entries that are a platform's image. @throws ImageError NOT_AN_IMAGE where there are none */
export function imagesOf({ name, entries, absent }: ImageTree): TreeEntry[] {
  const images = entries.filter(({ kind }) => kind === 'image')
  if (images.length > 0) return images
  const reason =
    absent.length === 0 ? '' : `: ${absent.length} manifests are listed in it, but it does not contain them`
  throw new ImageError('NOT_AN_IMAGE', `${name} has no image for any platform${reason}`)
}

function platformNotFound({ name, entries, absent }: ImageTree, platform: Platform): ImageError {
  const wanted = formatPlatform(platform)
  if (absent.some((descriptor) => descriptor.platform !== undefined && matchesPlatform(platform, descriptor.platform)))
    return new ImageError('PLATFORM_NOT_FOUND', `${name} lists ${wanted} but does not contain it`)
  const names = entries.flatMap((entry) => (entry.platform === undefined ? [] : [formatPlatform(entry.platform)]))
  return new ImageError('PLATFORM_NOT_FOUND', `${name} has no ${wanted}, only ${[...new Set(names)].join(', ')}`)
}

/** Layers are the same where digest, size and compression are. */
export function layerKey({ digest, size }: Descriptor, compression: Compression): string {
  return `${compression} ${digest} ${size}`
}

/** The layers to index, as a `plan` event tells them. */
export function plannedLayers(jobs: readonly LayerJob[]): PlannedLayer[] {
  return jobs.map(({ descriptor: { digest, size }, platforms }) => ({ digest, size, platforms }))
}

/** The layers to index, each once, the biggest first so that it is not the one that all wait for. */
export function planLayers(platforms: readonly PlatformPlan[]): LayerJob[] {
  const jobs = new Map<string, { job: LayerJob; platforms: Set<string> }>()
  for (const { name, layers } of platforms)
    for (const { descriptor, index: compression } of layers) {
      if (compression === undefined) continue
      const key = layerKey(descriptor, compression)
      const known = jobs.get(key)
      if (known !== undefined) known.platforms.add(name)
      else jobs.set(key, { job: { key, descriptor, compression, platforms: [] }, platforms: new Set([name]) })
    }
  return [...jobs.values()]
    .map(({ job, platforms }) => ({ ...job, platforms: [...platforms] }))
    .sort((a, b) => b.descriptor.size - a.descriptor.size)
}

// What is to be done with an image, decided from its manifests alone.
import type { Descriptor, Platform } from '@sociable/oci'
import type { Compression } from '@sociable/ztoc'
import { ImageError } from './error.js'
import type { ImageTree, TreeEntry } from './image-tree.js'
import { decideLayer } from './layer-type.js'
import { distinctPlatforms, formatPlatform, matchesPlatform, parsePlatform } from './platform.js'

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
  const images = tree.entries.filter(({ kind }) => kind === 'image')
  if (images.length === 0) throw noImage(tree)
  const all = images.map(({ platform }) => platform!)
  return distinctPlatforms(wanted?.map(parsePlatform) ?? all).map((platform) => {
    const entry = images.find((image) => matchesPlatform(platform, image.platform!))
    const name = formatPlatform(platform)
    if (entry === undefined) throw platformNotFound(tree, platform)
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

function noImage({ name, absent }: ImageTree): ImageError {
  return new ImageError(
    'NOT_AN_IMAGE',
    absent.length > 0
      ? `${name} has no image: ${absent.length} manifests are listed in it, but it does not contain them`
      : `${name} has no image for any platform`,
  )
}

/** The image's entries for these platforms, each once; for all without any. @throws ImageError PLATFORM_NOT_FOUND */
export function selectImages(tree: ImageTree, wanted: readonly string[] | undefined): TreeEntry[] {
  const images = tree.entries.filter(({ kind }) => kind === 'image')
  if (images.length === 0) throw noImage(tree)
  if (wanted === undefined || wanted.length === 0) return images
  const selected = wanted.map((text) => {
    const platform = parsePlatform(text)
    const entry = images.find((image) => matchesPlatform(platform, image.platform!))
    if (entry === undefined) throw platformNotFound(tree, platform)
    return entry
  })
  return [...new Set(selected)]
}

export function platformNotFound({ name, entries, absent }: ImageTree, platform: Platform): ImageError {
  const wanted = formatPlatform(platform)
  if (absent.some((descriptor) => descriptor.platform !== undefined && matchesPlatform(platform, descriptor.platform)))
    return new ImageError('PLATFORM_NOT_FOUND', `${name} lists ${wanted} but does not contain it`)
  const names = entries.flatMap((entry) => (entry.platform === undefined ? [] : [formatPlatform(entry.platform)]))
  return new ImageError(
    'PLATFORM_NOT_FOUND',
    `${name} has no ${wanted}, only ${[...new Set(names)].join(', ') || 'none'}`,
  )
}

/** Layers are the same where digest, size and compression are. */
export function layerKey({ digest, size }: Descriptor, compression: Compression): string {
  return `${compression} ${digest} ${size}`
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

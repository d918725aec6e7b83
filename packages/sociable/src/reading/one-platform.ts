// Images of several platforms, read for one of them.
import { ImageError } from '../error.js'
import { type ImageTree, readImageTree, type TreeEntry } from '../image/image-tree.js'
import { formatPlatform, matchesPlatform, parsePlatform } from '../image/platform.js'
import { findSociIndex, type SociLookup } from '../image/soci-lookup.js'
import { isStartLayer } from '../image/start-layer-mark.js'
import { imagesOf, selectImage } from '../indexing/plan.js'
import type { WholeLayerOptions } from '../options.js'
import type { Place } from '../places/location.js'
import { FetchCounter, indexedLayers, type LazyLayer, lazyLayers } from './lazy-layer.js'

/** One platform's image. */
export interface OnePlatform {
  readonly entry: TreeEntry
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** Reads its SOCI index. */
  findIndex(): Promise<SociLookup>
  /** Its layers, bottom first, none read yet. @param soci with the index whose zTOCs are read */
  layers(soci: SociLookup, options?: PlatformLayersOptions): LazyLayer[]
}

export interface PlatformLayersOptions extends WholeLayerOptions {
  /** Counts what is read. @default nothing is counted */
  readonly counter?: FetchCounter | undefined
  /** Bytes that a layer without an index may unpack to. */
  readonly limit?: number | undefined
}

/**
 * Reads the documents of one platform's image.
 * @param platform as `linux/arm64`; undefined for the machine's (with linux as the system), else the only one
 * @throws ImageError PLATFORM_NOT_FOUND, and what `readImageTree` throws
 */
export async function readOnePlatform(
  { store, name, reference }: Place,
  platform: string | undefined,
  signal: AbortSignal | undefined,
): Promise<OnePlatform> {
  const tree = await readImageTree(store, await store.resolve(reference, { signal }), name, signal)
  const entry = platform === undefined ? ownImage(tree) : selectImage(tree, parsePlatform(platform))
  return {
    entry,
    platform: formatPlatform(entry.platform!),
    digest: entry.manifestDescriptor!.digest,
    findIndex: () => findSociIndex(store, tree, entry, signal),
    layers({ index }, { counter = new FetchCounter(), limit, onWholeLayer } = {}) {
      const manifest = entry.manifest!
      const ztocs = indexedLayers(index?.manifest)
      const all = (manifest.layers ?? []).filter((layer) => !ztocs.has(layer.digest) && !isStartLayer(layer))
      if (onWholeLayer !== undefined) counter.onWholeLayer = (layer, bytes) => onWholeLayer(layer, bytes, all)
      return lazyLayers(store, manifest, ztocs, counter, limit)
    },
  }
}

/** The machine's, or the only one. */
function ownImage(tree: ImageTree): TreeEntry {
  const images = imagesOf(tree)
  const machine = { os: 'linux', architecture: ARCHITECTURES[process.arch] ?? process.arch }
  const entry =
    images.find((image) => matchesPlatform(machine, image.platform!)) ?? (images.length === 1 ? images[0] : undefined)
  if (entry !== undefined) return entry
  const names = images.map((image) => formatPlatform(image.platform!)).join(', ')
  throw new ImageError('PLATFORM_NOT_FOUND', `${tree.name} has no ${formatPlatform(machine)}: choose one of ${names}`)
}

/** Node's names for what images call otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
}

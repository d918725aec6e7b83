// zTOCs that need not be made again: where they are looked for, and which are trusted. What a zTOC says is what a runtime shows as a layer's
// files, so by default only our own tool's, in the destination's own repository, are.
import {
  type Descriptor,
  decodeManifest,
  ImageReferenceError,
  type Manifest,
  readContent,
  type Store,
  StoreError,
} from '@sociable/oci'
import { ImageError } from '../error.js'
import { type ImageTree, readImageTree, type TreeEntry } from '../image/image-tree.js'
import type { Place } from '../places/location.js'
import { buildToolHealth } from '../soci/build-tool.js'
import {
  BUILD_TOOL,
  DISABLE_XATTRS,
  LAYER_DIGEST,
  SOCI_INDEX_V1,
  SPAN_SIZE,
  SPANS,
  ZTOC_MEDIA_TYPE,
} from '../soci/soci-index.js'
import { type FinishedLayer, refusedLayer } from './finished-layer.js'
import type { LayerJob } from './plan.js'
import type { Settings } from './settings.js'

/** A zTOC that was made with the same settings, as its index says; it is checked when it is used. */
export interface KnownZtoc {
  /** As the SOCI index lists it. */
  readonly descriptor: Descriptor
  readonly store: Store
}

/** By layer key; of several for a layer the first found. `refused`: a former run found that no runtime would load the layer's zTOC. */
export type KnownZtocs = ReadonlyMap<string, KnownZtoc | 'refused'>

/** What has the destination's name already, if it can be read. */
export async function readPrevious({ store, reference, name }: Place, signal: AbortSignal | undefined) {
  try {
    return await readImageTree(store, await store.resolve(reference, { signal, suggest: false }), name, signal)
  } catch (error) {
    signal?.throwIfAborted()
    // Nothing there, or nothing that is an image: it is replaced anyway. What else there is the work itself will meet.
    if (error instanceof ImageError || (error instanceof StoreError && LACKING.includes(error.code))) return undefined
    throw error
  }
}

const LACKING = ['NOT_FOUND', 'PROTOCOL', 'DIGEST_MISMATCH', 'SIZE_MISMATCH']

/** The SOCI indexes (v2) that an image lists. */
export function indexesIn(tree: ImageTree): Manifest[] {
  return tree.entries.flatMap(({ kind, manifest }) => (kind === 'soci-index' ? [manifest!] : []))
}

/** A SOCI index (v1) that is attached to an image. */
export interface AttachedIndex {
  readonly descriptor: Descriptor
  readonly manifest: Manifest
}

/** Those that are attached to these manifests, as far as they can be read. @throws StoreError where they cannot be listed */
export async function attachedIndexes(
  store: Store,
  images: readonly TreeEntry[],
  signal: AbortSignal | undefined,
): Promise<AttachedIndex[]> {
  const indexes: AttachedIndex[] = []
  const manifests = new Map(images.map(({ manifestDescriptor }) => [manifestDescriptor!.digest, manifestDescriptor!]))
  for (const subject of manifests.values())
    for await (const descriptor of store.referrers(subject, { artifactType: SOCI_INDEX_V1, signal })) {
      const manifest = await readManifest(store, descriptor, signal)
      if (manifest !== undefined) indexes.push({ descriptor, manifest })
    }
  return indexes
}

async function readManifest(store: Store, descriptor: Descriptor, signal: AbortSignal | undefined) {
  try {
    return decodeManifest(await readContent(store, descriptor, { signal }), descriptor.digest)
  } catch {
    signal?.throwIfAborted()
    return undefined // damaged or gone: of no use to anyone
  }
}

export interface ZtocSearch {
  readonly settings: Settings
  readonly jobs: readonly LayerJob[]
  /** Where zTOCs are trusted. */
  readonly destination: Place
  /** The SOCI indexes of the destination's former image. */
  readonly previous: readonly Manifest[]
  /** Keys of the layers that it shows to be refused by runtimes. */
  readonly refused: readonly string[]
  /** The image, for its v1 indexes. */
  readonly image: { readonly place: Place; readonly entries: readonly TreeEntry[] }
  /** Opens each of `cacheFrom` when it comes to it. They stay open until the layers are done. */
  readonly cacheFrom: readonly (() => Promise<Place>)[]
  readonly onWarning: (message: string) => void
}

/** Looks on only while there are layers without a zTOC. @throws ImageReferenceError, and StoreError of the image's own repository */
export async function findZtocs(search: ZtocSearch): Promise<KnownZtocs> {
  const { settings, jobs, destination, previous, refused, image, cacheFrom, onWarning } = search
  const { signal } = settings
  if (settings.force) return new Map()
  const found = new Map<string, KnownZtoc | 'refused'>(refused.map((key) => [key, 'refused']))
  const isDone = (): boolean => jobs.every(({ key }) => found.has(key))
  const add = (place: Place, indexes: readonly Manifest[]): void => {
    const known = ztocsOf(indexes, settings)
    const news = jobs.filter(({ key, descriptor: { digest } }) => known.has(digest) && !found.has(key))
    if (isTrusted(place, destination, settings)) {
      for (const { key, descriptor } of news)
        found.set(key, { descriptor: known.get(descriptor.digest)!, store: place.store })
    } else if (news.length > 0)
      onWarning(
        `the zTOCs of ${place.name} are not taken, as they are ${place.home === destination.home ? `of a tool that is not known to make sound ones (${settings.buildTool})` : `not from the destination's own repository`}: --trust-ztocs takes them`,
      )
  }
  add(destination, previous)
  if (isDone()) return found
  // Anyone who may push a manifest can attach a v1 index, and what it calls itself proves nothing: it is trusted only on request
  if (settings.trustZtocs) {
    const attached = await attachedIndexes(image.place.store, image.entries, signal)
    add(
      image.place,
      attached.map(({ manifest }) => manifest),
    )
  }
  for (const open of cacheFrom) {
    if (isDone()) return found
    try {
      const place = await open()
      add(place, await allIndexes(place, settings))
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ImageReferenceError || !(error instanceof Error)) throw error
      onWarning(`zTOCs cannot be taken from there: ${error.message}`)
    }
  }
  return found
}

/** The SOCI indexes of an image that its own digest covers; with `trustZtocs` those attached to it, too. */
async function allIndexes(
  { store, reference, name }: Place,
  { trustZtocs, signal }: Pick<Settings, 'trustZtocs' | 'signal'>,
): Promise<Manifest[]> {
  const tree = await readImageTree(store, await store.resolve(reference, { signal }), name, signal)
  if (!trustZtocs) return indexesIn(tree)
  const images = tree.entries.filter(({ kind }) => kind === 'image')
  const attached = await attachedIndexes(store, images, signal)
  return [...indexesIn(tree), ...attached.map(({ manifest }) => manifest)]
}

function isTrusted(place: Place, destination: Place, { buildTool, trustZtocs }: Settings): boolean {
  return trustZtocs || (place.home === destination.home && buildToolHealth(buildTool) === 'sound')
}

/** Those that were made with these settings, by layer digest. */
function ztocsOf(indexes: readonly Manifest[], { buildTool, spanSize, spansKey }: Settings): Map<string, Descriptor> {
  const ztocs = new Map<string, Descriptor>()
  for (const { annotations, layers } of indexes) {
    if (annotations?.get(BUILD_TOOL) !== buildTool) continue
    for (const descriptor of layers ?? []) {
      const layer = descriptor.annotations?.get(LAYER_DIGEST)
      if (descriptor.mediaType !== ZTOC_MEDIA_TYPE || layer === undefined || ztocs.has(layer)) continue
      const isCut = descriptor.annotations?.get(SPANS) === spansKey
      if (isCut && descriptor.annotations?.get(SPAN_SIZE) === String(spanSize)) ztocs.set(layer, descriptor)
    }
  }
  return ztocs
}

/**
 * The layers as they would be with these zTOCs, without looking into them: to see whether the result is what the destination has already.
 * Undefined where one lacks its zTOC, or the options need something that is unknown without reading it.
 */
export function assumeFinished(
  jobs: readonly LayerJob[],
  known: KnownZtocs,
  { xattr, prefetchFiles }: Settings,
): Map<string, FinishedLayer> | undefined {
  if (prefetchFiles.length > 0) return undefined
  const finished = new Map<string, FinishedLayer>()
  let isMarked = false
  for (const job of jobs) {
    const { key, descriptor } = job
    const layer = known.get(key)
    if (layer === undefined) return undefined
    if (layer === 'refused') {
      finished.set(key, refusedLayer(job))
      continue
    }
    const ztoc = layer.descriptor
    const hasXattrs = ztoc.annotations?.get(DISABLE_XATTRS) !== 'true'
    isMarked ||= !hasXattrs
    const { mediaType, digest, size } = descriptor
    finished.set(key, {
      result: { mediaType, digest, size, state: 'reused', ztoc: { digest: ztoc.digest, size: ztoc.size } },
      hasXattrs,
      prefetch: new Map(),
    })
  }
  // Without any mark, marks may not have been requested then
  return xattr && !isMarked ? undefined : finished
}

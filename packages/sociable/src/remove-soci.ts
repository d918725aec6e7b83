import { readContent, StoreError } from '@sociable/oci'
import { ImageError } from './error.js'
import { type ImageTree, readImageTree } from './image/image-tree.js'
import { type PlatformIndex, rewriteImage } from './image/rewrite.js'
import { findSociIndex } from './image/soci-lookup.js'
import { configDocuments, startLayerOf, withoutStartLayers } from './image/start-layer-mark.js'
import { pushDocuments, tagOnce } from './indexing/outcome.js'
import { imagesOf } from './indexing/plan.js'
import { type AttachedIndex, attachedIndexes } from './indexing/reusable.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { openOnly, type Place } from './places/location.js'
import { type ContentResult, contentResult } from './result.js'
import { BUILD_TOOL } from './soci/soci-index.js'

export interface RemoveSociOptions extends CallOptions, RegistryAccess {
  /** Remove the SOCI indexes of other tools, too. @default false: those whose build tool is a sociable */
  readonly all?: boolean | undefined
}

export interface SociIndexResult extends ContentResult {
  /** `v2`: it was part of the image; `v1`: it was attached to a manifest of it. */
  readonly version: 'v1' | 'v2'
  /** Who built it, as it says itself. */
  readonly buildTool?: string
}

export interface RemoveSociResult extends ContentResult {
  /** The image; its digest is a new one if v2 indexes were removed, as they are part of it. */
  readonly image: string
  readonly removed: readonly SociIndexResult[]
  /** Digest of the image before. */
  readonly previousDigest: string
  /** Start layers that were taken off the image. */
  readonly startLayers: readonly ContentResult[]
  /** SOCI indexes of other tools, that stay. */
  readonly kept: readonly SociIndexResult[]
}

/**
 * Removes the SOCI indexes of an image, and its start layer; the image itself stays. Those that are attached to it (v1) are deleted; of those that are part of it (v2) it
 * becomes free, as an OCI image index under the same name. Blobs that nothing refers to any more are left to the registry's garbage collection; in a
 * layout they stay.
 * @throws ImageError DESTINATION_INVALID where an image with v2 indexes is named by its digest; StoreError, DENIED where the place deletes nothing
 */
export async function removeSoci(image: ImageLocation, options: RemoveSociOptions = {}): Promise<RemoveSociResult> {
  const place = await openOnly(image, 'update', options)
  try {
    return await removeFrom(place, options)
  } finally {
    await place.close()
  }
}

async function removeFrom(place: Place, { all = false, signal }: RemoveSociOptions): Promise<RemoveSociResult> {
  const { store, name } = place
  const top = await store.resolve(place.reference, { signal })
  const before = await readImageTree(store, top, name, signal)
  const { tree, configs } = await withoutStartLayers(store, before, signal)
  const startLayers = before.entries.flatMap((entry, i) =>
    entry === tree.entries[i] ? [] : [contentResult(startLayerOf(entry)!)],
  )
  const isOurs = (index: SociIndexResult): boolean => all || /^sociable\b/.test(index.buildTool ?? '')
  const attached = await attachedIndexes(store, imagesOf(tree), signal)
  const listed = tree.entries.flatMap(({ kind, manifest, descriptor }) =>
    kind === 'soci-index' ? [{ manifest: manifest!, descriptor }] : [],
  )
  // One digest may be listed for several platforms
  const indexes = [
    ...new Map(
      [
        ...attached.map((index) => describeIndex(index, 'v1')),
        ...listed.map((index) => describeIndex(index, 'v2')),
      ].map((index) => [index.digest, index]),
    ).values(),
  ]
  const removed = indexes.filter(isOurs)
  const deletable = attached.filter((index) => isOurs(describeIndex(index, 'v1')))
  if (deletable.length > 0 && store.delete === undefined)
    throw new StoreError('DENIED', `${store.name} has an index to be removed, but nothing can be deleted from it`)

  const kept = indexes.filter((index) => !isOurs(index))
  let result = contentResult(top)
  if (configs.size > 0 || removed.some(({ version }) => version === 'v2')) {
    const tag = place.tag ?? top.annotations?.get('org.opencontainers.image.ref.name')
    if (place.reference !== undefined && place.tag !== place.reference)
      throw new ImageError(
        'DESTINATION_INVALID',
        `${name}: its SOCI indexes are part of the image, which has another digest without them: name its tag`,
      )
    const rewritten = rewriteImage(tree, await platformIndexes(place, tree, kept, signal))
    await pushDocuments(store, [...configDocuments(tree, configs), ...rewritten.manifests], signal)
    await pushDocuments(store, [rewritten.index], signal)
    await tagOnce(store, rewritten.index.descriptor, tag, signal)
    result = contentResult(rewritten.index.descriptor)
  }
  for (const { descriptor } of deletable) await store.delete!(descriptor, { signal })
  return { ...result, image: name, previousDigest: top.digest, removed, startLayers, kept }
}

function describeIndex({ descriptor, manifest }: AttachedIndex, version: 'v1' | 'v2'): SociIndexResult {
  const buildTool = manifest.annotations?.get(BUILD_TOOL)
  return { ...contentResult(descriptor), version, ...(buildTool !== undefined && { buildTool }) }
}

/** The v2 indexes that stay, with the platforms that they are of. */
async function platformIndexes(
  { store }: Place,
  tree: ImageTree,
  kept: readonly SociIndexResult[],
  signal: AbortSignal | undefined,
): Promise<PlatformIndex[]> {
  const digests = new Set(kept.map(({ digest }) => digest))
  const indexes: PlatformIndex[] = []
  for (const entry of imagesOf(tree)) {
    const { index } = await findSociIndex(store, tree, entry, signal)
    if (index?.version !== 'v2' || !digests.has(index.descriptor.digest)) continue
    const bytes = await readContent(store, index.descriptor, { signal })
    indexes.push({ entry, platform: entry.platform!, index: { descriptor: index.descriptor, bytes } })
  }
  return indexes
}

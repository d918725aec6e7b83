import type { Manifest } from '@sociable/oci'
import { type Descriptor, decodeManifest, readContent, type Store } from '@sociable/oci'
import { buildToolHealth } from './build-tool.js'
import { readImageTree, type TreeEntry } from './image-tree.js'
import type { Settings } from './settings.js'
import { BUILD_TOOL, LAYER_DIGEST, SOCI_INDEX_V1, SPAN_SIZE, ZTOC_MEDIA_TYPE } from './soci-index.js'

/**
 * zTOCs by layer digest that a former `convert` to the same name made with these settings. Only what stands under the destination's own name
 * is trusted with that, not what the source brings along: a zTOC says what a runtime shows as a layer's files.
 */
export async function reusableFromImage(
  store: Store,
  reference: string | undefined,
  settings: Settings,
): Promise<Map<string, Descriptor>> {
  if (!mayReuse(settings)) return new Map()
  try {
    const top = await store.resolve(reference, { signal: settings.signal })
    const tree = await readImageTree(store, top, store.name, settings.signal)
    const indexes = tree.entries.filter(({ kind }) => kind === 'soci-index')
    return ztocsOf(
      indexes.map(({ manifest }) => manifest!),
      settings,
    )
  } catch {
    settings.signal?.throwIfAborted()
    return new Map() // nothing there, or nothing that can be read: it is replaced anyway
  }
}

/** As `reusableFromImage`, from the v1 indexes attached to these manifests. */
export async function reusableFromReferrers(
  store: Store,
  images: readonly TreeEntry[],
  settings: Settings,
): Promise<Map<string, Descriptor>> {
  if (!mayReuse(settings)) return new Map()
  const { signal } = settings
  const indexes: Manifest[] = []
  try {
    for (const { manifestDescriptor } of images)
      for await (const index of store.referrers(manifestDescriptor!, { artifactType: SOCI_INDEX_V1, signal }))
        indexes.push(decodeManifest(await readContent(store, index, { signal }), index.digest))
  } catch {
    signal?.throwIfAborted()
  }
  return ztocsOf(indexes, settings)
}

function mayReuse({ force, buildTool }: Settings): boolean {
  return !force && buildToolHealth(buildTool) === 'sound'
}

function ztocsOf(indexes: readonly Manifest[], { buildTool, spanSize }: Settings): Map<string, Descriptor> {
  const ztocs = new Map<string, Descriptor>()
  for (const { annotations, layers } of indexes) {
    if (annotations?.get(BUILD_TOOL) !== buildTool) continue
    for (const descriptor of layers ?? []) {
      const layer = descriptor.annotations?.get(LAYER_DIGEST)
      if (descriptor.mediaType !== ZTOC_MEDIA_TYPE || layer === undefined) continue
      if (descriptor.annotations?.get(SPAN_SIZE) === String(spanSize)) ztocs.set(layer, descriptor)
    }
  }
  return ztocs
}

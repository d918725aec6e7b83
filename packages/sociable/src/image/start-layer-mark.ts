// How a start layer and what was made for a profile are marked in an image, and how the image that there was before is found again.
import { type Descriptor, digestOf, OCI_CONFIG, readContent, type Store } from '@sociable/oci'
import type { Document } from '../soci/soci-index.js'
import { removeLayerFromConfig } from './config-edit.js'
import type { ImageTree, TreeEntry } from './image-tree.js'

/** Of the start layer's descriptor in the image manifest: the digest of the config that the image had without it. */
export const START_LAYER_CONFIG = 'io.github.sociable.start-layer.config'
/** Of the same descriptor: the digest of the layer's tar. */
export const START_LAYER_DIFF_ID = 'io.github.sociable.start-layer.diff-id'

/** The start layer of an image manifest: its topmost layer, if that is marked as one. */
export function startLayerOf({ manifest }: TreeEntry): Descriptor | undefined {
  const top = manifest?.layers?.at(-1)
  return top !== undefined && isStartLayer(top) ? top : undefined
}

/** Whether a layer of an image manifest is marked as a start layer. */
export function isStartLayer({ annotations }: Descriptor): boolean {
  return annotations?.has(START_LAYER_CONFIG) ?? false
}

export interface StrippedTree {
  readonly tree: ImageTree
  /** Configs of the images without their start layers, which need not be in the store. */
  readonly configs: ReadonlyMap<string, Uint8Array>
}

/**
 * The image without the start layers that `convert` put on it: layers and configs are those that it was made of, as their digests prove. A layer that only says it is
 * a start layer stays.
 * @throws StoreError
 */
export async function withoutStartLayers(
  store: Store,
  tree: ImageTree,
  signal: AbortSignal | undefined,
): Promise<StrippedTree> {
  const configs = new Map<string, Uint8Array>()
  const entries: TreeEntry[] = []
  for (const entry of tree.entries) entries.push(await withoutStartLayer(store, entry, configs, signal))
  return { tree: { ...tree, entries }, configs }
}

async function withoutStartLayer(
  store: Store,
  entry: TreeEntry,
  configs: Map<string, Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<TreeEntry> {
  const layer = entry.kind === 'image' ? startLayerOf(entry) : undefined
  if (layer === undefined) return entry
  const { annotations } = layer
  const manifest = entry.manifest!
  const config = await readContent(store, manifest.config, { signal })
  const before = removeLayerFromConfig(config, annotations!.get(START_LAYER_DIFF_ID) ?? '')
  if (before === undefined || digestOf(before) !== annotations!.get(START_LAYER_CONFIG)) return entry
  const descriptor = { ...manifest.config, mediaType: OCI_CONFIG, digest: digestOf(before), size: before.length }
  configs.set(descriptor.digest, before)
  return { ...entry, manifest: { ...manifest, config: descriptor, layers: manifest.layers!.slice(0, -1) } }
}

/** The configs of the entries that are among these. */
export function configDocuments(
  { entries }: Pick<ImageTree, 'entries'>,
  configs: ReadonlyMap<string, Uint8Array>,
): Document[] {
  return entries.flatMap(({ manifest }) => {
    const bytes = manifest && configs.get(manifest.config.digest)
    return bytes === undefined ? [] : [{ descriptor: manifest!.config, bytes }]
  })
}

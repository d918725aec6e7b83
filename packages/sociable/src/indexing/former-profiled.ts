// The result of a former run with the same profile, recognized by its marks alone: none of its layers, zTOCs and start layers is read.
import { contentsOf, type Descriptor, type Store } from '@sociable/oci'
import type { ImageTree, TreeEntry } from '../image/image-tree.js'
import { startLayerOf } from '../image/start-layer-mark.js'
import { contentResult, type LayerResult } from '../result.js'
import { INDEX_DIGEST, LAYER_DIGEST, PROFILE, SOCI_INDEX_V2, ZTOC_MEDIA_TYPE } from '../soci/soci-index.js'
import type { AssembledPlatform } from './assemble.js'
import type { FinishedLayer } from './finished-layer.js'
import { formerIndexes } from './former-result.js'
import { layerKey, type PlatformPlan } from './plan.js'
import type { Settings } from './settings.js'

export interface FormerProfiled {
  readonly assembled: readonly AssembledPlatform[]
  /** By layer key. */
  readonly layers: ReadonlyMap<string, FinishedLayer>
}

/**
 * What this run would assemble, if `former` was made of the same images with the same profile and options, and all of it is there; else undefined.
 * @param stripped `former` without its start layers
 */
export async function formerProfiled(
  store: Store,
  former: ImageTree,
  stripped: ImageTree,
  { tree, plans }: { readonly tree: ImageTree; readonly plans: readonly PlatformPlan[] },
  { profileKey, signal }: Settings,
): Promise<FormerProfiled | undefined> {
  const indexes = formerIndexes(stripped, tree)
  if (indexes === undefined) return undefined
  const own = tree.entries.filter(({ kind }) => kind !== 'soci-index')
  const others = former.entries.filter(({ kind }) => kind !== 'soci-index')
  const assembled: AssembledPlatform[] = []
  const layers = new Map<string, FinishedLayer>()
  for (const plan of plans) {
    const other = others[own.indexOf(plan.entry)]
    const index = indexes.get(plan.entry.descriptor.digest)
    if (other === undefined || index?.annotations?.get(PROFILE) !== profileKey) return undefined
    const platform = assume(plan, former, other)
    if (platform === undefined) return undefined
    assembled.push(platform)
    platform.layers.forEach((result, i) => {
      const { descriptor, index } = plan.layers[i]!
      if (index !== undefined)
        layers.set(layerKey(descriptor, index), { result, hasXattrs: false, prefetch: new Map() })
    })
  }
  return (await isWhole(store, former, signal)) ? { assembled, layers } : undefined
}

function assume(plan: PlatformPlan, former: ImageTree, other: TreeEntry): AssembledPlatform | undefined {
  const digest = other.manifest!.annotations?.get(INDEX_DIGEST)
  const index = former.entries.find(({ kind, descriptor }) => kind === 'soci-index' && descriptor.digest === digest)
  if (index === undefined) return undefined
  const ztocs = new Map<string, Descriptor>()
  for (const descriptor of index.manifest!.layers ?? [])
    if (descriptor.mediaType === ZTOC_MEDIA_TYPE) ztocs.set(descriptor.annotations?.get(LAYER_DIGEST) ?? '', descriptor)
  const layers = plan.layers.map(({ descriptor, index, skip }): LayerResult => {
    const ztoc = index && ztocs.get(descriptor.digest)
    const layer = contentResult(descriptor)
    if (ztoc !== undefined) return { ...layer, state: 'reused', ztoc: { digest: ztoc.digest, size: ztoc.size } }
    return { ...layer, state: 'skipped', reason: skip ?? 'a runtime would refuse its zTOC, as an earlier run found' }
  })
  const startLayer = startLayerOf(other)
  return {
    plan,
    layers,
    index: {
      descriptor: { ...contentResult(index.descriptor), artifactType: SOCI_INDEX_V2 },
      bytes: new Uint8Array(0), // it is there already
    },
    prefetch: [],
    notFound: [],
    startLayer: startLayer && {
      descriptor: startLayer,
      config: { descriptor: contentResult(other.manifest!.config), bytes: new Uint8Array(0) },
      result: contentResult(startLayer),
    },
  }
}

/** A registry has what its manifests name; elsewhere files may have been lost. */
async function isWhole(store: Store, { entries }: ImageTree, signal: AbortSignal | undefined): Promise<boolean> {
  if (store.mount !== undefined) return true
  for (const { manifest } of entries)
    for (const content of manifest === undefined ? [] : contentsOf(manifest))
      if (!(await store.exists(content, { signal }))) return false
  return true
}

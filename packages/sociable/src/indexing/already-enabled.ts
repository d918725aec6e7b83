// An image that is SOCI-enabled (v2) before anything is done with it.
import type { Store } from '@sociable/oci'
import type { ImageTree } from '../image/image-tree.js'
import { findSociIndex } from '../image/soci-lookup.js'
import { contentResult, type LayerResult, type PlatformResult } from '../result.js'
import { INDEX_DIGEST, LAYER_DIGEST, ZTOC_MEDIA_TYPE } from '../soci/soci-index.js'
import type { LayerPlan, PlatformPlan } from './plan.js'

/**
 * What an earlier conversion made of these platforms, if the source is its result. Undefined if one of them has no SOCI index (v2), or a link to it is
 * broken. @throws StoreError
 */
export async function alreadyEnabled(
  store: Store,
  tree: ImageTree,
  plans: readonly PlatformPlan[],
  signal: AbortSignal | undefined,
): Promise<PlatformResult[] | undefined> {
  if (!plans.every(({ entry }) => entry.manifest!.annotations?.has(INDEX_DIGEST))) return undefined
  const results: PlatformResult[] = []
  for (const { name, platform, entry, layers } of plans) {
    const { index, problems } = await findSociIndex(store, tree, entry, signal)
    if (index === undefined || problems.length > 0) return undefined
    const ztocs = (index.manifest.layers ?? []).filter(({ mediaType }) => mediaType === ZTOC_MEDIA_TYPE)
    const manifest = contentResult(entry.manifestDescriptor!)
    const result = (plan: LayerPlan): LayerResult => {
      const ztoc = ztocs.find(({ annotations }) => annotations?.get(LAYER_DIGEST) === plan.descriptor.digest)
      const content = contentResult(plan.descriptor)
      if (ztoc !== undefined) return { ...content, state: 'reused', ztoc: { digest: ztoc.digest, size: ztoc.size } }
      return { ...content, state: 'skipped', reason: plan.skip ?? "the image's SOCI index does not have it" }
    }
    results.push({
      name,
      platform,
      source: manifest,
      manifest,
      index: contentResult(index.descriptor),
      layers: layers.map(result),
    })
  }
  return results
}

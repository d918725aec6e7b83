// What a result that is there already says of itself: whether this run could give the same, without a layer being read.
import type { Descriptor, Manifest } from '@sociable/oci'
import type { ImageTree, TreeEntry } from '../image/image-tree.js'
import { buildToolHealth } from '../soci/build-tool.js'
import { BUILD_TOOL, INDEX_DIGEST, LAYER_DIGEST, PROFILE, SPAN_SIZE, ZTOC_MEDIA_TYPE } from '../soci/soci-index.js'
import { layerKey, type PlatformPlan } from './plan.js'
import type { Settings } from './settings.js'

/**
 * The SOCI index (v2) that each platform has in `former`, by the digest of its entry in `tree`; platforms without one are left out. Undefined where `former` is not
 * made of the same images, as their configs, layers and order tell.
 */
export function formerIndexes(former: ImageTree, tree: ImageTree): ReadonlyMap<string, Manifest> | undefined {
  const own = tree.entries.filter(({ kind }) => kind !== 'soci-index')
  const others = former.entries.filter(({ kind }) => kind !== 'soci-index')
  if (own.length !== others.length || own.some((entry, i) => contents(entry) !== contents(others[i]!))) return undefined
  const indexes = new Map<string, Manifest>()
  for (const [i, { descriptor }] of own.entries()) {
    const digest = others[i]!.manifest?.annotations?.get(INDEX_DIGEST)
    const index = former.entries.find((entry) => entry.kind === 'soci-index' && entry.descriptor.digest === digest)
    if (index !== undefined) indexes.set(descriptor.digest, index.manifest!)
  }
  return indexes
}

/** What of an entry stays when it is converted. */
function contents({ manifest, descriptor }: TreeEntry): string {
  if (manifest === undefined) return descriptor.digest
  return [manifest.config, ...(manifest.layers ?? [])].map(({ digest }) => digest).join(' ')
}

/**
 * Whether `former` may be what this run makes of the image; false where it is not, for certain.
 * @param plans of the platforms that are to be indexed
 */
export function mayBeResult(
  former: ImageTree,
  tree: ImageTree,
  plans: readonly PlatformPlan[],
  settings: Settings,
): boolean {
  const indexes = formerIndexes(former, tree)
  if (indexes === undefined) return false
  const planned = new Set(plans.map(({ entry }) => entry.descriptor.digest))
  if ([...indexes.keys()].some((digest) => !planned.has(digest))) return false
  return plans.every((plan) => {
    const index = indexes.get(plan.entry.descriptor.digest)
    return index === undefined || mayBeIndex(index, plan, settings)
  })
}

/** Whether a SOCI index may be that which this run makes of the platform: of the same tool, of no other layers, with the same span size. */
export function mayBeIndex(
  index: Manifest,
  plan: PlatformPlan,
  { buildTool, spanSize, profileKey }: Settings,
): boolean {
  if (index.annotations?.get(BUILD_TOOL) !== buildTool || index.annotations.get(PROFILE) !== profileKey) return false
  const planned = new Set(
    plan.layers.flatMap(({ descriptor, index }) => (index === undefined ? [] : descriptor.digest)),
  )
  return ztocsIn(index).every(
    ({ annotations }) =>
      planned.has(annotations?.get(LAYER_DIGEST) ?? '') && annotations?.get(SPAN_SIZE) === String(spanSize),
  )
}

/**
 * Keys of the layers that a former run read and left out, as no runtime would load their zTOCs. An index says so by not having them, if its tool is known to make
 * sound ones, and they are not missing for their size: it has another layer that is no larger. If all that it has are larger, this is unknown.
 * @param indexes the SOCI index that each platform had, by the digest of its entry; of the same image
 */
export function refusedLayers(
  indexes: ReadonlyMap<string, Manifest> | undefined,
  plans: readonly PlatformPlan[],
  settings: Settings,
): string[] {
  if (indexes === undefined || buildToolHealth(settings.buildTool) !== 'sound') return []
  return plans.flatMap((plan) => {
    const index = indexes.get(plan.entry.descriptor.digest)
    if (index === undefined || !mayBeIndex(index, plan, settings)) return []
    const present = new Set(ztocsIn(index).map(({ annotations }) => annotations?.get(LAYER_DIGEST)))
    const planned = plan.layers.filter(({ index }) => index !== undefined)
    const sizes = planned.flatMap(({ descriptor: { digest, size } }) => (present.has(digest) ? size : []))
    const least = Math.min(...sizes)
    return planned.flatMap(({ descriptor, index }) =>
      present.has(descriptor.digest) || descriptor.size < least ? [] : layerKey(descriptor, index!),
    )
  })
}

function ztocsIn({ layers }: Manifest): readonly Descriptor[] {
  return (layers ?? []).filter(({ mediaType }) => mediaType === ZTOC_MEDIA_TYPE)
}

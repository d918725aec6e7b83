// A platform's SOCI index, made of its finished layers.
import { type Descriptor, digestOf } from '@sociable/oci'
import type { LayerResult, ProfileResult, StartLayerResult } from '../result.js'
import { encodePrefetch, PREFETCH_MEDIA_TYPE, type SpanRange } from '../soci/prefetch.js'
import { type Document, encodeSociIndex, LAYER_DIGEST, ztocDescriptor } from '../soci/soci-index.js'
import type { FinishedLayer } from './finished-layer.js'
import { layerKey, type PlatformPlan } from './plan.js'
import type { Settings } from './settings.js'

export interface AssembledPlatform {
  readonly plan: PlatformPlan
  /** One for each layer entry, bottom first. */
  readonly layers: readonly LayerResult[]
  /** Absent where no layer was indexed; then `reason` says why. */
  readonly index?: Document
  readonly reason?: string
  /** Prefetch artifacts that the index refers to. */
  readonly prefetch: readonly Document[]
  /** Paths to prefetch that no indexed layer has. */
  readonly notFound: readonly string[]
  /** What the profile adds to the image. */
  readonly startLayer?: AssembledStartLayer | undefined
  readonly profile?: ProfileResult | undefined
}

export interface AssembledStartLayer {
  readonly descriptor: Descriptor
  /** The image's config with the layer in it. */
  readonly config: Document
  readonly result: StartLayerResult
  /** Absent where the layer is in the destination already. */
  readonly content?: () => AsyncIterable<Uint8Array>
}

/**
 * @param finished by layer key, all layers that were to be indexed
 * @param prefetch spans to fetch ahead besides those of `prefetchFiles`, by layer digest
 */
export function assemblePlatform(
  plan: PlatformPlan,
  finished: ReadonlyMap<string, FinishedLayer>,
  settings: Settings,
  version: 'v1' | 'v2',
  prefetch?: ReadonlyMap<string, readonly SpanRange[]>,
): AssembledPlatform {
  const layers: LayerResult[] = []
  const ztocs: Descriptor[] = []
  const indexed: FinishedLayer[] = []
  for (const { descriptor, index: compression, skip } of plan.layers) {
    const { mediaType, digest, size } = descriptor
    const done = compression && finished.get(layerKey(descriptor, compression))
    // The same bytes may stand under two media types: each entry is reported with its own
    layers.push(done ? { ...done.result, mediaType } : { mediaType, digest, size, state: 'skipped', reason: skip! })
    if (done?.result.ztoc === undefined) continue
    indexed.push(done)
    const disableXattrs = settings.xattr && !done.hasXattrs
    ztocs.push(
      ztocDescriptor(
        done.result.ztoc,
        descriptor,
        settings.spanSize,
        disableXattrs,
        done.spansKey ?? settings.spansKey,
      ),
    )
  }
  if (ztocs.length === 0) return { plan, layers, reason: nothingReason(layers), prefetch: [], notFound: [] }
  // The reference goes by digests here: an entry of another type that is skipped counts if its bytes are indexed elsewhere
  const byDigest = new Map(indexed.map((layer) => [layer.result.digest, layer]))
  const entries = plan.layers.flatMap(({ descriptor }) => byDigest.get(descriptor.digest) ?? [])
  const { artifacts, notFound } = prefetchArtifacts(entries, settings.prefetchFiles, prefetch)
  const subject = version === 'v1' ? plan.entry.manifestDescriptor : undefined
  const index = encodeSociIndex({
    version,
    layers: [...ztocs, ...artifacts.map(({ descriptor }) => descriptor)],
    subject,
    buildTool: settings.buildTool,
    profile: settings.profileKey,
  })
  return { plan, layers, index, prefetch: artifacts, notFound }
}

/** An artifact for each layer entry that is the topmost to have one of the paths, or has something that the profile reads; in the layers' order. */
function prefetchArtifacts(
  layers: readonly FinishedLayer[],
  paths: readonly string[],
  profiled: ReadonlyMap<string, readonly SpanRange[]> = new Map(),
): { artifacts: Document[]; notFound: string[] } {
  const ranges = new Map([...profiled].map(([digest, spans]) => [digest, [...spans]]))
  const notFound: string[] = []
  for (const path of paths) {
    const layer = layers.findLast(({ prefetch }) => prefetch.has(path))
    if (layer === undefined) notFound.push(path)
    else ranges.set(layer.result.digest, [...(ranges.get(layer.result.digest) ?? []), layer.prefetch.get(path)!])
  }
  const artifacts = layers.flatMap(({ result: { digest } }) => {
    const spans = ranges.get(digest)
    if (spans === undefined || spans.length === 0) return []
    const bytes = encodePrefetch(spans)
    const annotations = new Map([[LAYER_DIGEST, digest]])
    return [
      {
        descriptor: { mediaType: PREFETCH_MEDIA_TYPE, digest: digestOf(bytes), size: bytes.length, annotations },
        bytes,
      },
    ]
  })
  return { artifacts, notFound }
}

/** Why no layer was indexed: each reason once, with how many layers it holds for. */
function nothingReason(layers: readonly LayerResult[]): string {
  const counts = new Map<string, number>()
  for (const { reason } of layers) counts.set(reason!, (counts.get(reason!) ?? 0) + 1)
  if (counts.size === 0) return 'it has no layers'
  return [...counts].map(([reason, count]) => `${count === 1 ? '1 layer' : `${count} layers`}: ${reason}`).join('; ')
}

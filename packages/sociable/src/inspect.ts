import { type Descriptor, type Platform, readContent, type Store, StoreError } from '@sociable/oci'
import { ZtocFormatError } from '@sociable/ztoc'
import { inContext } from './error.js'
import { type Eligibility, fargateEligibility } from './image/eligibility.js'
import { type ImageTree, readImageTree, type TreeEntry } from './image/image-tree.js'
import { decideLayer } from './image/layer-type.js'
import { formatPlatform, parsePlatform } from './image/platform.js'
import { findSociIndex, type SociLookup } from './image/soci-lookup.js'
import { isStartLayer } from './image/start-layer-mark.js'
import { imagesOf, selectImage } from './indexing/plan.js'
import { DEFAULT_MIN_LAYER_SIZE } from './indexing/settings.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { openOnly } from './places/location.js'
import { type ContentResult, contentResult } from './result.js'
import { buildToolHealth } from './soci/build-tool.js'
import { decodePrefetch, PREFETCH_MEDIA_TYPE } from './soci/prefetch.js'
import { BUILD_TOOL, DISABLE_XATTRS, LAYER_DIGEST, PROFILE, SPAN_SIZE, ZTOC_MEDIA_TYPE } from './soci/soci-index.js'
import { readZtoc } from './soci/ztoc-reading.js'

export interface InspectedLayer extends ContentResult {
  /** Whether a zTOC in the image's SOCI index covers it: then a runtime loads it lazily. */
  readonly lazy: boolean
  /** Why not. */
  readonly reason?: string
  /** Whether it is a start layer, which `convert` put on the image for a profile. */
  readonly isStartLayer?: boolean
  readonly ztoc?: {
    readonly digest: string
    readonly size: number
    readonly spans: number
    readonly spanSize: number
    readonly files: number
    readonly uncompressedSize: number
    readonly buildTool: string
    readonly disableXattrs: boolean
  }
  /** Spans to fetch ahead, as [first, last]. */
  readonly prefetch?: readonly (readonly [number, number])[]
}

export interface InspectedPlatform {
  readonly name: string
  readonly platform: Platform
  readonly manifest: ContentResult
  /** How the SOCI index is attached: `v2` by annotations in the image, `v1` by its subject. */
  readonly version?: 'v1' | 'v2'
  readonly index?: ContentResult
  /** Who built the index, as it says itself. */
  readonly buildTool?: string
  /** Whether the tool of that name makes sound indexes; that it made this one is not checked. `unknown` where the identifier stands for versions with and without a known fault. */
  readonly buildToolHealth?: 'sound' | 'unknown'
  /** What identifies the profile and options that the index was made for; absent where it was made without one. */
  readonly profile?: string
  /** Links that do not hold, in words; empty where all do. */
  readonly problems: readonly string[]
  readonly layers: readonly InspectedLayer[]
  /** Whether Fargate can load it lazily, as far as an image can tell: accounts and regions differ. */
  readonly fargate: Eligibility
}

export interface InspectResult extends ContentResult {
  readonly image: string
  /** Whether at least one platform has a SOCI index whose links hold. */
  readonly sociEnabled: boolean
  readonly images: readonly InspectedPlatform[]
  /** What the index lists that is not a platform's image: attestations, other artifacts, entries whose blobs are absent. */
  readonly others: readonly (ContentResult & { readonly kind: string })[]
}

export interface InspectOptions extends CallOptions, RegistryAccess {
  /** @default all that the image has */
  readonly platforms?: readonly string[] | undefined
}

/**
 * Tells whether and how an image is SOCI-enabled, and whether all that belongs to it is there and agrees. Reads manifests, indexes and zTOCs, no layer.
 * @throws ImageError, StoreError
 */
export async function inspect(image: ImageLocation, options: InspectOptions = {}): Promise<InspectResult> {
  const { signal, platforms } = options
  const place = await openOnly(image, 'read', options)
  try {
    const { store, name, reference } = place
    const top = await store.resolve(reference, { signal })
    const tree = await readImageTree(store, top, name, signal)
    const images: InspectedPlatform[] = []
    const claimed = new Set<string>()
    const selected = platforms?.map((text) => selectImage(tree, parsePlatform(text))) ?? imagesOf(tree)
    for (const entry of new Set(selected)) {
      const lookup = await findSociIndex(store, tree, entry, signal)
      if (lookup.index !== undefined) claimed.add(lookup.index.descriptor.digest)
      images.push(await inspectPlatform(store, name, entry, lookup, signal))
    }
    return {
      ...contentResult(top),
      image: name,
      sociEnabled: images.some(({ layers, problems }) => problems.length === 0 && layers.some(({ lazy }) => lazy)),
      images,
      others: otherEntries(tree, claimed),
    }
  } finally {
    await place.close()
  }
}

function otherEntries({ entries, absent }: ImageTree, claimed: ReadonlySet<string>): InspectResult['others'] {
  return [
    ...entries
      .filter(({ kind, descriptor }) => kind !== 'image' && !claimed.has(descriptor.digest))
      .map(({ kind, descriptor }) => ({ ...contentResult(descriptor), kind })),
    ...absent.map((descriptor) => ({ ...contentResult(descriptor), kind: 'absent' })),
  ]
}

async function inspectPlatform(
  store: Store,
  image: string,
  entry: TreeEntry,
  { index, problems: linkProblems }: SociLookup,
  signal: AbortSignal | undefined,
): Promise<InspectedPlatform> {
  const problems = linkProblems.map(({ message }) => message)
  const known = new Map<string, Pick<InspectedLayer, 'ztoc' | 'prefetch'>>()
  const layers = entry.manifest!.layers ?? []
  for (const descriptor of index?.manifest.layers ?? []) {
    const digest = descriptor.annotations?.get(LAYER_DIGEST)
    const layer = layers.find((candidate) => candidate.digest === digest)
    if (layer === undefined)
      problems.push(`${descriptor.digest} is of layer ${digest ?? '(none)'}, which the image does not have`)
    else {
      const read = await inspectArtifact(store, descriptor, layer, signal)
      if (typeof read === 'string')
        problems.push(`zTOC or prefetch list ${descriptor.digest} of layer ${digest} ${read}`)
      else known.set(layer.digest, { ...known.get(layer.digest), ...read })
    }
  }
  const inspected = layers.map((layer): InspectedLayer => {
    const details = known.get(layer.digest)
    const lazy = details?.ztoc !== undefined
    return {
      ...contentResult(layer),
      lazy,
      ...(!lazy && { reason: isStartLayer(layer) ? START_LAYER_REASON : eagerReason(layer, index !== undefined) }),
      ...(isStartLayer(layer) && { isStartLayer: true }),
      ...details,
    }
  })
  const buildTool = index?.manifest.annotations?.get(BUILD_TOOL)
  const profile = index?.manifest.annotations?.get(PROFILE)
  const platform = entry.platform!
  return {
    name: formatPlatform(platform),
    platform,
    manifest: contentResult(entry.manifestDescriptor!),
    ...(index !== undefined && { version: index.version, index: contentResult(index.descriptor) }),
    ...(buildTool !== undefined && { buildTool, buildToolHealth: buildToolHealth(buildTool) }),
    ...(profile !== undefined && { profile }),
    problems,
    layers: inspected,
    fargate: fargateEligibility({ image, platform, version: index?.version, problems, layers: inspected }),
  }
}

/** What a zTOC or prefetch artifact tells of its layer, or what is wrong with it. */
async function inspectArtifact(
  store: Store,
  descriptor: Descriptor,
  layer: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Pick<InspectedLayer, 'ztoc' | 'prefetch'> | string> {
  try {
    if (descriptor.mediaType === PREFETCH_MEDIA_TYPE) {
      const spans = decodePrefetch(await readContent(store, descriptor, { signal }))
      return spans === undefined ? 'is malformed' : { prefetch: spans.map(({ first, last }) => [first, last]) }
    }
    if (descriptor.mediaType !== ZTOC_MEDIA_TYPE) return `is of the unknown type ${descriptor.mediaType || '(none)'}`
    const toc = await readZtoc(store, descriptor, layer, signal)
    const said = descriptor.annotations?.get(SPAN_SIZE)
    if (said !== undefined && said !== String(toc.spanSize))
      return `has spans of ${toc.spanSize} bytes, the SOCI index says ${said}`
    return {
      ztoc: {
        digest: descriptor.digest,
        size: descriptor.size,
        spans: toc.spanCount,
        spanSize: toc.spanSize,
        files: toc.files.length,
        uncompressedSize: toc.uncompressedSize,
        buildTool: toc.buildTool,
        disableXattrs: descriptor.annotations?.get(DISABLE_XATTRS) === 'true',
      },
    }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return `is not in ${store.name}`
    if (error instanceof ZtocFormatError) return `is malformed: ${error.message}`
    throw inContext(error, `zTOC or prefetch list ${descriptor.digest}`)
  }
}

const START_LAYER_REASON = 'a start layer: copies of what a start reads, pulled whole'

function eagerReason({ mediaType, size }: Descriptor, hasIndex: boolean): string {
  const decision = decideLayer(mediaType, size, DEFAULT_MIN_LAYER_SIZE)
  if ('refuse' in decision) return decision.refuse
  if ('skip' in decision) return decision.skip
  return hasIndex ? 'the SOCI index has no zTOC for it' : 'the image has no SOCI index'
}

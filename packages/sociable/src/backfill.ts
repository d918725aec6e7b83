import { readContent, type Store, StoreError } from '@sociable/oci'
import { checkConverted } from './check-converted.js'
import { convert } from './convert.js'
import { ImageError } from './error.js'
import { type ImageTree, isSociEnabled, readImageTree } from './image/image-tree.js'
import { isLayerType } from './image/layer-type.js'
import type { CallOptions, RegistryAccess } from './options.js'
import { parallel } from './parallel.js'
import { withPlaces } from './places/location.js'
import { listImages, type RegistryTag, registryName } from './places/registry-images.js'
import { sociTag } from './soci/soci-tag.js'

export interface BackfillOptions extends CallOptions, RegistryAccess {
  /** Patterns of repository names; `*` is any text. @default all */
  readonly repositories?: readonly string[] | undefined
  /** Patterns of tags; `*` is any text. @default all */
  readonly tags?: readonly string[] | undefined
  /** Only images that were created after this time, as their configs say. Images without a creation time are included. @default all */
  readonly since?: Date | undefined
  /** Images to convert in this run. @default no limit */
  readonly limit?: number | undefined
  /** Only report what would be converted. @default false */
  readonly dryRun?: boolean | undefined
  /** Layers smaller than this are not indexed. @default as `convert` */
  readonly minLayerSize?: number | undefined
  /** Images worked on at once. @default 2 */
  readonly concurrency?: number | undefined
  /** Called when an image is finished. */
  readonly onImage?: ((image: BackfillImage) => void) | undefined
}

export interface BackfillImage {
  readonly image: string
  /** `pending`: a dry run would convert it, or the limit was reached. */
  readonly state: 'done' | 'pending' | 'skipped' | 'failed'
  /** The SOCI-enabled image, as `NAME@sha256:…`; only of `done`. */
  readonly destination?: string
  /** Why it was skipped, is pending, or failed. */
  readonly reason?: string
}

export interface BackfillResult {
  readonly registry: string
  /** Every tag that the patterns match, by repository and tag. */
  readonly images: readonly BackfillImage[]
  readonly done: number
  readonly pending: number
  readonly skipped: number
  readonly failed: number
}

const MAX_TAG = 128 // distribution-spec v1.1.1, "Pulling manifests"
/** cosign's signatures and attestations, and the list of referrers of registries without the referrers API. */
const REFERRER_TAG = /^sha(?:256|512)-[0-9a-f]{64,128}(?:\.\w+)?$/

/**
 * Makes a SOCI-enabled image, tagged with `-soci` appended, of every tag in a registry that the patterns match. What is done shows in the registry, so a run that
 * was interrupted continues when it is started again. SOCI-enabled images, signatures, attestations, other artifacts and untagged images are left alone. An
 * image that fails does not stop the others.
 * @param registry `host` or `host:port`
 * @throws StoreError where the repositories cannot be listed; ImageReferenceError
 * @example
 * const { done, failed } = await backfill('registry.example', { repositories: ['app/*'] })
 */
export async function backfill(registry: string, options: BackfillOptions = {}): Promise<BackfillResult> {
  const { repositories = [], tags = [], concurrency = 2, limit = Number.POSITIVE_INFINITY, signal } = options
  const name = registryName(registry)
  return await withPlaces(options, [`${name}/any`], undefined, async (places) => {
    const found = await listImages(places, name, { repositories, tags }, signal)
    let left = limit
    const task = { ...options, take: () => left-- > 0 }
    const images = await parallel(found, concurrency, signal, async (image, signal) => {
      const finished = { image: image.name, ...(await fill(image, { ...task, signal })) }
      options.onImage?.(finished)
      return finished
    })
    const count = (wanted: BackfillImage['state']) => images.filter(({ state }) => state === wanted).length
    const [done, pending, skipped, failed] = [count('done'), count('pending'), count('skipped'), count('failed')]
    return { registry: name, images, done, pending, skipped, failed }
  })
}

interface FillTask extends BackfillOptions {
  /** Whether one more may be converted. */
  readonly take: () => boolean
}

async function fill(image: RegistryTag, task: FillTask): Promise<Omit<BackfillImage, 'image'>> {
  const { signal, minLayerSize } = task
  const { store } = image.place
  try {
    const reason = await reasonToSkip(image, task)
    if (reason !== undefined) return { state: 'skipped', reason }
    if (task.dryRun) return { state: 'pending', reason: 'dry run' }
    if (!task.take()) return { state: 'pending', reason: `the limit of ${task.limit} was reached` }
    const settings = { minLayerSize, requireIndex: true, signal }
    const source = { store, reference: image.tag }
    const { destination, digest } = await convert(source, { store, reference: sociTag(image.tag) }, settings)
    return { state: 'done', destination: `${destination}@${digest}` }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof ImageError && ['NOT_AN_IMAGE', 'NOTHING_TO_INDEX'].includes(error.code))
      return { state: 'skipped', reason: error.message }
    return { state: 'failed', reason: (error as Error).message }
  }
}

async function reasonToSkip({ place, tag, name }: RegistryTag, task: FillTask): Promise<string | undefined> {
  const { signal, since, minLayerSize } = task
  const { store } = place
  if (REFERRER_TAG.test(tag)) return 'a signature, attestation or list of referrers'
  const tree = await readImageTree(store, await store.resolve(tag, { signal, suggest: false }), name, signal)
  if (isSociEnabled(tree)) return 'SOCI-enabled'
  const layers = tree.entries.flatMap(({ kind, manifest }) => (kind === 'image' ? (manifest!.layers ?? []) : []))
  if (!layers.some(({ mediaType }) => isLayerType(mediaType))) return 'not a container image'
  const destination = sociTag(tag)
  if (destination.length > MAX_TAG) return `the tag has ${tag.length} characters: no room to append -soci`
  if (since !== undefined && (await createdBefore(store, tree, since, signal)))
    return `created before ${since.toISOString()}`
  const top = await store.resolve(destination, { signal, suggest: false }).catch((error) => {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (top === undefined) return undefined
  const former = await readImageTree(store, top, `${name}-soci`, signal).catch((error) => {
    if (error instanceof ImageError) return undefined
    throw error
  })
  if (former === undefined || !isSociEnabled(former)) return `${destination} is another image: it is not overwritten`
  const options = { minLayerSize, signal }
  const { matches } = await checkConverted({ store, reference: tag }, { store, reference: destination }, options)
  return matches ? 'has an index' : undefined
}

/** Whether every platform's config says so. */
async function createdBefore(store: Store, tree: ImageTree, since: Date, signal: AbortSignal | undefined) {
  for (const { kind, manifest } of tree.entries) {
    if (kind !== 'image') continue
    const config: unknown = JSON.parse(new TextDecoder().decode(await readContent(store, manifest!.config, { signal })))
    const created = Date.parse(String((config as { readonly created?: unknown } | null)?.created))
    if (!(created < since.getTime())) return false
  }
  return true
}

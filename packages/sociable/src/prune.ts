import type { Descriptor, Store } from '@sociable/oci'
import type { ImageTree } from './image/image-tree.js'
import type { CallOptions, RegistryAccess } from './options.js'
import { parallel } from './parallel.js'
import { withPlaces } from './places/location.js'
import { listImages, matchesAny, type RegistryTag, registryName } from './places/registry-images.js'
import { type Candidate, type Judgement, judge } from './pruning/origin.js'
import { listedIn, resolveTags } from './pruning/references.js'
import { IMAGE_MANIFEST_DIGEST, INDEX_DIGEST } from './soci/soci-index.js'
import { originTag, SOCI_TAG } from './soci/soci-tag.js'

export interface PruneOptions extends CallOptions, RegistryAccess {
  /** Patterns of repository names; `*` is any text. @default all */
  readonly repositories?: readonly string[] | undefined
  /** Patterns of tags, with or without what the template adds; `*` is any text. @default all */
  readonly tags?: readonly string[] | undefined
  /** How the tags of SOCI-enabled images are made of their origins'. @default '{tag}-soci', as `convert` and `backfill` */
  readonly sociTag?: string | undefined
  /**
   * Only images that were pushed before this time; if the origin is another image now, that one too. Registries other than Amazon ECR do not tell, and all
   * images are kept. @default any
   */
  readonly olderThan?: Date | undefined
  /** Delete. @default false: only report what would be deleted */
  readonly delete?: boolean | undefined
  /** Images compared at once. @default 4 */
  readonly concurrency?: number | undefined
}

export interface PrunedImage {
  readonly image: string
  readonly digest?: string
  /** `stale`: it would be deleted. */
  readonly state: 'deleted' | 'stale' | 'kept' | 'failed'
  readonly reason: string
  /** When it, or the other image that its origin is now, was pushed last (ISO 8601), where that is known. */
  readonly pushedAt?: string
  /** Digests that are deleted with it, or would be: its own, and those of its manifests and SOCI indexes that no other tag uses. */
  readonly manifests: readonly string[]
}

export interface PruneResult {
  readonly registry: string
  /** Every SOCI tag that the patterns match, by repository and tag. */
  readonly images: readonly PrunedImage[]
  readonly deleted: number
  readonly stale: number
  readonly kept: number
  readonly failed: number
}

/**
 * Finds SOCI-enabled images whose origin, the tag that they were made of, is gone or is another image now, and deletes them if `delete` is set. An image without a
 * SOCI index (v2) is never deleted, nor one that another tag names or lists. What uses an image outside of the registry does not show: a task that
 * runs it, or a task definition.
 * @param registry `host` or `host:port`
 * @throws StoreError where the repositories cannot be listed; ImageReferenceError; TypeError for a bad template
 * @example
 * const { images } = await prune('registry.example', { repositories: ['app/*'] })
 */
export async function prune(registry: string, options: PruneOptions = {}): Promise<PruneResult> {
  const { repositories = [], signal } = options
  const name = registryName(registry)
  originTag('', options.sociTag ?? SOCI_TAG) // refuses a bad template before anything is asked
  return await withPlaces(options, [`${name}/any`], undefined, async (places) => {
    const images: PrunedImage[] = []
    const all = await listImages(places, name, { repositories, tags: [] }, signal)
    for (const store of new Set(all.map(({ place }) => place.store)))
      images.push(
        ...(await pruneRepository(
          all.filter(({ place }) => place.store === store),
          options,
        )),
      )
    const count = (wanted: PrunedImage['state']) => images.filter(({ state }) => state === wanted).length
    const [deleted, stale, kept, failed] = [count('deleted'), count('stale'), count('kept'), count('failed')]
    return { registry: name, images, deleted, stale, kept, failed }
  })
}

interface Judged extends Omit<Judgement, 'state' | 'digest'> {
  readonly candidate: Candidate
  readonly digest?: string
  readonly state: PrunedImage['state']
}

async function pruneRepository(all: readonly RegistryTag[], options: PruneOptions): Promise<PrunedImage[]> {
  const { concurrency = 4, olderThan, signal } = options
  const candidates = candidatesOf(all, options)
  const judged = await parallel(candidates, concurrency, signal, async (candidate, signal): Promise<Judged> => {
    try {
      return { candidate, ...(await judge(candidate, { olderThan, signal })) }
    } catch (error) {
      return failed({ candidate, state: 'failed', reason: '' }, error, signal)
    }
  })
  if (!judged.some(({ state }) => state === 'stale')) return judged.map((one) => describe(one, []))
  const { store } = all[0]!.place
  const tagNames = all.map(({ tag }) => tag)
  let found: Uses
  try {
    found = await findUses(store, tagNames, judged, signal)
  } catch (error) {
    return judged.map((one) => describe(one.state === 'stale' ? failed(one, error, signal) : one, []))
  }
  const { settled, parts } = found
  if (!options.delete) return settled.map((one) => describe(one, parts(one)))

  const ends = new Map<string, readonly string[] | Error>()
  for (const one of settled) {
    if (one.state !== 'stale' || ends.has(one.digest!)) continue
    try {
      await store.delete!(await store.resolve(one.digest!, { signal }), { signal })
      ends.set(one.digest!, [one.digest!])
    } catch (error) {
      signal?.throwIfAborted()
      ends.set(one.digest!, error as Error)
    }
  }
  const images: PrunedImage[] = []
  for (const one of settled) {
    const end = one.state === 'stale' ? ends.get(one.digest!) : undefined
    if (end === undefined) images.push(describe(one, []))
    else if (end instanceof Error) images.push(describe(failed(one, end, signal), []))
    else {
      const { deleted, problem } = await deleteParts(one, tagNames, signal)
      const reason = problem === undefined ? one.reason : `${one.reason}; its manifests are left: ${problem}`
      images.push(describe({ ...one, state: 'deleted', reason }, [one.digest!, ...deleted]))
    }
  }
  return images
}

function candidatesOf(all: readonly RegistryTag[], { tags = [], sociTag = SOCI_TAG }: PruneOptions): Candidate[] {
  const listed = new Set(all.map(({ tag }) => tag))
  return all.flatMap((image) => {
    const origin = originTag(image.tag, sociTag)
    if (origin === undefined || !(matchesAny(image.tag, tags) || matchesAny(origin, tags))) return []
    return { ...image, origin, originListed: listed.has(origin) }
  })
}

interface Uses {
  /** Those that other tags use are kept. */
  readonly settled: readonly Judged[]
  /** What goes with it. */
  readonly parts: (one: Judged) => readonly string[]
}

async function findUses(
  store: Store,
  tagNames: readonly string[],
  judged: readonly Judged[],
  signal: AbortSignal | undefined,
): Promise<Uses> {
  const tags = await resolveTags(store, tagNames, signal)
  const stale = new Set(judged.flatMap(({ state, candidate }) => (state === 'stale' ? candidate.tag : [])))
  const others = new Map<string, string>()
  for (const [tag, { digest }] of tags) if (!stale.has(tag)) others.set(digest, tag)
  const going = new Set(
    judged.flatMap(({ state, digest }) => (state === 'stale' && !others.has(digest!) ? digest! : [])),
  )
  const staying = new Map([...tags].filter(([, { digest }]) => !going.has(digest)))
  const listed = await listedIn(store, staying, signal)
  const settled = judged.map((one): Judged => {
    if (one.state !== 'stale') return one
    const [tag, index] = [others.get(one.digest!), listed.get(one.digest!)]
    if (tag !== undefined) return { ...one, state: 'kept', reason: `${one.reason}, but ${tag} is the same image` }
    if (index !== undefined) return { ...one, state: 'kept', reason: `${one.reason}, but ${index} lists it` }
    return one
  })
  const named = new Set([...staying.values()].map(({ digest }) => digest))
  const parts = ({ state, digest, tree }: Judged): readonly string[] =>
    state === 'stale'
      ? [
          digest!,
          ...partsOf(tree).flatMap((part) => (listed.has(part.digest) || named.has(part.digest) ? [] : part.digest)),
        ]
      : []
  return { settled, parts }
}

/** What a conversion makes besides the image index: SOCI indexes, and the manifests that name them. The rest may be the origin's. */
function partsOf(tree: ImageTree | undefined): readonly Descriptor[] {
  const parts = (tree?.index?.manifests ?? []).filter(
    ({ annotations }) => annotations?.has(INDEX_DIGEST) || annotations?.has(IMAGE_MANIFEST_DIGEST),
  )
  return [...new Map(parts.map((part) => [part.digest, part])).values()]
}

/** Looks again at what the tags use now: a conversion that began since may share a manifest. */
async function deleteParts(
  { candidate, tree }: Judged,
  tagNames: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ readonly deleted: readonly string[]; readonly problem?: string }> {
  const { store } = candidate.place
  const deleted: string[] = []
  try {
    const names = new Set(tagNames)
    for await (const tag of store.tags({ signal })) names.add(tag)
    const tags = await resolveTags(store, [...names], signal)
    const listed = await listedIn(store, tags, signal)
    const named = new Set([...tags.values()].map(({ digest }) => digest))
    for (const part of partsOf(tree)) {
      if (listed.has(part.digest) || named.has(part.digest)) continue
      await store.delete!(part, { signal })
      deleted.push(part.digest)
    }
    return { deleted }
  } catch (error) {
    signal?.throwIfAborted()
    return { deleted, problem: (error as Error).message }
  }
}

function failed(one: Judged, error: unknown, signal: AbortSignal | undefined): Judged {
  signal?.throwIfAborted()
  return { ...one, state: 'failed', reason: (error as Error).message }
}

function describe({ candidate, digest, state, reason, pushedAt }: Judged, manifests: readonly string[]): PrunedImage {
  return {
    image: candidate.name,
    ...(digest !== undefined && { digest }),
    state,
    reason,
    ...(pushedAt !== undefined && { pushedAt: pushedAt.toISOString() }),
    manifests,
  }
}

// Whether a SOCI-enabled image is of the image that it was made of.
import { type Descriptor, resolveIfThere, type Store } from '@sociable/oci'
import { ImageError } from '../error.js'
import { type ImageTree, isSociEnabled, readImageTree } from '../image/image-tree.js'
import { withoutStartLayers } from '../image/start-layer-mark.js'
import type { RegistryTag } from '../places/registry-images.js'

/** A tag whose image is to be compared with its origin's. */
export interface Candidate extends RegistryTag {
  /** The tag that it was made of. */
  readonly origin: string
  /** Whether the registry lists that tag. */
  readonly originListed: boolean
}

export interface Judgement {
  readonly state: 'kept' | 'stale'
  readonly reason: string
  readonly digest: string
  /** When the image, or the other image that its origin is now, was pushed last, where the registry tells. */
  readonly pushedAt?: Date
  readonly tree?: ImageTree
}

export interface JudgeOptions {
  /** Only images that were pushed before this time are stale. */
  readonly olderThan: Date | undefined
  readonly signal: AbortSignal
}

/** Compares the configs of all platforms, without start layers. What is not clear is kept. @throws StoreError */
export async function judge(candidate: Candidate, { olderThan, signal }: JudgeOptions): Promise<Judgement> {
  const { tag, origin, originListed, place } = candidate
  const { store } = place
  const top = await store.resolve(tag, { signal, suggest: false })
  const kept = (reason: string): Judgement => ({ state: 'kept', reason, digest: top.digest })
  const tree = await readTree(store, top, tag, signal)
  if (typeof tree === 'string') return kept(tree)
  if (!isSociEnabled(tree)) return kept('it has no SOCI index (v2)')
  const other = await resolveIfThere(store, origin, signal)
  if (other === undefined && originListed) return kept(`${origin} is listed, but cannot be read`)
  const from = other && (await readTree(store, other, origin, signal))
  if (typeof from === 'string') return kept(from)
  if (from !== undefined && (await isOf(store, tree, from, signal))) return kept(`it is of ${origin}`)

  const reason = other === undefined ? `${origin} is gone` : `${origin} is another image`
  const times = await Promise.all([top, other].map((one) => one && store.pushedAt?.(one, { signal })))
  const known = times.filter((time) => time !== undefined)
  const pushedAt = known.length === 0 ? undefined : new Date(Math.max(...known.map((time) => time.getTime())))
  const stale: Judgement = { state: 'stale', reason, digest: top.digest, tree, ...(pushedAt && { pushedAt }) }
  if (olderThan === undefined) return stale
  if (pushedAt === undefined) return { ...stale, ...kept(`${reason}; the registry does not tell when it was pushed`) }
  if (pushedAt >= olderThan) return { ...stale, ...kept(`${reason}; pushed after ${olderThan.toISOString()}`) }
  return stale
}

/** Whether every platform's image is one of the origin's. */
async function isOf(store: Store, tree: ImageTree, from: ImageTree, signal: AbortSignal): Promise<boolean> {
  const configs = async (image: ImageTree): Promise<string[]> => {
    const { entries } = (await withoutStartLayers(store, image, signal)).tree
    return entries.flatMap(({ kind, manifest }) => (kind === 'image' ? manifest!.config.digest : []))
  }
  const wanted = new Set(await configs(from))
  return (await configs(tree)).every((config) => wanted.has(config))
}

/** A string says why there is none. */
async function readTree(store: Store, top: Descriptor, tag: string, signal: AbortSignal): Promise<ImageTree | string> {
  try {
    return await readImageTree(store, top, tag, signal)
  } catch (error) {
    if (error instanceof ImageError) return error.message
    throw error
  }
}

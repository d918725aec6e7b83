// What the tags of a repository name, and what these images list.
import {
  type Descriptor,
  decodeIndex,
  isIndexType,
  readContent,
  resolveIfThere,
  type Store,
  StoreError,
} from '@sociable/oci'
import { parallel } from '../parallel.js'

const READS_AT_ONCE = 8
/** Indexes within indexes; more are refused, so that no index leads nowhere. */
const DEPTH = 8

/** Digests by tag; a tag that goes meanwhile is left out. @throws StoreError */
export async function resolveTags(
  store: Store,
  tags: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Descriptor>> {
  const found = await parallel(tags, READS_AT_ONCE, signal, (tag, signal) => resolveIfThere(store, tag, signal))
  return new Map(tags.flatMap((tag, i) => (found[i] === undefined ? [] : [[tag, found[i]] as const])))
}

/** By digest of what an image index lists: a tag of that index. @throws StoreError, ManifestError */
export async function listedIn(
  store: Store,
  tags: ReadonlyMap<string, Descriptor>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const listed = new Map<string, string>()
  const read = new Set<string>()
  const follow = async (top: Descriptor, tag: string, depth: number): Promise<void> => {
    if (!isIndexType(top.mediaType) || read.has(top.digest)) return
    read.add(top.digest)
    if (depth === DEPTH) throw new StoreError('PROTOCOL', `${tag} has more than ${DEPTH} image indexes in each other`)
    const bytes = await contentIfThere(store, top, signal)
    const { manifests = [] } = bytes === undefined ? {} : decodeIndex(bytes, top.digest)
    for (const child of manifests) {
      if (!listed.has(child.digest)) listed.set(child.digest, tag)
      await follow(child, tag, depth + 1)
    }
  }
  await parallel([...tags], READS_AT_ONCE, signal, ([tag, top]) => follow(top, tag, 0))
  return listed
}

/** A copied index may list what was not copied. */
async function contentIfThere(store: Store, top: Descriptor, signal: AbortSignal | undefined) {
  try {
    return await readContent(store, top, { signal })
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

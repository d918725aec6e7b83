import type { Descriptor } from './document/descriptor.js'
import { StoreError } from './error.js'
import type { CallOptions, Content, Store } from './store.js'

/** The largest manifest, index or config that is read into memory: 32 MiB, some 100,000 descriptors. */
export const DOCUMENT_LIMIT = 32 << 20

/**
 * A small content whole, verified.
 * @throws StoreError, PROTOCOL where its descriptor has more than `limit` bytes
 */
export async function readContent(
  store: Pick<Store, 'name' | 'fetch'>,
  descriptor: Descriptor,
  {
    signal,
    limit = DOCUMENT_LIMIT,
  }: CallOptions & {
    /** Bytes. @default DOCUMENT_LIMIT */
    readonly limit?: number | undefined
  } = {},
): Promise<Uint8Array> {
  if (descriptor.size > limit)
    throw new StoreError(
      'PROTOCOL',
      `${store.name}: ${descriptor.digest} has ${descriptor.exactSize ?? descriptor.size} bytes, more than the limit of ${limit}`,
    )
  const chunks: Uint8Array[] = []
  for await (const chunk of store.fetch(descriptor, { signal })) chunks.push(chunk)
  return joinChunks(chunks)
}

/**
 * What a tag or digest names; undefined where there is nothing of that name.
 * @throws StoreError other than NOT_FOUND
 */
export async function resolveIfThere(
  store: Pick<Store, 'resolve'>,
  reference: string,
  signal?: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  try {
    return await store.resolve(reference, { signal, suggest: false })
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const joined = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.length
  }
  return joined
}

/** Bytes, or chunks of them, as chunks. */
export function contentChunks(content: Content): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return content instanceof Uint8Array ? [content] : content
}

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { measuring } from '../document/digest.js'
import type { Exchange } from './exchange.js'
import type { ServedStore } from './repositories.js'

/** Bytes that a reader who does not read keeps in memory, about three times: there may be hundreds. */
const PIECE = 64 << 10

/** Sends bytes [start, end) of the content with that digest as the answer's body. They are not hashed: clients verify blobs, and a range cannot be verified. */
export async function sendContent(
  store: ServedStore,
  { digest, size }: { readonly digest: string; readonly size: number },
  { start, end }: { readonly start: number; readonly end: number },
  { response, signal }: Exchange,
): Promise<void> {
  const descriptor = { mediaType: '', digest, size }
  const local = await store.locate?.(descriptor)
  if (local === undefined || start === end) {
    await pipeline(store.fetch(descriptor, { start, end, verify: false, signal }), response)
    return
  }
  const { path, offset } = local
  const file = createReadStream(path, { start: offset + start, end: offset + end - 1, highWaterMark: PIECE, signal })
  await pipeline(measuring({ ...descriptor, size: end - start }, file, path), response)
}

/** Chunks of packed bytes grow from one to the other, with what there is in all. */
const MIN_CHUNK_SIZE = 2 ** 12
const MAX_CHUNK_SIZE = 2 ** 20

/** The next chunk, with room for `needed` bytes, where `size` bytes are there already. */
export function newChunk(needed: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Math.max(needed, MIN_CHUNK_SIZE, Math.min(size, MAX_CHUNK_SIZE)))
}

/** Bytes [start, end) of a chunk: a view, or a copy where the view would hold on to memory that is mostly unused. */
export function trimmed(chunk: Uint8Array, start: number, end: number): Uint8Array {
  return end - start < chunk.length * 0.875 ? chunk.slice(start, end) : chunk.subarray(start, end)
}

/** Whole, in odd pieces, and byte by byte. */
export const PIECE_SIZES: readonly number[] = [Number.POSITIVE_INFINITY, 97, 1]

/** Pieces of `size` bytes; each is overwritten when the next one is asked for, as a view of memory that is used again would be. */
export function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Uint8Array.from(bytes.subarray(at, at + size))
    yield piece
    piece.fill(0xee)
  }
}

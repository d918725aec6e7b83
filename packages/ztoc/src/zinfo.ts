/** The deflate history that a checkpoint keeps. */
export const WINDOW_SIZE = 32768
/** have, span_size */
export const GZIP_ZINFO_HEADER_SIZE = 4 + 8
/** in, out, bits, window */
export const PACKED_CHECKPOINT_SIZE = 8 + 8 + 1 + WINDOW_SIZE

export function encodeTarZinfo(spanSize: number, size: number): Uint8Array {
  throw new Error(`not there yet: ${spanSize} ${size}`)
}

/** The 12 bytes before a gzip layer's packed checkpoints. */
export function gzipZinfoHeader(count: number, spanSize: number): Uint8Array {
  const bytes = new Uint8Array(GZIP_ZINFO_HEADER_SIZE)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, count, true)
  view.setBigInt64(4, BigInt(spanSize), true)
  return bytes
}

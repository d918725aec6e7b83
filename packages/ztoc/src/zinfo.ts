import { FlatBufferWriter } from './flatbuffer-writer.js'

/** The deflate history that a checkpoint keeps. */
export const WINDOW_SIZE = 32768
/** have, span_size */
export const GZIP_ZINFO_HEADER_SIZE = 4 + 8
/** in, out, bits, window */
export const PACKED_CHECKPOINT_SIZE = 8 + 8 + 1 + WINDOW_SIZE

/** The 12 bytes before a gzip layer's packed checkpoints (zinfo_to_blob of the reference's gzip_zinfo.c). */
export function gzipZinfoHeader(count: number, spanSize: number): Uint8Array {
  const bytes = new Uint8Array(GZIP_ZINFO_HEADER_SIZE)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, count, true)
  view.setBigInt64(4, BigInt(spanSize), true)
  return bytes
}

/** The zinfo of an uncompressed layer: the FlatBuffer TarZinfo (tar_zinfo.go), whose spans are `spanSize` bytes each. */
export function encodeTarZinfo(spanSize: number, size: number): Uint8Array {
  const writer = new FlatBufferWriter()
  writer.startTable(3)
  writer.addInt32(0, 2) // version
  writer.addInt64(1, spanSize)
  writer.addInt64(2, size)
  const { pieces } = writer.finish(writer.endTable())
  return pieces[0] as Uint8Array
}

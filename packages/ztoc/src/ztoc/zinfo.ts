import { ZtocFormatError } from '../error.js'
import { fromBits } from '../tar/int64.js'
import { FlatBufferReader } from './flatbuffer-reader.js'
import { FlatBufferWriter } from './flatbuffer-writer.js'
import type { Checkpoint } from './toc.js'
import { TAR_ZINFO, TAR_ZINFO_FIELDS } from './ztoc-schema.js'

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
  writer.startTable(TAR_ZINFO_FIELDS)
  writer.addInt32(TAR_ZINFO.version, 2)
  writer.addInt64(TAR_ZINFO.spanSize, spanSize)
  writer.addInt64(TAR_ZINFO.size, size)
  const { pieces } = writer.finish(writer.endTable())
  return pieces[0] as Uint8Array
}

export function decodeTarZinfo(bytes: Uint8Array): { readonly spanSize: number; readonly size: number } {
  const reader = new FlatBufferReader(bytes)
  const root = reader.root()
  const number = (field: number): number => {
    const at = reader.field(root, field)
    return at === 0 ? 0 : Number(reader.int64(at))
  }
  return { spanSize: number(TAR_ZINFO.spanSize), size: number(TAR_ZINFO.size) }
}

export interface GzipZinfo {
  readonly spanSize: number
  readonly count: number
  checkpoint(index: number): Checkpoint
}

/**
 * Decodes the zinfo of a gzip layer. Its length tells its version: 2 has all checkpoints, 1 lacks the first, which is then after a gzip
 * header of 10 bytes (blob_to_zinfo of the reference's gzip_zinfo.c). Throws ZtocFormatError ZTOC_INVALID for any other length.
 */
export function decodeGzipZinfo(bytes: Uint8Array): GzipZinfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = bytes.length < GZIP_ZINFO_HEADER_SIZE ? 0 : view.getInt32(0, true)
  const packed = (bytes.length - GZIP_ZINFO_HEADER_SIZE) / PACKED_CHECKPOINT_SIZE
  if (count < 1 || (packed !== count && packed !== count - 1)) {
    throw new ZtocFormatError(
      'ZTOC_INVALID',
      `the zTOC's checkpoints have ${bytes.length} bytes, its ${count} checkpoints need ${GZIP_ZINFO_HEADER_SIZE + count * PACKED_CHECKPOINT_SIZE} (or one fewer)`,
    )
  }
  const int64 = (at: number): number => Number(fromBits(view.getUint32(at, true), view.getInt32(at + 4, true)))
  const implied = count - packed
  return {
    spanSize: int64(4),
    count,
    checkpoint(index) {
      if (index < implied) return { in: 10, out: 0, bits: 0, window: new Uint8Array(WINDOW_SIZE) }
      const at = GZIP_ZINFO_HEADER_SIZE + (index - implied) * PACKED_CHECKPOINT_SIZE
      const window = at + 8 + 8 + 1
      return {
        in: int64(at),
        out: int64(at + 8),
        bits: view.getUint8(at + 8 + 8),
        window: bytes.subarray(window, window + WINDOW_SIZE),
      }
    },
  }
}

import { createHash } from 'node:crypto'
import type { Compression, EncodedZtoc } from '../types.js'
import { FlatBufferWriter } from './flatbuffer-writer.js'
import { formatTime, MAX_TIME_LENGTH } from './mod-time.js'
import { FILE_TYPES, type RecordCursor, type TocRecords } from './toc-records.js'
import {
  COMPRESSION_INFO,
  COMPRESSION_INFO_FIELDS,
  FILE,
  FILE_FIELDS,
  GZIP,
  TOC,
  TOC_FIELDS,
  UNCOMPRESSED,
  XATTR,
  XATTR_FIELDS,
  ZTOC,
  ZTOC_FIELDS,
} from './ztoc-schema.js'

export { MAX_ZTOC_SIZE } from './ztoc-schema.js'

/** The only version there is. */
const VERSION = '0.9'
const DIGEST_SIZE = 32

export interface ZtocInput {
  readonly buildTool: string
  readonly compression: Compression
  /** The layer's size in bytes. */
  readonly compressedSize: number
  /** The tar reader's position at the tar's end. */
  readonly uncompressedSize: number
  /** They are used up. */
  readonly records: TocRecords
  /** The zinfo blob in pieces; they become pieces of the zTOC, without a copy. */
  readonly checkpoints: readonly Uint8Array[]
  /** The sha256 of each span, 32 bytes each, one after the other. */
  readonly spanDigests: Uint8Array
}

/**
 * Makes a zTOC that is byte for byte the reference's (ztoc_marshaler.go): the FlatBuffer's objects in the order in which it makes them,
 * with its tables and fields (ztoc.fbs). Throws LayerFormatError LIMIT_EXCEEDED where it would be larger than MAX_ZTOC_SIZE.
 */
export function encodeZtoc(input: ZtocInput): EncodedZtoc {
  const writer = new FlatBufferWriter()
  const text = (value: string): number => {
    const bytes = new TextEncoder().encode(value)
    return writer.string(bytes, 0, bytes.length)
  }
  const version = text(VERSION)
  const buildTool = text(input.buildTool)
  const toc = writeToc(writer, input.records)
  const info = writeCompressionInfo(writer, input)

  writer.startTable(ZTOC_FIELDS)
  writer.addOffset(ZTOC.version, version)
  writer.addOffset(ZTOC.buildTool, buildTool)
  writer.addOffset(ZTOC.toc, toc)
  writer.addInt64(ZTOC.compressedSize, input.compressedSize)
  writer.addInt64(ZTOC.uncompressedSize, input.uncompressedSize)
  writer.addOffset(ZTOC.compressionInfo, info)
  const { size, pieces } = writer.finish(writer.endTable())

  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return { size, digest: `sha256:${hash.digest('hex')}`, pieces }
}

function writeToc(writer: FlatBufferWriter, records: TocRecords): number {
  const { count } = records
  const positions = new Uint32Array(count)
  const types = FILE_TYPES.map((type) => new TextEncoder().encode(type))
  const time = new Uint8Array(MAX_TIME_LENGTH)
  let index = count
  for (const record of records.drain()) positions[--index] = writeFile(writer, record, types, time)
  const metadata = writer.vector(count, (i) => positions[i] as number)
  writer.startTable(TOC_FIELDS)
  writer.addOffset(TOC.metadata, metadata)
  return writer.endTable()
}

function writeFile(
  writer: FlatBufferWriter,
  record: RecordCursor,
  types: readonly Uint8Array[],
  time: Uint8Array,
): number {
  const { bytes } = record
  const linknameStart = record.nameStart + record.nameLength
  const unameStart = linknameStart + record.linknameLength
  const gnameStart = unameStart + record.unameLength
  const paxStart = gnameStart + record.gnameLength
  const typeText = types[record.type] as Uint8Array

  const name = writer.string(bytes, record.nameStart, linknameStart)
  const type = writer.string(typeText, 0, typeText.length)
  const linkname = writer.string(bytes, linknameStart, unameStart)
  const uname = writer.string(bytes, unameStart, gnameStart)
  const gname = writer.string(bytes, gnameStart, paxStart)
  const modTime = writer.string(time, 0, formatTime(record.seconds, record.nanoseconds, time))
  const xattrs = writePax(writer, record, paxStart)

  writer.startTable(FILE_FIELDS)
  writer.addOffset(FILE.name, name)
  writer.addOffset(FILE.type, type)
  writer.addInt64(FILE.offset, record.offset)
  writer.addInt64(FILE.size, record.size)
  writer.addOffset(FILE.linkname, linkname)
  writer.addInt64(FILE.mode, record.mode)
  writer.addInt32(FILE.uid, record.uid)
  writer.addInt32(FILE.gid, record.gid)
  writer.addOffset(FILE.uname, uname)
  writer.addOffset(FILE.gname, gname)
  writer.addOffset(FILE.modTime, modTime)
  writer.addInt64(FILE.devmajor, record.devmajor)
  writer.addInt64(FILE.devminor, record.devminor)
  writer.addOffset(FILE.xattrs, xattrs)
  return writer.endTable()
}

function writePax(writer: FlatBufferWriter, record: RecordCursor, start: number): number {
  const count = record.paxCount
  if (count === 0) return writer.vector(0, () => 0)
  const positions = new Uint32Array(count)
  let at = start
  for (let i = 0; i < count; i++) {
    const keyStart = at + 8
    const valueStart = keyStart + record.uint32(at)
    const end = valueStart + record.uint32(at + 4)
    const key = writer.string(record.bytes, keyStart, valueStart)
    const value = writer.string(record.bytes, valueStart, end)
    writer.startTable(XATTR_FIELDS)
    writer.addOffset(XATTR.key, key)
    writer.addOffset(XATTR.value, value)
    positions[i] = writer.endTable()
    at = end
  }
  return writer.vector(count, (i) => positions[i] as number)
}

function writeCompressionInfo(writer: FlatBufferWriter, input: ZtocInput): number {
  const checkpoints = writer.byteVector(input.checkpoints)
  const spans = input.spanDigests.length / DIGEST_SIZE
  const positions = new Uint32Array(spans)
  for (let i = 0; i < spans; i++) {
    const digest = Buffer.from(input.spanDigests.buffer, input.spanDigests.byteOffset + i * DIGEST_SIZE, DIGEST_SIZE)
    const text = Buffer.from(`sha256:${digest.toString('hex')}`, 'latin1')
    positions[i] = writer.string(text, 0, text.length)
  }
  const spanDigests = writer.vector(spans, (i) => positions[i] as number)

  writer.startTable(COMPRESSION_INFO_FIELDS)
  writer.addInt32(COMPRESSION_INFO.maxSpanId, spans - 1)
  writer.addOffset(COMPRESSION_INFO.spanDigests, spanDigests)
  writer.addOffset(COMPRESSION_INFO.checkpoints, checkpoints)
  writer.addInt8(COMPRESSION_INFO.algorithm, input.compression === 'gzip' ? GZIP : UNCOMPRESSED, GZIP)
  return writer.endTable()
}

import { ZtocFormatError } from '../error.js'
import { FlatBufferReader } from './flatbuffer-reader.js'
import { LazyList } from './lazy-list.js'
import type { Checkpoint, Toc } from './toc.js'
import { TocFiles } from './toc-files.js'
import { decodeGzipZinfo, decodeTarZinfo } from './zinfo.js'
import { COMPRESSION_INFO, GZIP, TOC, UNCOMPRESSED, ZTOC } from './ztoc-schema.js'

const DIGEST = /^sha256:[0-9a-f]{64}$/

/**
 * Decodes a zTOC that the reference or this package made, with any version of its zinfo. All of it is checked here (each position is within
 * `bytes`, spans, checkpoints and digests agree in number and order), but items are made only when asked for. `bytes` is kept and must
 * not be changed. That entries may claim sizes and offsets that the layer does not have is found when they are read.
 *
 * Throws ZtocFormatError ZTOC_INVALID.
 *
 * @example
 * const toc = decodeZtoc(bytes)
 * for (const { name, size } of toc.files) console.log(name, size)
 */
export function decodeZtoc(bytes: Uint8Array): Toc {
  const reader = new FlatBufferReader(bytes)
  const root = reader.root()
  const info = required(reader, root, ZTOC.compressionInfo, 'compression info')
  const tocTable = required(reader, root, ZTOC.toc, 'table of contents')
  const metadata = reader.field(tocTable, TOC.metadata)
  const compressedSize = size(reader, root, ZTOC.compressedSize, 'compressed size')
  const maxSpanId = reader.field(info, COMPRESSION_INFO.maxSpanId)
  const layer = {
    version: text(reader, root, ZTOC.version),
    buildTool: text(reader, root, ZTOC.buildTool),
    compressedSize,
    uncompressedSize: size(reader, root, ZTOC.uncompressedSize, 'uncompressed size'),
    spanCount: (maxSpanId === 0 ? 0 : reader.int32(maxSpanId)) + 1,
    spanDigests: decodeDigests(reader, info),
    files: new TocFiles(reader, metadata === 0 ? 0 : reader.follow(metadata)),
  }
  if (layer.spanDigests.length !== layer.spanCount) {
    throw invalid(`has ${layer.spanCount} spans and ${layer.spanDigests.length} span digests`)
  }

  const algorithm = reader.field(info, COMPRESSION_INFO.algorithm)
  const code = algorithm === 0 ? GZIP : reader.int8(algorithm)
  const zinfo = byteVector(reader, info, COMPRESSION_INFO.checkpoints)
  if (code === GZIP) {
    const { spanSize, count, checkpoint } = decodeGzipZinfo(zinfo)
    if (count !== layer.spanCount) throw invalid(`has ${layer.spanCount} spans and ${count} checkpoints`)
    const checkpoints = new LazyList(count, checkpoint)
    checkOrder(checkpoints, compressedSize)
    return { ...layer, compression: 'gzip', spanSize, checkpoints }
  }
  if (code !== UNCOMPRESSED)
    throw invalid(`has the compression algorithm ${code}; known are 1 (gzip) and 2 (uncompressed)`)
  const { spanSize, size: tarSize } = decodeTarZinfo(zinfo)
  if (tarSize !== compressedSize) throw invalid(`has a layer of ${compressedSize} bytes and spans of ${tarSize} in all`)
  if (!(spanSize > 0) || Math.ceil(tarSize / spanSize) !== layer.spanCount) {
    throw invalid(`has ${layer.spanCount} spans of ${spanSize} bytes for a layer of ${tarSize}`)
  }
  return { ...layer, compression: 'uncompressed', spanSize, checkpoints: new LazyList<Checkpoint>(0, noCheckpoint) }
}

function noCheckpoint(): never {
  throw new RangeError('an uncompressed layer has no checkpoints')
}

function checkOrder(checkpoints: LazyList<Checkpoint>, compressedSize: number): void {
  let [previousIn, previousOut] = [1, 0]
  for (const { in: inOffset, out, bits } of checkpoints) {
    if (!(inOffset >= previousIn && inOffset <= compressedSize && out >= previousOut) || !Number.isSafeInteger(out)) {
      throw invalid(
        `has a checkpoint at ${inOffset} (tar: ${out}) after one at ${previousIn} (tar: ${previousOut}), in a layer of ${compressedSize} bytes`,
      )
    }
    if (bits > 7) throw invalid(`has a checkpoint at ${inOffset} with ${bits} bits of the byte before it`)
    previousIn = inOffset
    previousOut = out
  }
  const first = checkpoints.at(0) as Checkpoint
  if (first.out !== 0) throw invalid(`has its first checkpoint at ${first.out} of the tar, not at its start`)
}

function decodeDigests(reader: FlatBufferReader, info: number): LazyList<string> {
  const at = reader.field(info, COMPRESSION_INFO.spanDigests)
  const vector = at === 0 ? 0 : reader.follow(at)
  const digests = new LazyList(at === 0 ? 0 : reader.length(vector, 4), (index) => {
    const position = reader.follow(vector + 4 + 4 * index)
    const start = position + 4
    // A longer text is none: only as much of it is decoded as shows that.
    return latin1(reader.bytes.subarray(start, start + Math.min(reader.length(position, 1), 72)))
  })
  for (const digest of digests) {
    if (!DIGEST.test(digest)) throw invalid(`has a span digest that is not a sha256: ${JSON.stringify(digest)}`)
  }
  return digests
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

function required(reader: FlatBufferReader, table: number, field: number, what: string): number {
  const at = reader.field(table, field)
  if (at === 0) throw invalid(`has no ${what}`)
  return reader.follow(at)
}

function size(reader: FlatBufferReader, table: number, field: number, what: string): number {
  const at = reader.field(table, field)
  const value = at === 0 ? 0 : reader.int64(at)
  if (typeof value === 'bigint' || value < 0) throw invalid(`has the ${what} ${value}`)
  return value
}

function text(reader: FlatBufferReader, table: number, field: number): string {
  const { buffer, byteOffset, length } = byteVector(reader, table, field)
  return Buffer.from(buffer, byteOffset, length).toString()
}

function byteVector(reader: FlatBufferReader, table: number, field: number): Uint8Array {
  const at = reader.field(table, field)
  if (at === 0) return new Uint8Array(0)
  const vector = reader.follow(at)
  return reader.bytes.subarray(vector + 4, vector + 4 + reader.length(vector, 1))
}

function invalid(what: string): ZtocFormatError {
  return new ZtocFormatError('ZTOC_INVALID', `the zTOC ${what}`)
}

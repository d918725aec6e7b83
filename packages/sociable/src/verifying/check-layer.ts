// A layer's bytes against its digest, and in the same pass against the spans of its zTOCs.
import { createHash, type Hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Descriptor, Store } from '@sociable/oci'
import {
  decodeZtoc,
  type FileEntry,
  indexLayer,
  LayerFormatError,
  readRange,
  spanRange,
  type Toc,
  ZtocFormatError,
} from '@sociable/ztoc'

export interface SpanProblem {
  readonly span: number
  readonly message: string
}

/** One span that is being hashed. Neighbours may have a byte in common. */
interface OpenSpan {
  readonly index: number
  readonly start: number
  readonly end: number
  readonly hash: Hash
}

/**
 * Reads the layer once. The result is what is wrong with its spans, at most ten; that the layer itself is not its digest's is thrown.
 * @throws StoreError DIGEST_MISMATCH, SIZE_MISMATCH, NOT_FOUND
 */
export async function checkSpans(
  store: Store,
  layer: Descriptor,
  toc: Toc | undefined,
  signal: AbortSignal | undefined,
): Promise<SpanProblem[]> {
  const problems: SpanProblem[] = []
  const open: OpenSpan[] = []
  let next = 0
  let at = 0
  for await (const chunk of store.fetch(layer, { reuse: true, signal })) {
    const end = at + chunk.length
    while (toc !== undefined && next < toc.spanCount && spanRange(toc, next).start < end) {
      open.push({ index: next, ...spanRange(toc, next), hash: createHash('sha256') })
      next++
    }
    for (const span of open.splice(0)) {
      span.hash.update(chunk.subarray(Math.max(0, span.start - at), Math.min(chunk.length, span.end - at)))
      if (span.end > end) {
        open.push(span)
        continue
      }
      const digest = `sha256:${span.hash.digest('hex')}`
      const said = toc!.spanDigests.at(span.index)
      if (digest !== said && problems.length < MAX_PROBLEMS)
        problems.push({
          span: span.index,
          message: `span ${span.index} (bytes ${span.start} to ${span.end}) is ${digest}, the zTOC says ${said}`,
        })
    }
    at = end
  }
  if (toc !== undefined && (next < toc.spanCount || open.length > 0) && problems.length < MAX_PROBLEMS)
    problems.push({ span: next, message: `span ${open[0]?.index ?? next} ends after the layer, which has ${at} bytes` })
  return problems
}

const MAX_PROBLEMS = 10

/**
 * Decodes the layer again: whether it has the files that the zTOC lists, where it lists them.
 * @returns what differs; undefined where nothing does
 */
export async function compareFiles(
  store: Store,
  layer: Descriptor,
  toc: Toc,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { spanSize, buildTool, compression } = toc
  const content = store.fetch(layer, { verify: false, reuse: true, signal })
  const made = await indexLayer(content, { spanSize, buildTool, compression, ...(signal !== undefined && { signal }) })
  const own = decodeZtoc(Buffer.concat(made.ztoc.pieces))
  if (own.uncompressedSize !== toc.uncompressedSize)
    return `the tar has ${own.uncompressedSize} bytes, the zTOC says ${toc.uncompressedSize}`
  if (own.files.length !== toc.files.length)
    return `the tar has ${own.files.length} entries, the zTOC lists ${toc.files.length}`
  for (let index = 0; index < own.files.length; index++) {
    const [a, b] = [own.files.at(index)!, toc.files.at(index)!]
    if (factsOf(a) !== factsOf(b)) return `entry ${index + 1}, ${a.name}, is listed as another (${b.name})`
  }
  return undefined
}

/** All that a zTOC says of an entry. */
function factsOf(file: FileEntry): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const { type, offset, size, mode, uid, gid, uname, gname, modTime, devmajor, devminor } = file
  const records = file.paxRecords.map(({ keyBytes, valueBytes }) => [text(keyBytes), text(valueBytes)])
  const names = [text(file.nameBytes), text(file.linknameBytes)]
  return JSON.stringify([names, type, offset, size, mode, uid, gid, uname, gname, modTime, devmajor, devminor, records])
}

/**
 * Whether decoding from each checkpoint gives the bytes that decoding from the layer's start gives.
 * @returns what differs; undefined where nothing does
 * @throws StoreError; LayerFormatError GZIP_CORRUPT where the layer cannot be decompressed
 */
export async function compareCheckpoints(
  store: Store,
  layer: Descriptor,
  toc: Toc,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (toc.compression !== 'gzip') return undefined // its spans are its bytes
  const expected = await hashTar(store, layer, toc.uncompressedSize, signal)
  const found = createHash('sha256')
  const fetchRange = (start: number, end: number) => store.fetch(layer, { start, end, signal })
  try {
    // Each span is decoded from its own checkpoint, and from that only
    for await (const bytes of readRange(toc, 0, toc.uncompressedSize, fetchRange, signal)) found.update(bytes)
  } catch (error) {
    if (error instanceof ZtocFormatError) return `decoding from its checkpoints fails: ${error.message}`
    throw error
  }
  return expected === found.digest('hex')
    ? undefined
    : 'decoding from its checkpoints gives other bytes than decoding from the layer’s start'
}

/** The digest of the first `size` bytes of the layer's tar, by zlib. */
async function hashTar(
  store: Store,
  layer: Descriptor,
  size: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256')
  let left = size
  const update = async (tar: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const bytes of tar) {
      hash.update(bytes.subarray(0, left))
      left = Math.max(0, left - bytes.length)
    }
  }
  try {
    const content = store.fetch(layer, { verify: false, signal })
    await pipeline(content, createGunzip(), update, signal === undefined ? {} : { signal })
  } catch (cause) {
    if (!isZlibError(cause)) throw cause
    throw new LayerFormatError('GZIP_CORRUPT', `it cannot be decompressed: ${cause.message}`, { cause })
  }
  return hash.digest('hex')
}

/** Codes of zlib's own, `Z_DATA_ERROR` and the like. */
function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
}

/**
 * Why a runtime cannot load the zTOC although it can be decoded: the reference's decoder refuses one of whose entries, sorted by offset, the first starts before
 * the end of the one before it (`invalid toc entry`, flatbufferToTOC in ztoc_marshaler.go), and no file can be read that ends after the tar.
 */
export function tocObstacle({ files, uncompressedSize }: Toc): string | undefined {
  const offsets = new Float64Array(files.length)
  const sizes = new Float64Array(files.length)
  for (let i = 0; i < files.length; i++) {
    const { offset, size, name, type } = files.at(i)!
    if (type === 'reg' && offset + size > uncompressedSize)
      return `entry ${JSON.stringify(name)} ends at ${offset + size} of the tar, which has ${uncompressedSize} bytes`
    offsets[i] = offset
    sizes[i] = size
  }
  const order = Uint32Array.from(offsets, (_, i) => i).sort((a, b) => offsets[a]! - offsets[b]!)
  let end = 0
  for (const i of order) {
    if (end > offsets[i]!)
      return `entry ${JSON.stringify(files.at(i)!.name)} starts at ${offsets[i]} of the tar, before the end of the one before it at ${end}`
    end = Math.ceil((offsets[i]! + sizes[i]!) / BLOCK_SIZE) * BLOCK_SIZE
  }
  return undefined
}

/** Of a tar. */
const BLOCK_SIZE = 512

// A layer's bytes against its digest, and in the same pass against the spans of its zTOCs.
import { createHash, type Hash } from 'node:crypto'
import { createGunzip } from 'node:zlib'
import type { Descriptor, Store } from '@sociable/oci'
import { decodeZtoc, type FileEntry, indexLayer, readRange, spanRange, type Toc } from '@sociable/ztoc'

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
 */
export async function compareCheckpoints(
  store: Store,
  layer: Descriptor,
  toc: Toc,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (toc.compression !== 'gzip') return undefined // its spans are its bytes
  const whole = createHash('sha256')
  const gunzip = createGunzip()
  const writing = (async () => {
    for await (const chunk of store.fetch(layer, { verify: false, signal }))
      if (!gunzip.write(chunk)) await drained(gunzip)
    gunzip.end()
  })()
  let left = toc.uncompressedSize
  for await (const bytes of gunzip as AsyncIterable<Uint8Array>) {
    whole.update(bytes.subarray(0, left))
    left = Math.max(0, left - bytes.length)
  }
  await writing
  const bySpans = createHash('sha256')
  const fetchRange = (start: number, end: number) => store.fetch(layer, { start, end, signal })
  for (let span = 0; span < toc.spanCount; span++) {
    const from = toc.checkpoints.at(span)!.out
    const to = Math.min(toc.checkpoints.at(span + 1)?.out ?? toc.uncompressedSize, toc.uncompressedSize)
    if (to <= from) continue
    for await (const bytes of readRange(toc, from, to, fetchRange, signal)) bySpans.update(bytes)
  }
  const [expected, found] = [whole, bySpans].map((hash) => hash.digest('hex'))
  return expected === found
    ? undefined
    : 'decoding from its checkpoints gives other bytes than decoding from the layer’s start'
}

function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('drain', resolve)
    stream.once('error', reject)
  })
}

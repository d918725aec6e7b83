import { createHash } from 'node:crypto'
import { ZtocFormatError } from '../error.js'
import type { FetchRange } from '../types.js'
import { spanRange } from '../ztoc/spans.js'
import type { Toc } from '../ztoc/toc.js'

/** Spans that lie side by side are fetched together up to so many bytes: one request for most files, and a bound on what is held. */
const MAX_FETCH = 16 * 2 ** 20

export interface Span {
  readonly index: number
  /** Its compressed bytes, verified against the zTOC's digest. */
  readonly bytes: Uint8Array
}

/**
 * Fetches the spans `first` to `last`, and gives each when all its bytes are there and have the digest that the zTOC tells. At most one
 * span, or what one call of `fetchRange` gives at once, is held. Throws ZtocFormatError SPAN_DIGEST_MISMATCH.
 */
export async function* fetchSpans(
  toc: Toc,
  first: number,
  last: number,
  fetchRange: FetchRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Span> {
  for (let from = first; from <= last; ) {
    const { start } = spanRange(toc, from)
    let to = from
    while (to < last && spanRange(toc, to + 1).end - start <= MAX_FETCH) to++
    signal?.throwIfAborted()
    yield* splitSpans(toc, from, to, fetchRange(start, spanRange(toc, to).end), signal)
    from = to + 1
  }
}

/** Cuts the bytes of the spans `first` to `last` apart; neighbours may have one byte in common. */
async function* splitSpans(
  toc: Toc,
  first: number,
  last: number,
  source: AsyncIterable<Uint8Array> | Promise<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Span> {
  let index = first
  let { start, end } = spanRange(toc, index)
  let position = start
  let parts: Uint8Array[] = []
  for await (const piece of pieces(source)) {
    signal?.throwIfAborted()
    for (let at = 0; at < piece.length; ) {
      if (index > last)
        throw mismatch(toc, last, `more than the bytes asked for came, up to ${position + piece.length}`)
      const part = piece.subarray(at, at + end - position)
      parts.push(part)
      at += part.length
      position += part.length
      // A span may end where it starts: then the next one ends here too.
      while (index <= last && position === end) {
        const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
        yield { index, bytes: verified(toc, index, bytes) }
        index++
        if (index > last) break
        ;({ start, end } = spanRange(toc, index))
        parts = start < position ? [bytes.subarray(bytes.length - 1)] : []
      }
    }
  }
  if (index <= last) throw mismatch(toc, index, `the bytes ended at ${position}, of [${start}, ${end})`)
}

async function* pieces(source: AsyncIterable<Uint8Array> | Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (Symbol.asyncIterator in source) yield* source
  else yield await source
}

function verified(toc: Toc, index: number, bytes: Uint8Array): Uint8Array {
  const expected = toc.spanDigests.at(index)
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  if (actual !== expected)
    throw mismatch(toc, index, `its ${bytes.length} bytes have the digest ${actual}, not ${expected}`)
  return bytes
}

function mismatch(toc: Toc, index: number, what: string): ZtocFormatError {
  return new ZtocFormatError(
    'SPAN_DIGEST_MISMATCH',
    `span ${index} of ${toc.spanCount} does not match the zTOC: ${what}`,
  )
}

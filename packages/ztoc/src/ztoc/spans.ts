import type { Checkpoint, Toc } from './toc.js'

/**
 * The compressed bytes [start, end) of a span. A span starts one byte before its checkpoint's `in` where some of that byte's bits are
 * its own: the span before has that byte too.
 */
export function spanRange(toc: Toc, span: number): { readonly start: number; readonly end: number } {
  if (!Number.isInteger(span) || span < 0 || span >= toc.spanCount) {
    throw new RangeError(`there is no span ${span}, the zTOC has ${toc.spanCount}`)
  }
  if (toc.compression === 'uncompressed') {
    return { start: span * toc.spanSize, end: Math.min((span + 1) * toc.spanSize, toc.compressedSize) }
  }
  const { in: inOffset, bits } = toc.checkpoints.at(span) as Checkpoint
  return { start: bits === 0 ? inOffset : inOffset - 1, end: toc.checkpoints.at(span + 1)?.in ?? toc.compressedSize }
}

/**
 * The span that has the tar's byte at `offset`, as the reference counts (UncompressedOffsetToSpanID): for gzip never past the last one,
 * for an uncompressed layer one past it where `offset` is its end.
 */
export function spanAt(toc: Toc, offset: number): number {
  if (toc.compression === 'uncompressed') return Math.floor(offset / toc.spanSize)
  let [first, last] = [0, toc.spanCount - 1]
  while (first < last) {
    const middle = Math.ceil((first + last) / 2)
    if ((toc.checkpoints.at(middle) as Checkpoint).out <= offset) first = middle
    else last = middle - 1
  }
  return first
}

/** The first and the last span with any of the tar's bytes [offset, offset + size); `size` must not be 0. */
export function spansOf(toc: Toc, offset: number, size: number): { readonly first: number; readonly last: number } {
  return { first: spanAt(toc, offset), last: spanAt(toc, offset + size - 1) }
}

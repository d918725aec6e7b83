// The prefetch artifact of a layer: spans that a runtime fetches ahead (soci/prefetch.go, soci_index.go buildPrefetchLayer).
import { spanAt, type Toc } from '@sociable/ztoc'

export const PREFETCH_MEDIA_TYPE = 'application/vnd.amazon.soci.prefetch.v1+json'

/** Spans `first` to `last`, both included. */
export interface SpanRange {
  readonly first: number
  readonly last: number
}

/** A path to prefetch as zTOCs name it: spaces around it and leading slashes go, `.` and `..` are resolved. '' for the root, or nothing. */
export function cleanPrefetchPath(path: string): string {
  const parts: string[] = []
  for (const part of path.trim().split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/**
 * The spans of the first entry with exactly this name, from that of its offset to that of its offset + size, so that a file that ends where
 * a span does takes the next one too. Undefined where the layer has no such entry.
 */
export function prefetchSpans(toc: Toc, path: string): SpanRange | undefined {
  const wanted = new TextEncoder().encode(path)
  if (toc.files.find(wanted) === undefined) return undefined // quick: most layers lack the path
  for (const { nameBytes, offset, size } of toc.files) {
    if (Buffer.compare(nameBytes, wanted) !== 0) continue
    const first = spanAt(toc, offset)
    return { first, last: Math.max(first, spanAt(toc, offset + size)) }
  }
  return undefined
}

/** Sorted, and merged where they touch or overlap. */
export function mergeSpans(ranges: readonly SpanRange[]): SpanRange[] {
  const merged: { first: number; last: number }[] = []
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first || a.last - b.last)) {
    const current = merged.at(-1)
    if (current !== undefined && first <= current.last + 1) current.last = Math.max(current.last, last)
    else merged.push({ first, last })
  }
  return merged
}

export function encodePrefetch(ranges: readonly SpanRange[]): Uint8Array {
  const spans = mergeSpans(ranges).map(({ first, last }) => ({ start_span: first, end_span: last }))
  return new TextEncoder().encode(JSON.stringify({ version: '1.0', prefetch_spans: spans }))
}

/** The artifact's spans, or undefined if its bytes are not a prefetch artifact of version 1.0. */
export function decodePrefetch(bytes: Uint8Array): SpanRange[] | undefined {
  let value: { version?: unknown; prefetch_spans?: unknown } | null
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
  if (value?.version !== '1.0' || !Array.isArray(value.prefetch_spans) || value.prefetch_spans.length === 0)
    return undefined
  const ranges = value.prefetch_spans.map((span) => ({ first: Number(span?.start_span), last: Number(span?.end_span) }))
  return ranges.every(({ first, last }) => Number.isInteger(first) && Number.isInteger(last)) ? ranges : undefined
}

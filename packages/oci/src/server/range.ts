export interface ByteRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/**
 * A request's `Range` (RFC 9110, 14.1.2): one range of bytes, open or closed, cut to the content. Several, and what is not understood, mean the
 * whole: a server may always answer with that.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (match === null) return 'whole'
  const [first, last] = [match[1]!, match[2]!]
  if (first === '') {
    if (last === '') return 'whole'
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  // One that ends before it begins could be ignored too; the specification's own tests want it refused.
  if (start >= size || (last !== '' && Number(last) < start)) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** A chunk's `Content-Range: 0-499` (distribution-spec v1.1.1, "Pushing a blob in chunks"); with `bytes` and a size too, as HTTP has it. */
export function parseContentRange(header: string): ByteRange | undefined {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim())
  if (match === null) return undefined
  const range = { start: Number(match[1]), end: Number(match[2]) + 1 }
  return range.end > range.start ? range : undefined
}

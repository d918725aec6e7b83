// Paths of an image are bytes, and need not be UTF-8. As text, each byte that is not part of valid UTF-8 is a lone surrogate, U+DC80 to U+DCFF, as in
// Python's `surrogateescape`: valid UTF-8 never has these, so no two names become one, and the bytes can be restored.

const ESCAPE = 0xdc00
const REPLACEMENT = '\ufffd'
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text for bytes; see above. */
export function decodePath(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return decodeInvalid(bytes)
  }
}

/** The text of a name whose lossy decoding is known: only one with U+FFFD in it can have lost something. */
export function decodeName(lossy: string, bytes: () => Uint8Array): string {
  return lossy.includes(REPLACEMENT) ? decodePath(bytes()) : lossy
}

function decodeInvalid(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length === 0) text += String.fromCharCode(ESCAPE + bytes[at]!)
    else text += strict.decode(bytes.subarray(at, at + length))
    at += Math.max(1, length)
  }
  return text
}

/** Bytes of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || at + length > bytes.length) return 0
  try {
    strict.decode(bytes.subarray(at, at + length))
    return length
  } catch {
    return 0
  }
}

const ESCAPED = /[\udc80-\udcff]/
const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/

/** Whether a path's bytes are not UTF-8. */
export function isRaw(path: string): boolean {
  return ESCAPED.test(path) && LONE.test(path)
}

/** The bytes of a path's text. */
export function encodePath(path: string): Buffer {
  if (!isRaw(path)) return Buffer.from(path)
  const parts: Uint8Array[] = []
  let from = 0
  for (let at = 0; at < path.length; at++) {
    const unit = path.charCodeAt(at)
    if (unit >= 0xd800 && unit < 0xdc00) {
      at++ // a pair
    } else if (unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff) {
      parts.push(Buffer.from(path.slice(from, at)), Uint8Array.of(unit - ESCAPE))
      from = at + 1
    }
  }
  return Buffer.concat([...parts, Buffer.from(path.slice(from))])
}

/** In the order of their bytes. */
export function comparePaths(a: string, b: string): number {
  return Buffer.compare(encodePath(a), encodePath(b))
}

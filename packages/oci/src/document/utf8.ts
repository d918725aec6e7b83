const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Bytes to text as Go converts them: every byte that is not part of a well-formed sequence becomes a U+FFFD of its own (unicode/utf8,
 * DecodeRune), where a browser's decoder makes one of several. A byte order mark stays.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes)
  } catch {
    return decodeBroken(bytes)
  }
}

function decodeBroken(bytes: Uint8Array): string {
  const parts: string[] = []
  let valid = 0
  let at = 0
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at)
    if (length === 0) {
      parts.push(STRICT.decode(bytes.subarray(valid, at)), '\ufffd')
      valid = at + 1
    }
    at += length === 0 ? 1 : length
  }
  parts.push(STRICT.decode(bytes.subarray(valid)))
  return parts.join('')
}

/** The bytes of the well-formed sequence at `at` (Unicode 15, table 3-7), 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const second = bytes[at + 1] ?? 0
  const continues = (offset: number) => ((bytes[at + offset] ?? 0) & 0xc0) === 0x80
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0
  if (first >= 0xe0 && first <= 0xef) {
    const low = first === 0xe0 ? 0xa0 : 0x80
    const high = first === 0xed ? 0x9f : 0xbf // no surrogates
    return second >= low && second <= high && continues(2) ? 3 : 0
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const low = first === 0xf0 ? 0x90 : 0x80
    const high = first === 0xf4 ? 0x8f : 0xbf // nothing past U+10FFFF
    return second >= low && second <= high && continues(2) && continues(3) ? 4 : 0
  }
  return 0
}

/** Orders strings by their UTF-8 bytes, which is the order of their code points: a plain comparison goes by UTF-16 units. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Bytes of a string (UTF-8), of a list of numbers, or the bytes themselves. */
export function bytes(value) {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' ? new TextEncoder().encode(value) : Uint8Array.from(value)
}

/** One byte a character: for names that are no UTF-8. */
export function latin1(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** All parts in one; a part may be a list of parts. */
export function concat(...parts) {
  const flat = (part) => (Array.isArray(part) && typeof part[0] !== 'number' ? part.flatMap(flat) : [bytes(part)])
  return new Uint8Array(Buffer.concat(parts.flatMap(flat)))
}

/** Little-endian number of `size` bytes. */
export function le(value, size) {
  return Uint8Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn))
}

/** Big-endian two's complement of `size` bytes. */
export function be(value, size) {
  return le(BigInt.asUintN(size * 8, BigInt(value)), size).reverse()
}

/** Seeded generator of numbers in [0, 1): same seed, same layers, on every machine (mulberry32). */
export function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** `size` bytes of text-like content that compresses about 3 to 1. */
export function prose(seed, size) {
  const next = random(seed)
  const words = Array.from({ length: 300 }, () =>
    Array.from({ length: 2 + Math.floor(next() * 8) }, () => String.fromCharCode(97 + Math.floor(next() * 26))).join(
      '',
    ),
  )
  let text = ''
  while (text.length < size) {
    text += words[Math.floor(next() * next() * words.length)] + (next() < 0.1 ? '\n' : ' ')
  }
  return bytes(text.slice(0, size))
}

/** `size` bytes that do not compress. */
export function noise(seed, size) {
  const next = random(seed)
  return Uint8Array.from({ length: size }, () => Math.floor(next() * 256))
}

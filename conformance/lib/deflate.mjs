// Deflate by hand: blocks of every kind from tokens, valid or not. Plain layers are packed with it too, so that their bytes
// depend on no tool and no version.
const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
]
const distanceBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]
const codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
export const END = 256

/** The codes of fixed blocks (RFC 1951, 3.2.6). */
export const fixed = {
  literals: codes(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
  distances: codes(Array(30).fill(5)),
}

/**
 * Tokens are literals (0..255), END, and [length, distance] pairs; {bits, count} writes raw bits. Block methods add END themselves
 * unless told not to.
 */
export class DeflateWriter {
  #bytes = []
  #buffer = 0
  #count = 0

  /** Writes the low `count` bits of `value`, lowest first. */
  bits(value, count) {
    for (let i = 0; i < count; i++) {
      this.#buffer |= ((value >>> i) & 1) << this.#count
      if (++this.#count === 8) {
        this.#bytes.push(this.#buffer)
        this.#buffer = this.#count = 0
      }
    }
    return this
  }

  /** Fills the byte with `bit`s. */
  align(bit = 0) {
    return this.#count === 0 ? this : this.bits(bit ? 255 : 0, 8 - this.#count)
  }

  /** One stored block of at most 65535 bytes; `complement` overrides NLEN. */
  stored(data, { last = false, complement } = {}) {
    this.bits(last ? 1 : 0, 3).align()
    this.bits(data.length, 16).bits(complement ?? ~data.length & 0xffff, 16)
    for (const byte of data) this.bits(byte, 8)
    return this
  }

  fixed(tokens, { last = false, end = true } = {}) {
    this.bits(last ? 3 : 2, 3)
    return this.tokens(end ? [...tokens, END] : tokens, fixed.literals, fixed.distances)
  }

  /**
   * A dynamic block. Code lengths are made for the tokens unless given (`literals` by symbol, `distances` by symbol); `hlit`
   * and `hdist` write other counts than the arrays'.
   */
  dynamic(tokens, { last = false, end = true, literals, distances, hlit, hdist } = {}) {
    const all = end ? [...tokens, END] : tokens
    const literalLengths =
      literals ??
      balanced(new Set(all.filter((t) => typeof t === 'number' || Array.isArray(t)).map(literalSymbol)), 257)
    const distanceLengths =
      distances ?? balanced(new Set(all.filter(Array.isArray).map((t) => distanceSymbol(t[1]))), 1)
    this.bits(last ? 5 : 4, 3)
    this.bits(hlit ?? literalLengths.length - 257, 5).bits(hdist ?? distanceLengths.length - 1, 5)
    const lengths = [...literalLengths, ...distanceLengths]
    this.codeLengths(balanced(new Set(lengths), 19), lengths)
    return this.tokens(all, codes(literalLengths), codes(distanceLengths))
  }

  /** Begins a last dynamic block of `hlit` literal and `hdist` distance codes; codeLengths and tokens follow. */
  dynamicStart(hlit, hdist) {
    return this.bits(5, 3)
      .bits(hlit - 257, 5)
      .bits(hdist - 1, 5)
  }

  /** The code length code (19 lengths by symbol) and the lengths written with it; a [symbol, extra bits' value] pair repeats. */
  codeLengths(codeLengthLengths, lengths) {
    this.bits(15, 4)
    for (const symbol of codeOrder) this.bits(codeLengthLengths[symbol] ?? 0, 3)
    const table = codes(codeLengthLengths)
    for (const length of lengths) {
      if (typeof length === 'number') this.code(table[length])
      else this.code(table[length[0]]).bits(length[1], { 16: 2, 17: 3, 18: 7 }[length[0]])
    }
    return this
  }

  tokens(tokens, literalCodes, distanceCodes) {
    for (const token of tokens) {
      if (typeof token === 'number') this.code(literalCodes[token])
      else if (Array.isArray(token)) {
        const [length, distance] = token
        const symbol = literalSymbol(token)
        this.code(literalCodes[symbol]).bits(length - lengthBase[symbol - 257], lengthBits[symbol - 257])
        const other = distanceSymbol(distance)
        this.code(distanceCodes[other]).bits(distance - distanceBase[other], distanceBits[other])
      } else this.bits(token.bits, token.count)
    }
    return this
  }

  /** Writes a Huffman code, its highest bit first. */
  code(code) {
    if (!code) throw new Error('a token has no code')
    for (let i = code.length - 1; i >= 0; i--) this.bits((code.value >>> i) & 1, 1)
    return this
  }

  /** Everything written so far, the last byte filled with zeros. */
  finish() {
    this.align()
    return Uint8Array.from(this.#bytes)
  }
}

function literalSymbol(token) {
  if (typeof token === 'number') return token
  if (token[0] === 258) return 285
  return 256 + lengthBase.filter((base, i) => base <= token[0] && i < 28).length
}

function distanceSymbol(distance) {
  return distanceBase.filter((base) => base <= distance).length - 1
}

/** Code lengths that make a complete code of the symbols used (one symbol alone gets one bit), in an array of at least `size`. */
export function balanced(symbols, size) {
  const used = [...symbols].sort((a, b) => a - b)
  const lengths = Array(Math.max(size, (used.at(-1) ?? 0) + 1)).fill(0)
  const longest = Math.max(1, Math.ceil(Math.log2(used.length)))
  const shorter = used.length === 1 ? 0 : 2 ** longest - used.length
  used.forEach((symbol, i) => {
    lengths[symbol] = i < shorter ? longest - 1 : longest
  })
  return lengths
}

/** Canonical codes of code lengths (RFC 1951, 3.2.2). */
export function codes(lengths) {
  const result = []
  let value = 0
  for (let length = 1; length <= 15; length++) {
    lengths.forEach((own, symbol) => {
      if (own === length) result[symbol] = { value: value++, length }
    })
    value <<= 1
  }
  return result
}

/** Tokens for the data: greedy matches by hash of three bytes, over a window of 32 KiB. */
export function match(data, { window = 32768, from = 0 } = {}) {
  const tokens = []
  const last = new Map()
  const key = (i) => (data[i] << 16) | (data[i + 1] << 8) | data[i + 2]
  for (let i = 0; i < from; i++) last.set(key(i), i)
  for (let i = from; i < data.length; ) {
    const at = last.get(key(i))
    let length = 0
    if (at !== undefined && i + 2 < data.length && i - at <= window) {
      while (length < 258 && i + length < data.length && data[at + length] === data[i + length]) length++
    }
    const step = length >= 3 ? length : 1
    tokens.push(length >= 3 ? [length, i - at] : data[i])
    for (let end = i + step; i < end; i++) last.set(key(i), i)
  }
  return tokens
}

/** The data as one deflate stream with fixed codes, a block for every `block` bytes. */
export function deflate(data, { block = Infinity } = {}) {
  const writer = new DeflateWriter()
  let from = 0
  do {
    const to = Math.min(data.length, from + block)
    writer.fixed(match(data.subarray(0, to), { from }), { last: to === data.length })
    from = to
  } while (from < data.length)
  return writer.finish()
}

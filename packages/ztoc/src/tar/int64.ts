/** A signed 64-bit integer: a bigint only if it is not a safe integer, so that the usual case costs nothing. */
export type Int64 = number | bigint

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const ZERO = 0x30
const NINE = 0x39
const PLUS = 0x2b
const MINUS = 0x2d

/** The shortest form of an integer that is known to fit 64 bits. */
export function int64(value: bigint): Int64 {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** Bits 0..31. */
export function lowBits(value: Int64): number {
  return typeof value === 'number' ? value >>> 0 : Number(BigInt.asUintN(32, value))
}

/** Bits 32..63, signed. */
export function highBits(value: Int64): number {
  return typeof value === 'number' ? Math.floor(value / 2 ** 32) | 0 : Number(value >> 32n)
}

/** The inverse of lowBits and highBits. */
export function fromBits(low: number, high: number): Int64 {
  if (high >= -0x200000 && high < 0x200000) {
    const value = high * 2 ** 32 + low
    if (value > Number.MIN_SAFE_INTEGER) return value === 0 ? 0 : value
  }
  return int64((BigInt(high) << 32n) | BigInt(low))
}

/**
 * The decimal integer that `bytes` [start, end) spell as Go's strconv.ParseInt(s, 10, 64) reads it: an optional sign, then digits
 * and nothing else, within 64 bits. NaN for anything else.
 */
export function parseInt64(bytes: Uint8Array, start: number, end: number): Int64 {
  let at = start
  const negative = bytes[at] === MINUS
  if (negative || bytes[at] === PLUS) at++
  if (at >= end) return Number.NaN
  while (at < end - 1 && bytes[at] === ZERO) at++
  if (end - at > 19) return Number.NaN // syntax or range, it is an error either way
  let value = 0
  let digits = ''
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number
    if (byte < ZERO || byte > NINE) return Number.NaN
    value = value * 10 + (byte - ZERO)
    if (end - at > 15) digits += String.fromCharCode(byte)
  }
  if (end - at <= 15) return negative ? 0 - value : value
  const exact = negative ? -BigInt(digits) : BigInt(digits)
  return exact < MIN_INT64 || exact > MAX_INT64 ? Number.NaN : int64(exact)
}

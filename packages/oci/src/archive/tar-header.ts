// The 512-byte header block of a tar entry (POSIX ustar with GNU's base-256 numbers), as far as archives of images need it.
import { decodeUtf8 } from '../document/utf8.js'

export const BLOCK_SIZE = 512

export interface TarHeader {
  readonly name: string
  /** Bytes of its data, which is padded to whole blocks. */
  readonly size: number
  /** `0` and NUL: a file; `1`: hard link; `2`: symbolic link; `5`: folder; `x`, `g`, `L`, `K`: what is said of the next entry. */
  readonly type: string
  readonly linkName: string
}

// name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, linkname 100, magic 8, uname 32, gname 32, devices 8 + 8, prefix 155
const NAME_SIZE = 100
const SIZE_AT = 124
const CHECKSUM_AT = 148
const TYPE_AT = 156
const LINK_AT = 157
const MAGIC_AT = 257
const PREFIX_AT = 345

/** `undefined` if the block is not a header: its checksum or its size is wrong. */
export function decodeTarHeader(block: Uint8Array): TarHeader | undefined {
  const sum = tarNumber(block, CHECKSUM_AT, 8)
  const size = tarNumber(block, SIZE_AT, 12)
  if (sum === undefined || size === undefined || (sum !== checksum(block, 0) && sum !== checksum(block, 256)))
    return undefined
  const isUstar = tarString(block, MAGIC_AT, 8) === 'ustar' && block[MAGIC_AT + 6] === 0x30 // 'ustar\0' and '00'; GNU's 'ustar  \0' has no prefix
  const prefix = isUstar ? tarString(block, PREFIX_AT, 155) : ''
  const name = tarString(block, 0, NAME_SIZE)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size,
    type: String.fromCharCode(block[TYPE_AT]!),
    linkName: tarString(block, LINK_AT, 100),
  }
}

/**
 * The header of a file (or, its name ending in a slash, of a folder) of root's, without a time: the same anywhere. A name that is too long for one block
 * has a PAX header before it.
 */
export function encodeTarHeader(name: string, size: number): Uint8Array {
  const encoded = new TextEncoder().encode(name)
  const type = name.endsWith('/') ? '5' : '0'
  if (encoded.length <= NAME_SIZE && /^[\x20-\x7e]+$/.test(name)) return encodeBlock(encoded, size, type)
  const record = paxRecord('path', name)
  const blocks = new Uint8Array((2 + Math.ceil(record.length / BLOCK_SIZE)) * BLOCK_SIZE)
  blocks.set(encodeBlock(new TextEncoder().encode('PaxHeader'), record.length, 'x'))
  blocks.set(record, BLOCK_SIZE)
  blocks.set(encodeBlock(encoded.subarray(0, NAME_SIZE), size, type), blocks.length - BLOCK_SIZE)
  return blocks
}

function encodeBlock(name: Uint8Array, size: number, type: string): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE)
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  block.set(name)
  put(100, octal(type === '5' ? 0o755 : 0o644, 7))
  put(108, octal(0, 7))
  put(116, octal(0, 7))
  if (size < 8 ** 11) put(SIZE_AT, octal(size, 11))
  else {
    block[SIZE_AT] = 0x80
    new DataView(block.buffer).setBigUint64(SIZE_AT + 4, BigInt(size))
  }
  put(136, octal(0, 11))
  put(TYPE_AT, type)
  put(MAGIC_AT, 'ustar\x0000')
  put(329, octal(0, 7))
  put(337, octal(0, 7))
  put(CHECKSUM_AT, `${octal(checksum(block, 0), 6)} `)
  return block
}

/** `length key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`)
  let length = rest.length
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length
  return new TextEncoder().encode(`${length} ${key}=${value}\n`)
}

/** The sum of the header's bytes, its checksum counted as spaces; `signed` is 256 for the sum of signed bytes that old tars wrote. */
function checksum(block: Uint8Array, signed: 0 | 256): number {
  let sum = 0
  for (let i = 0; i < BLOCK_SIZE; i++) {
    const byte = i >= CHECKSUM_AT && i < CHECKSUM_AT + 8 ? 0x20 : block[i]!
    sum += byte < 128 ? byte : byte - signed
  }
  return sum
}

function tarString(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return decodeUtf8(end < 0 ? field : field.subarray(0, end))
}

/** Octal text, or base-256; `undefined` where it is neither, negative, or beyond 2^53 − 1. */
function tarNumber(block: Uint8Array, at: number, length: number): number | undefined {
  const field = block.subarray(at, at + length)
  if (field[0]! & 0x80) {
    let value = field[0]! & 0x7f
    if (value & 0x40) return undefined
    for (const byte of field.subarray(1)) {
      value = value * 256 + byte
      if (value > Number.MAX_SAFE_INTEGER) return undefined
    }
    return value
  }
  const text = tarString(block, at, length).replace(/^[ ]+|[ ]+$/g, '')
  return /^[0-7]*$/.test(text) ? Number.parseInt(`0${text}`, 8) : undefined
}

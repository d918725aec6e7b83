import { type Int64, int64 } from './int64.js'

/** Size of a tar block: headers are one, data is padded to whole ones. */
export const BLOCK_SIZE = 512

/** Bytes [start, end) of `of`. */
export interface ByteRange {
  of: Uint8Array
  start: number
  end: number
}

/** A tar header while it is read: extended headers replace its fields. Its ranges point into buffers that the next header reuses. */
export interface TarHeader {
  /** The type flag, a byte. */
  type: number
  name: ByteRange
  linkname: ByteRange
  uname: ByteRange
  gname: ByteRange
  size: Int64
  mode: Int64
  uid: Int64
  gid: Int64
  /** Seconds since 1970. */
  seconds: Int64
  /** 0..999,999,999, added to `seconds`. */
  nanoseconds: number
  devmajor: Int64
  devminor: Int64
}

// Field positions: POSIX.1-1988 ustar; GNU and Schily's star put other things behind the device numbers.
const NAME = 0
const MODE = 100
const UID = 108
const GID = 116
const SIZE = 124
const MTIME = 136
const CHECKSUM = 148
const TYPE = 156
const LINKNAME = 157
const MAGIC = 257
const UNAME = 265
const GNAME = 297
const DEVMAJOR = 329
const DEVMINOR = 337
const PREFIX = 345
const PREFIX_END = 500
const STAR_PREFIX_END = 476
const STAR_ATIME = 476
const STAR_CTIME = 488
const STAR_TRAILER = 508
const GNU_ATIME = 345
const GNU_CTIME = 357

const SPACE = 0x20
const SLASH = 0x2f

export function emptyHeader(): TarHeader {
  const range = (): ByteRange => ({ of: new Uint8Array(0), start: 0, end: 0 })
  return {
    type: 0,
    name: range(),
    linkname: range(),
    uname: range(),
    gname: range(),
    size: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    seconds: 0,
    nanoseconds: 0,
    devmajor: 0,
    devminor: 0,
  }
}

export function setRange(range: ByteRange, of: Uint8Array, start: number, end: number): void {
  range.of = of
  range.start = start
  range.end = end
}

/** The sum of a block's bytes; it is 0 for a block of zeros only. `words` are the 128 words of the block. */
export function sumBytes(words: Uint32Array): number {
  // Two bytes of a word go into each 16-bit lane: 2 * 128 * 255 = 65280 does not overflow it.
  let lanes = 0
  for (let i = 0; i < BLOCK_SIZE / 4; i++) {
    const word = words[i] as number
    lanes = (lanes + (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff)) | 0
  }
  return (lanes & 0xffff) + (lanes >>> 16)
}

/**
 * Reads the header block into `header`, by the rules of Go's archive/tar (readHeader, getFormat, parseNumeric). `sum` is the sum of
 * the block's bytes, `scratch` (at least 256 bytes) takes a name that a prefix is part of. Returns what is wrong, if anything.
 */
export function readHeader(block: Uint8Array, sum: number, header: TarHeader, scratch: Uint8Array): string | undefined {
  const expected = readOctal(block, CHECKSUM, CHECKSUM + 8)
  let actual = sum + 8 * SPACE // the checksum field counts as spaces
  for (let i = CHECKSUM; i < CHECKSUM + 8; i++) actual -= block[i] as number
  if (expected !== actual && expected !== signedChecksum(block, actual)) {
    return `its checksum field is ${Number.isNaN(expected) ? 'not a number' : expected}, but its bytes sum to ${actual}`
  }
  header.type = block[TYPE] as number
  setText(header.name, block, NAME, MODE)
  setText(header.linkname, block, LINKNAME, MAGIC)
  header.size = readNumeric(block, SIZE, MTIME)
  header.mode = readNumeric(block, MODE, UID)
  header.uid = readNumeric(block, UID, GID)
  header.gid = readNumeric(block, GID, SIZE)
  header.seconds = readNumeric(block, MTIME, CHECKSUM)
  header.nanoseconds = 0
  if (isBad(header.size)) return 'its size field is not a 64-bit number'
  if (isBad(header.mode)) return 'its mode field is not a 64-bit number'
  if (isBad(header.uid) || isBad(header.gid)) return 'its owner fields are not 64-bit numbers'
  if (isBad(header.seconds)) return 'its time field is not a 64-bit number'

  const ustar = hasText(block, MAGIC, 'ustar\0') // the version after it is not looked at
  const gnu = hasText(block, MAGIC, 'ustar  \0')
  if (!ustar && !gnu) {
    header.uname.end = header.uname.start
    header.gname.end = header.gname.start
    header.devmajor = 0
    header.devminor = 0
    return undefined
  }
  setText(header.uname, block, UNAME, GNAME)
  setText(header.gname, block, GNAME, DEVMAJOR)
  header.devmajor = readNumeric(block, DEVMAJOR, DEVMINOR)
  header.devminor = readNumeric(block, DEVMINOR, PREFIX)
  if (isBad(header.devmajor) || isBad(header.devminor)) return 'its device fields are not 64-bit numbers'

  let prefixEnd = PREFIX
  if (ustar && hasText(block, STAR_TRAILER, 'tar\0')) {
    prefixEnd = textEnd(block, PREFIX, STAR_PREFIX_END)
    if (isBad(readNumeric(block, STAR_ATIME, STAR_CTIME)) || isBad(readNumeric(block, STAR_CTIME, PREFIX_END))) {
      return 'its access or change time field is not a 64-bit number'
    }
  } else if (ustar) {
    prefixEnd = textEnd(block, PREFIX, PREFIX_END)
  } else if (isBadTime(block, GNU_ATIME) || isBadTime(block, GNU_CTIME)) {
    // Go's writer before 1.8 put a ustar prefix where GNU has these times; it is taken for one if it is ASCII.
    const end = textEnd(block, PREFIX, PREFIX_END)
    if (isAscii(block, PREFIX, end)) prefixEnd = end
  }
  if (prefixEnd > PREFIX) joinPrefix(block, prefixEnd, header.name, scratch)
  return undefined
}

/** Sun's tar summed signed bytes: each one from 128 up counts 256 less. */
function signedChecksum(block: Uint8Array, unsigned: number): number {
  let sum = unsigned
  for (let i = 0; i < BLOCK_SIZE; i++) {
    if (block[i]! >= 0x80 && (i < CHECKSUM || i >= CHECKSUM + 8)) sum -= 256
  }
  return sum
}

function joinPrefix(block: Uint8Array, prefixEnd: number, name: ByteRange, scratch: Uint8Array): void {
  const prefixLength = prefixEnd - PREFIX
  scratch.set(block.subarray(PREFIX, prefixEnd))
  scratch[prefixLength] = SLASH
  scratch.set(block.subarray(name.start, name.end), prefixLength + 1)
  setRange(name, scratch, 0, prefixLength + 1 + name.end - name.start)
}

function setText(range: ByteRange, block: Uint8Array, start: number, limit: number): void {
  setRange(range, block, start, textEnd(block, start, limit))
}

/** Where the text that starts at `start` ends: before a NUL, or at `limit`. */
export function textEnd(bytes: Uint8Array, start: number, limit: number): number {
  let end = start
  while (end < limit && bytes[end] !== 0) end++
  return end
}

function hasText(block: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (block[at + i] !== text.charCodeAt(i)) return false
  }
  return true
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i]! >= 0x80) return false
  }
  return true
}

function isBad(value: Int64): boolean {
  return Number.isNaN(value)
}

/** GNU's access and change time: absent when they start with NUL. */
function isBadTime(block: Uint8Array, at: number): boolean {
  return block[at] !== 0 && isBad(readNumeric(block, at, at + 12))
}

/** An octal number, or a two's complement one of base 256 where the first bit is set. NaN where it is neither or needs over 64 bits. */
function readNumeric(block: Uint8Array, start: number, end: number): Int64 {
  return (block[start]! & 0x80) !== 0 ? readBase256(block, start, end) : readOctal(block, start, end)
}

function readBase256(block: Uint8Array, start: number, end: number): Int64 {
  const negative = (block[start]! & 0x40) !== 0
  // Bit 7 only marks the notation; of a negative number the complement is gathered.
  let value = BigInt((negative ? ~block[start]! : block[start]!) & 0x7f)
  for (let i = start + 1; i < end; i++) value = (value << 8n) | BigInt((negative ? ~block[i]! : block[i]!) & 0xff)
  if (value >= 2n ** 63n) return Number.NaN
  return int64(negative ? ~value : value)
}

/** Spaces and NULs around the digits do not count, and what follows a NUL among them neither. Nothing at all is 0. */
function readOctal(block: Uint8Array, start: number, end: number): number {
  let from = start
  let to = end
  while (from < to && (block[from] === SPACE || block[from] === 0)) from++
  while (from < to && (block[to - 1] === SPACE || block[to - 1] === 0)) to--
  let value = 0
  for (let i = from; i < to; i++) {
    const byte = block[i] as number
    if (byte === 0) break
    if (byte < 0x30 || byte > 0x37) return Number.NaN
    value = value * 8 + (byte - 0x30)
  }
  return value // at most 12 digits, 36 bits
}

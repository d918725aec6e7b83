import { type Int64, parseInt64 } from './int64.js'
import { type ByteRange, setRange, type TarHeader } from './tar-header.js'

const SPACE = 0x20
const NEWLINE = 0x0a
const EQUALS = 0x3d
const COMMA = 0x2c
const DOT = 0x2e
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

const SPARSE_MAP = 'GNU.sparse.map'
const SPARSE_OFFSET = 'GNU.sparse.offset'
const SPARSE_NUMBYTES = 'GNU.sparse.numbytes'

/** Numbers per record in `PaxRecords.bounds`: key start, key end, value start, value end. */
export const BOUNDS = 4

/**
 * The records of one PAX extended header: each key once (its last value counts), sorted by the keys' bytes. `bounds` are positions in
 * `bytes`, a buffer that the next header reuses.
 */
export interface PaxRecords {
  readonly bytes: Uint8Array
  readonly bounds: readonly number[]
}

/**
 * Reads the `size` bytes of an extended header, by the rules of Go's archive/tar (parsePAX): POSIX.1-2001 records `<length>
 * <key>=<value>\n`; keys and values are bytes; the offset and numbytes records of GNU's sparse format 0.0, which repeat, become one
 * map record as in 0.1. A string says what is wrong.
 */
export function parsePax(bytes: Uint8Array, size: number): PaxRecords | string {
  const bounds: number[] = []
  const map: number[] = [] // start and end of the values of a sparse format 0.0 map
  let at = 0
  while (at < size) {
    let space = at
    while (space < size && bytes[space] !== SPACE) space++
    const length = space < size ? parseInt64(bytes, at, space) : Number.NaN
    const recordEnd = at + Number(length)
    // NaN fails each comparison; 5 is the shortest record.
    if (!(length >= 5) || !(recordEnd <= size) || recordEnd <= space + 1 || bytes[recordEnd - 1] !== NEWLINE) {
      return `the record at its byte ${at} has no valid length`
    }
    let equals = space + 1
    while (equals < recordEnd - 1 && bytes[equals] !== EQUALS) equals++
    if (equals === recordEnd - 1 || equals === space + 1) return `the record at its byte ${at} has no key`
    const keyStart = space + 1
    const [start, end] = [equals + 1, recordEnd - 1]
    const isText =
      isKey(bytes, keyStart, equals, 'path') ||
      isKey(bytes, keyStart, equals, 'linkpath') ||
      isKey(bytes, keyStart, equals, 'uname') ||
      isKey(bytes, keyStart, equals, 'gname')
    if (isText ? has(bytes, start, end, 0) : has(bytes, keyStart, equals, 0)) {
      return `the record at its byte ${at} has a NUL in its ${isText ? 'value' : 'key'}`
    }
    const isOffset = isKey(bytes, keyStart, equals, SPARSE_OFFSET)
    if (isOffset || isKey(bytes, keyStart, equals, SPARSE_NUMBYTES)) {
      if (isOffset !== (map.length % 4 === 0) || has(bytes, start, end, COMMA)) {
        return `the sparse file record at its byte ${at} is out of order or has a comma`
      }
      map.push(start, end)
    } else {
      bounds.push(keyStart, equals, start, end)
    }
    at = recordEnd
  }
  if (map.length > 0) return withMap(bytes, size, bounds, map)
  return { bytes, bounds: bounds.length > BOUNDS ? sortedLast(bytes, bounds) : bounds }
}

/** Appends the map record that sparse format 0.1 would have had. */
function withMap(bytes: Uint8Array, size: number, bounds: number[], map: number[]): PaxRecords {
  let joined = map.length / 2 - 1
  for (let i = 0; i < map.length; i += 2) joined += map[i + 1]! - map[i]!
  const all = new Uint8Array(size + SPARSE_MAP.length + joined)
  all.set(bytes.subarray(0, size))
  let at = size
  for (let i = 0; i < SPARSE_MAP.length; i++) all[at++] = SPARSE_MAP.charCodeAt(i)
  const start = at
  for (let i = 0; i < map.length; i += 2) {
    if (i > 0) all[at++] = COMMA
    all.set(bytes.subarray(map[i], map[i + 1]), at)
    at += map[i + 1]! - map[i]!
  }
  bounds.push(size, start, start, at)
  return { bytes: all, bounds: sortedLast(all, bounds) }
}

function sortedLast(bytes: Uint8Array, bounds: readonly number[]): readonly number[] {
  const count = bounds.length / BOUNDS
  const compare = (a: number, b: number): number => {
    const [startA, startB] = [bounds[a * BOUNDS]!, bounds[b * BOUNDS]!]
    const [lengthA, lengthB] = [bounds[a * BOUNDS + 1]! - startA, bounds[b * BOUNDS + 1]! - startB]
    const common = Math.min(lengthA, lengthB)
    for (let i = 0; i < common; i++) {
      const difference = bytes[startA + i]! - bytes[startB + i]!
      if (difference !== 0) return difference
    }
    return lengthA - lengthB
  }
  let isSorted = true
  for (let i = 1; i < count && isSorted; i++) isSorted = compare(i - 1, i) < 0
  if (isSorted) return bounds // as most writers have them
  // Records of one key keep their order: sort is stable.
  const order = Array.from({ length: count }, (_, i) => i).sort(compare)
  const sorted: number[] = []
  for (let i = 0; i < count; i++) {
    const record = order[i] as number
    if (i + 1 < count && compare(record, order[i + 1] as number) === 0) continue
    for (let field = 0; field < BOUNDS; field++) sorted.push(bounds[record * BOUNDS + field] as number)
  }
  return sorted
}

/**
 * Puts the records' values into the header (Go's mergePAX): an empty value leaves the header's own. Returns what is wrong, if
 * anything.
 */
export function mergePax(header: TarHeader, { bytes, bounds }: PaxRecords): string | undefined {
  for (let i = 0; i < bounds.length; i += BOUNDS) {
    const [keyStart, keyEnd] = [bounds[i]!, bounds[i + 1]!]
    const [start, end] = [bounds[i + 2]!, bounds[i + 3]!]
    if (start === end || keyEnd - keyStart > 'linkpath'.length) continue
    let value: Int64 = 0
    if (isKey(bytes, keyStart, keyEnd, 'path')) setRange(header.name, bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'linkpath')) setRange(header.linkname, bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'uname')) setRange(header.uname, bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'gname')) setRange(header.gname, bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'uid')) header.uid = value = parseInt64(bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'gid')) header.gid = value = parseInt64(bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'size')) header.size = value = parseInt64(bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'mtime')) value = setTime(header, bytes, start, end)
    else if (isKey(bytes, keyStart, keyEnd, 'atime') || isKey(bytes, keyStart, keyEnd, 'ctime')) {
      value = parseTime(bytes, start, end).seconds
    }
    if (Number.isNaN(value)) return `its PAX record ${quote(bytes, keyStart, keyEnd)} is not a valid number`
  }
  return undefined
}

/** The value of the record with this ASCII key, or undefined. */
export function paxValue({ bytes, bounds }: PaxRecords, key: string): ByteRange | undefined {
  for (let i = 0; i < bounds.length; i += BOUNDS) {
    if (isKey(bytes, bounds[i]!, bounds[i + 1]!, key)) return { of: bytes, start: bounds[i + 2]!, end: bounds[i + 3]! }
  }
  return undefined
}

/** The same as text, a character per byte. */
export function paxText(pax: PaxRecords, key: string): string | undefined {
  const value = paxValue(pax, key)
  if (value === undefined) return undefined
  return Buffer.from(value.of.buffer, value.of.byteOffset).toString('latin1', value.start, value.end)
}

function setTime(header: TarHeader, bytes: Uint8Array, start: number, end: number): Int64 {
  const time = parseTime(bytes, start, end)
  header.seconds = time.seconds
  header.nanoseconds = time.nanoseconds
  return time.seconds
}

/** `seconds[.fraction]`, digits of the fraction from the tenth on are cut. `seconds` is NaN where it is none. */
function parseTime(bytes: Uint8Array, start: number, end: number): { seconds: Int64; nanoseconds: number } {
  let dot = start
  while (dot < end && bytes[dot] !== DOT) dot++
  const seconds = parseInt64(bytes, start, dot)
  let nanoseconds = 0
  for (let i = dot + 1; i < Math.max(end, dot + 10); i++) {
    const byte = i < end ? bytes[i]! : ZERO
    if (byte < ZERO || byte > NINE) return { seconds: Number.NaN, nanoseconds: 0 }
    if (i < dot + 10) nanoseconds = nanoseconds * 10 + (byte - ZERO)
  }
  if (bytes[start] !== MINUS || nanoseconds === 0) return { seconds, nanoseconds }
  // -1.25 is two seconds back and three quarters on. A 64-bit second that is not a safe integer is far outside the years that have a text.
  return { seconds: Number(seconds) - 1, nanoseconds: 1_000_000_000 - nanoseconds }
}

export function isKey(bytes: Uint8Array, start: number, end: number, key: string): boolean {
  if (end - start !== key.length) return false
  for (let i = 0; i < key.length; i++) {
    if (bytes[start + i] !== key.charCodeAt(i)) return false
  }
  return true
}

function has(bytes: Uint8Array, start: number, end: number, byte: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] === byte) return true
  }
  return false
}

/** The text in quotes for a message, at most 200 bytes of it. */
export function quote(bytes: Uint8Array, start: number, end: number): string {
  const text = new TextDecoder().decode(bytes.slice(start, Math.min(end, start + 200)))
  return JSON.stringify(end - start > 200 ? `${text}…` : text)
}

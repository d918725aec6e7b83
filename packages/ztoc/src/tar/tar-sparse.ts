import { type Int64, parseInt64 } from './int64.js'
import { BLOCK_SIZE, type ByteRange, setRange, type TarHeader } from './tar-header.js'
import { type PaxRecords, paxValue } from './tar-pax.js'

const NEWLINE = 0x0a
const COMMA = 0x2c

/** Go's limit for a map of format 1.0. */
export const MAX_MAP_SIZE = 2 ** 20

/** The value of an entry's PAX record, or undefined. */
type RecordValue = (key: string) => string | undefined

/**
 * Which of GNU's sparse formats in PAX the records tell (GNU tar manual, "Storing Sparse Files"): '0.x' has its map in the records,
 * '1.0' before the data. Undefined for a file that is none, or of a version that Go does not know and takes for a plain file.
 */
export function sparseFormat(record: RecordValue): '0.x' | '1.0' | undefined {
  const major = record('GNU.sparse.major') ?? ''
  const minor = record('GNU.sparse.minor') ?? ''
  if (major === '0' && (minor === '0' || minor === '1')) return '0.x'
  if (major === '1' && minor === '0') return '1.0'
  if (major !== '' || minor !== '') return undefined
  return (record('GNU.sparse.map') ?? '') === '' ? undefined : '0.x'
}

/** Takes a sparse file's own name and its size with the holes. Returns what is wrong, if anything. */
export function mergeSparse(header: TarHeader, pax: PaxRecords): string | undefined {
  const name = paxValue(pax, 'GNU.sparse.name')
  if (name !== undefined && !isEmpty(name)) setRange(header.name, name.of, name.start, name.end)
  let size = paxValue(pax, 'GNU.sparse.size')
  if (isEmpty(size)) size = paxValue(pax, 'GNU.sparse.realsize')
  if (size === undefined || isEmpty(size)) return undefined
  header.size = parseInt64(size.of, size.start, size.end)
  return Number.isNaN(header.size) ? 'the size of its sparse file is not a number' : undefined
}

/** Reads the map of format 0.0 or 0.1: offsets and lengths in turn. A string says what is wrong. */
export function parseMap0(pax: PaxRecords): Int64[] | string {
  const blocks = paxValue(pax, 'GNU.sparse.numblocks')
  const count = blocks === undefined ? Number.NaN : parseInt64(blocks.of, blocks.start, blocks.end)
  const map = paxValue(pax, 'GNU.sparse.map')
  const numbers: Int64[] = []
  if (map !== undefined && !isEmpty(map)) {
    let start = map.start
    for (let at = start; at <= map.end; at++) {
      if (at < map.end && map.of[at] !== COMMA) continue
      numbers.push(parseInt64(map.of, start, at))
      start = at + 1
    }
  }
  if (Number.isNaN(count) || count < 0 || numbers.length !== Number(count) * 2) {
    return `its sparse map has ${numbers.length} numbers, its records count ${count} pairs`
  }
  return numbers.some((number) => Number.isNaN(number)) ? 'its sparse map has an entry that is not a number' : numbers
}

/** The map of format 1.0: lines in whole blocks before the data, first the count, then offset and length of each piece. */
export class SparseMap {
  /** Where the next block goes before `addBlock`. */
  readonly block = new Uint8Array(BLOCK_SIZE)
  #text = new Uint8Array(BLOCK_SIZE)
  #length = 0
  #lines = 0
  #needed = 1
  /** Offsets and lengths in turn, once all lines are there. */
  numbers: Int64[] | undefined

  get size(): number {
    return this.#length
  }

  /** Takes what is in `block`; `numbers` tells whether it was the last. Returns what is wrong, if anything. */
  addBlock(): string | undefined {
    if (this.#length === this.#text.length) {
      const larger = new Uint8Array(2 * this.#length)
      larger.set(this.#text)
      this.#text = larger
    }
    this.#text.set(this.block, this.#length)
    this.#length += BLOCK_SIZE
    for (const byte of this.block) {
      if (byte === NEWLINE) this.#lines++
    }
    if (this.#needed === 1 && this.#lines > 0) {
      const count = parseInt64(this.#text, 0, this.#text.indexOf(NEWLINE))
      if (Number.isNaN(count) || count < 0) return 'its sparse map starts with no count'
      this.#needed = 1 + 2 * Number(count)
    }
    if (this.#lines < this.#needed) return undefined
    const numbers: Int64[] = []
    let start = this.#text.indexOf(NEWLINE) + 1
    while (numbers.length < this.#needed - 1) {
      const end = this.#text.indexOf(NEWLINE, start)
      numbers.push(parseInt64(this.#text, start, end))
      start = end + 1
    }
    if (numbers.some((number) => Number.isNaN(number))) return 'its sparse map has a line that is not a number'
    this.numbers = numbers
    return undefined
  }
}

/** Whether the pieces lie in order, apart and within the file (Go's validateSparseEntries). */
export function isSoundMap(numbers: readonly Int64[], size: Int64): boolean {
  if (size < 0) return false
  let previousEnd: Int64 = 0
  for (let i = 0; i < numbers.length; i += 2) {
    const [offset, length] = [numbers[i]!, numbers[i + 1]!]
    if (offset < 0 || length < 0) return false
    const end = add(offset, length)
    if (end > size || previousEnd > offset) return false
    previousEnd = end
  }
  return true
}

/**
 * Whether a file with this sound map can be read as any other: the pieces leave no hole but one at the end that the padding's zeros
 * fill, and the data is all there.
 */
export function isDense(numbers: readonly Int64[], size: Int64, dataSize: number): boolean {
  let end: Int64 = 0
  for (let i = 0; i < numbers.length; i += 2) {
    const [offset, length] = [numbers[i]!, numbers[i + 1]!]
    if (length === 0) continue
    if (offset !== end) return false
    end = add(offset, length)
  }
  return end === dataSize && size <= Math.ceil(dataSize / BLOCK_SIZE) * BLOCK_SIZE
}

function add(a: Int64, b: Int64): Int64 {
  const sum = Number(a) + Number(b)
  return Number.isSafeInteger(sum) ? sum : BigInt(a) + BigInt(b)
}

function isEmpty(range: ByteRange | undefined): boolean {
  return range === undefined || range.start === range.end
}

import { LayerFormatError } from '../error.js'
import { TocRecords } from '../ztoc/toc-records.js'
import type { Int64 } from './int64.js'
import {
  BLOCK_SIZE,
  type ByteRange,
  emptyHeader,
  readHeader,
  setRange,
  sumBytes,
  type TarHeader,
  textEnd,
} from './tar-header.js'
import { mergePax, type PaxRecords, parsePax, paxText, quote } from './tar-pax.js'
import { isDense, isSoundMap, MAX_MAP_SIZE, mergeSparse, parseMap0, SparseMap, sparseFormat } from './tar-sparse.js'

/** Go's limit for a PAX header or a GNU long name. */
const MAX_SPECIAL_SIZE = 2 ** 20

// Type flags; '1' to '6' are entries without data, whatever their size field says.
const REG = 0x30
const LINK = 0x31
const DIR = 0x35
const FIFO = 0x36
const PAX = 0x78 // x
const GLOBAL_PAX = 0x67 // g
const LONG_NAME = 0x4c // L
const LONG_LINK = 0x4b // K

const NO_BYTES = new Uint8Array(0)

const FLAG_NAMES: Readonly<Record<string, string>> = {
  '7': ' (contiguous file)',
  S: ' (GNU sparse file)',
  g: ' (global PAX header)',
}

/** Takes the entries of a tar in its order. */
export interface EntryRecords {
  /** `offset` is where the entry's data starts in the tar; what the header holds is used over for the next entry. */
  append(header: TarHeader, offset: number, pax: PaxRecords | undefined): void
  /** Why a runtime would read wrong bytes for one of the entries. */
  misread: string | undefined
}

/**
 * Reads a tar given in consecutive segments and hands on each entry. It accepts and refuses what Go's archive/tar does
 * and the reference's table of contents on top of it, with the same fields. It touches only headers: a segment that lies in a file's
 * data costs nothing.
 */
export class TarScanner<Records extends EntryRecords = TocRecords> {
  readonly records: Records
  #position = 0
  #finished = false

  readonly #block = new Uint8Array(BLOCK_SIZE)
  readonly #words = new Uint32Array(this.#block.buffer)
  /** Bytes of the block that are there. */
  #filled = 0
  #sawZeroBlock = false
  readonly #header = emptyHeader()
  readonly #prefixed = new Uint8Array(256)

  /** Bytes to pass over, of which the last `padding` fill up a block. */
  #skip = 0
  #padding = 0

  /** The extended header that is being read: its type flag (0: none), its size, and its bytes that are there. */
  #special = 0
  #specialSize = 0
  #specialFilled = 0
  readonly #buffers = new Map<number, Uint8Array>()
  /** What extended headers say about the next entry. */
  #pax: PaxRecords | undefined
  readonly #longName: ByteRange = { of: NO_BYTES, start: 0, end: 0 }
  readonly #longLink: ByteRange = { of: NO_BYTES, start: 0, end: 0 }

  /** The map before a sparse file's data, while it is read, and how many bytes of map and data there are. */
  #map: SparseMap | undefined
  #mapAndData: Int64 = 0

  /** @param records default: the layer's table of contents */
  constructor(records: Records = new TocRecords() as EntryRecords as Records) {
    this.records = records
  }

  /** The tar reader's position: after `end`, what the zTOC records as uncompressed_archive_size. */
  get position(): number {
    return this.#position
  }

  /** True once the two zero blocks that end an archive were seen: later bytes are padding and not looked at. */
  get finished(): boolean {
    return this.#finished
  }

  /**
   * The next bytes of the tar. They are not kept, and may be shared memory that is overwritten after the call. Throws LayerFormatError
   * with TAR_INVALID, TAR_UNSUPPORTED_ENTRY or LIMIT_EXCEEDED; the scanner is of no use after that.
   */
  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && !this.#finished) {
      const left = bytes.length - at
      let taken: number
      if (this.#skip > 0) {
        taken = Math.min(left, this.#skip)
        this.#skip -= taken
        this.#position += taken
      } else if (this.#special !== 0) {
        taken = Math.min(left, this.#specialSize - this.#specialFilled)
        this.#buffer(this.#special).set(bytes.subarray(at, at + taken), this.#specialFilled)
        this.#specialFilled += taken
        this.#position += taken
        if (this.#specialFilled === this.#specialSize) this.#endSpecial()
      } else {
        taken = Math.min(left, BLOCK_SIZE - this.#filled)
        const block = this.#map === undefined ? this.#block : this.#map.block
        block.set(bytes.subarray(at, at + taken), this.#filled)
        this.#filled += taken
        this.#position += taken
        if (this.#filled === BLOCK_SIZE) {
          this.#filled = 0
          if (this.#map !== undefined) this.#addMapBlock(this.#map)
          else this.#endBlock()
        }
      }
      at += taken
    }
  }

  /** No more bytes. Throws LayerFormatError TAR_INVALID where Go's reader would not take that for the archive's end. */
  end(): void {
    if (this.#finished) return
    if (this.#special !== 0 || this.#map !== undefined) throw this.#invalid('the tar ends within an extended header')
    if (this.#skip > this.#padding) {
      throw this.#invalid(`the tar ends ${this.#skip - this.#padding} bytes before the end of an entry's data`)
    }
    if (this.#filled > 0) throw this.#invalid(`the tar ends ${this.#filled} bytes into a header of ${BLOCK_SIZE}`)
  }

  #endBlock(): void {
    const sum = sumBytes(this.#words)
    if (this.#sawZeroBlock) {
      if (sum !== 0) throw this.#invalid('after one block of zeros there is another that is not', BLOCK_SIZE)
      this.#finished = true
    } else if (sum === 0) {
      this.#sawZeroBlock = true
    } else {
      const header = this.#header
      const problem = readHeader(this.#block, sum, header, this.#prefixed)
      if (problem !== undefined) throw this.#invalid(`a tar header is invalid: ${problem}`, BLOCK_SIZE)
      // Of an entry with data the size must not be negative, even where a PAX record replaces it.
      if (header.size < 0 && !hasNoData(header.type)) {
        throw this.#invalid(`a tar header has the size ${header.size}`, BLOCK_SIZE)
      }
      if (header.type === PAX || header.type === GLOBAL_PAX || header.type === LONG_NAME || header.type === LONG_LINK) {
        this.#startSpecial(header)
      } else {
        this.#startEntry(header)
      }
    }
  }

  #startSpecial(header: TarHeader): void {
    if (header.size > MAX_SPECIAL_SIZE) {
      throw new LayerFormatError(
        'LIMIT_EXCEEDED',
        `the extended header at offset ${this.#position - BLOCK_SIZE} of the tar has ${header.size} bytes, the limit is ${MAX_SPECIAL_SIZE}`,
      )
    }
    this.#special = header.type
    this.#specialSize = Number(header.size)
    this.#specialFilled = 0
    if (this.#specialSize > this.#buffer(header.type).length) {
      this.#buffers.set(header.type, new Uint8Array(Math.min(2 * this.#specialSize, MAX_SPECIAL_SIZE)))
    }
    if (this.#specialSize === 0) this.#endSpecial()
  }

  #buffer(type: number): Uint8Array {
    return this.#buffers.get(type) ?? NO_BYTES
  }

  #endSpecial(): void {
    const type = this.#special
    const size = this.#specialSize
    const buffer = this.#buffer(type)
    this.#special = 0
    if (type === LONG_NAME) {
      setRange(this.#longName, buffer, 0, textEnd(buffer, 0, size))
    } else if (type === LONG_LINK) {
      setRange(this.#longLink, buffer, 0, textEnd(buffer, 0, size))
    } else {
      const pax = parsePax(buffer, size)
      if (typeof pax === 'string') throw this.#invalid(`a PAX header is invalid: ${pax}`, size)
      if (type === GLOBAL_PAX) throw this.#unsupported(this.#header, size)
      this.#pax = pax
    }
    this.#skipData(0, size)
  }

  /** An entry of its own: takes what extended headers said about it. */
  #startEntry(header: TarHeader): void {
    const pax = this.#pax
    const problem = pax && mergePax(header, pax)
    if (problem !== undefined) throw this.#invalid(`${this.#entry(header)}: ${problem}`, BLOCK_SIZE)
    if (this.#longName.end > 0) setRange(header.name, this.#longName.of, 0, this.#longName.end)
    if (this.#longLink.end > 0) setRange(header.linkname, this.#longLink.of, 0, this.#longLink.end)
    if (header.type === 0) header.type = endsWithSlash(header.name) ? DIR : REG
    if (header.type < REG || header.type > FIFO) throw this.#unsupported(header, BLOCK_SIZE)
    const dataSize = hasNoData(header.type) ? 0 : header.size
    if (dataSize < 0) throw this.#invalid(`${this.#entry(header)}: its size is ${header.size}`, BLOCK_SIZE)

    const format = pax && sparseFormat((key) => paxText(pax, key))
    if (pax === undefined || format === undefined) {
      this.#endEntry(header, dataSize, 0)
      return
    }
    const sparseProblem = mergeSparse(header, pax)
    if (sparseProblem !== undefined) throw this.#invalid(`${this.#entry(header)}: ${sparseProblem}`, BLOCK_SIZE)
    this.#mapAndData = dataSize
    if (format === '1.0') {
      this.#map = new SparseMap()
      this.#expectMapBlock(this.#map)
    } else {
      const numbers = parseMap0(pax)
      if (typeof numbers === 'string') throw this.#invalid(`${this.#entry(header)}: ${numbers}`, BLOCK_SIZE)
      this.#endMap(numbers, 0)
    }
  }

  #expectMapBlock(map: SparseMap): void {
    if (map.size + BLOCK_SIZE > MAX_MAP_SIZE) {
      throw new LayerFormatError(
        'LIMIT_EXCEEDED',
        `${this.#entry(this.#header)}: its sparse map is longer than the limit of ${MAX_MAP_SIZE} bytes`,
      )
    }
    if (map.size + BLOCK_SIZE > this.#mapAndData) {
      throw this.#invalid(`${this.#entry(this.#header)}: its data ends within its sparse map`)
    }
  }

  #addMapBlock(map: SparseMap): void {
    const problem = map.addBlock()
    if (problem !== undefined) throw this.#invalid(`${this.#entry(this.#header)}: ${problem}`)
    if (map.numbers === undefined) this.#expectMapBlock(map)
    else this.#endMap(map.numbers, map.size)
  }

  #endMap(numbers: readonly Int64[], mapSize: number): void {
    const header = this.#header
    if (header.type !== REG || !isSoundMap(numbers, header.size)) {
      throw this.#invalid(`${this.#entry(header)}: its sparse map does not fit a file of ${header.size} bytes`)
    }
    this.#map = undefined
    if (!isDense(numbers, header.size, Number(this.#mapAndData) - mapSize)) {
      this.records.misread ??= `${this.#entry(header)} is a sparse file, whose holes a zTOC cannot tell`
    }
    this.#endEntry(header, this.#mapAndData, mapSize)
  }

  #endEntry(header: TarHeader, dataSize: Int64, mapSize: number): void {
    this.records.append(header, this.#position, this.#pax)
    this.#pax = undefined
    this.#longName.end = 0
    this.#longLink.end = 0
    this.#skipData(Number(dataSize) - mapSize, Number(dataSize))
  }

  /** `left` bytes of an entry of `size` are still to come, then its padding. */
  #skipData(left: number, size: number): void {
    this.#padding = (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE
    this.#skip = left + this.#padding
  }

  #entry(header: TarHeader): string {
    return `the tar's entry ${quote(header.name.of, header.name.start, header.name.end)}`
  }

  #unsupported(header: TarHeader, back: number): LayerFormatError {
    const flag = String.fromCharCode(header.type)
    const shown = /[!-~]/.test(flag) ? `'${flag}'${FLAG_NAMES[flag] ?? ''}` : `0x${header.type.toString(16)}`
    return new LayerFormatError(
      'TAR_UNSUPPORTED_ENTRY',
      `${this.#entry(header)} at offset ${this.#position - back} has the type flag ${shown}; a zTOC can only describe '0' to '6'`,
    )
  }

  #invalid(what: string, back = 0): LayerFormatError {
    return new LayerFormatError('TAR_INVALID', `${what} (offset ${this.#position - back} of the tar)`)
  }
}

/** Links, devices, directories and FIFOs: nothing follows their header, even where it tells a size. */
function hasNoData(type: number): boolean {
  return type >= LINK && type <= FIFO
}

function endsWithSlash(range: ByteRange): boolean {
  return range.end > range.start && range.of[range.end - 1] === 0x2f
}

import { LayerFormatError } from '../error.js'
import { fromBits, highBits, type Int64, lowBits } from '../tar/int64.js'
import type { ByteRange, TarHeader } from '../tar/tar-header.js'
import { BOUNDS, isKey, type PaxRecords } from '../tar/tar-pax.js'
import { newChunk, trimmed } from './chunk.js'
import type { FileType } from './toc.js'
import { OPAQUE_WHITEOUT, XATTR_PREFIX } from './xattrs.js'
import { MAX_ZTOC_SIZE } from './ztoc-schema.js'

/** The types that a zTOC knows, by type flag: position i is flag '0' + i. */
export const FILE_TYPES: readonly FileType[] = ['reg', 'hardlink', 'symlink', 'char', 'block', 'dir', 'fifo']

// One record, little endian: its length; then, at these positions,
const TYPE = 4
const HAS_DEVICE = 5
const OFFSET = 6 // float64: a position in the tar is always a safe integer
const SIZE = 14
const MODE = 22
const UID = 30
const GID = 34
const SECONDS = 38 // float64: times beyond its precision have no text
const NANOSECONDS = 46
const NAME_LENGTH = 50
const LINKNAME_LENGTH = 54
const UNAME_LENGTH = 58
const GNAME_LENGTH = 62
const PAX_COUNT = 66
const FIXED_SIZE = 70
// then the device numbers where there are any, the four texts, each PAX record (lengths of key and value, key, value), and the length
// again, for the way back.
const DEVICE_SIZE = 8 + 8
const PAX_FIXED_SIZE = 4 + 4

/** A lower bound of what an entry takes in a zTOC beside its texts: a vector element, the least table, seven length words and NULs. */
const MIN_ENCODED_SIZE = 4 + 32 + 7 * 5

/**
 * The entries of a tar in tar order, packed into chunks of bytes: 74 bytes and the texts for each, no object per file. It grows only at
 * its end, and throws LayerFormatError LIMIT_EXCEEDED rather than hold more than a zTOC of MAX_ZTOC_SIZE can.
 */
export class TocRecords {
  readonly #chunks: Uint8Array[] = []
  #chunk = new Uint8Array(0)
  #view = new DataView(this.#chunk.buffer)
  #used = 0
  #count = 0
  #encodedSize = 0
  #hasXattrs = false
  /** Why a runtime would read wrong bytes for one of the entries, although the reference's decoder takes them. */
  misread: string | undefined

  /** Entries held. */
  get count(): number {
    return this.#count
  }

  /** At least so many bytes will they take in a zTOC. */
  get encodedSize(): number {
    return this.#encodedSize
  }

  /** Whether any entry has an `SCHILY.xattr.` record or is an opaque whiteout. */
  get hasXattrs(): boolean {
    return this.#hasXattrs
  }

  /** Keeps a copy of the header. `offset` is where the entry's data starts in the tar; its type flag must be '0' to '6'. */
  append(header: TarHeader, offset: number, pax: PaxRecords | undefined): void {
    const hasDevice = header.devmajor !== 0 || header.devminor !== 0
    const textSize = length(header.name) + length(header.linkname) + length(header.uname) + length(header.gname)
    let paxSize = 0
    if (pax !== undefined) {
      for (let i = 0; i < pax.bounds.length; i += BOUNDS) {
        paxSize += PAX_FIXED_SIZE + pax.bounds[i + 1]! - pax.bounds[i]! + pax.bounds[i + 3]! - pax.bounds[i + 2]!
      }
    }
    this.#encodedSize += MIN_ENCODED_SIZE + textSize + paxSize
    if (this.#encodedSize > MAX_ZTOC_SIZE) {
      throw new LayerFormatError(
        'LIMIT_EXCEEDED',
        `the tar's first ${this.#count + 1} entries need a zTOC larger than the limit of 1 GiB`,
      )
    }
    const size = FIXED_SIZE + (hasDevice ? DEVICE_SIZE : 0) + textSize + paxSize + 4
    if (this.#used + size > this.#chunk.length) this.#grow(size)

    const view = this.#view
    const at = this.#used
    view.setUint32(at, size, true)
    view.setUint8(at + TYPE, header.type - 0x30)
    view.setUint8(at + HAS_DEVICE, hasDevice ? 1 : 0)
    view.setFloat64(at + OFFSET, offset, true)
    setInt64(view, at + SIZE, header.size)
    setInt64(view, at + MODE, header.mode)
    view.setUint32(at + UID, lowBits(header.uid), true)
    view.setUint32(at + GID, lowBits(header.gid), true)
    view.setFloat64(at + SECONDS, Number(header.seconds), true)
    view.setUint32(at + NANOSECONDS, header.nanoseconds, true)
    view.setUint32(at + NAME_LENGTH, length(header.name), true)
    view.setUint32(at + LINKNAME_LENGTH, length(header.linkname), true)
    view.setUint32(at + UNAME_LENGTH, length(header.uname), true)
    view.setUint32(at + GNAME_LENGTH, length(header.gname), true)
    view.setUint32(at + PAX_COUNT, pax === undefined ? 0 : pax.bounds.length / BOUNDS, true)
    let to = at + FIXED_SIZE
    if (hasDevice) {
      setInt64(view, to, header.devmajor)
      setInt64(view, to + 8, header.devminor)
      to += DEVICE_SIZE
    }
    to = this.#copy(header.name.of, header.name.start, header.name.end, to)
    to = this.#copy(header.linkname.of, header.linkname.start, header.linkname.end, to)
    to = this.#copy(header.uname.of, header.uname.start, header.uname.end, to)
    to = this.#copy(header.gname.of, header.gname.start, header.gname.end, to)
    if (pax !== undefined) to = this.#appendPax(pax, to)
    view.setUint32(to, size, true)
    this.#used = to + 4
    this.#count++
    if (!this.#hasXattrs) this.#hasXattrs = endsWith(header.name, OPAQUE_WHITEOUT)
  }

  /**
   * The entries from the last to the first, through one cursor that is moved. Chunks that it has passed are given up, so that what is
   * made of the entries may take their place: the records are of no use after that.
   */
  *drain(): Generator<RecordCursor> {
    this.#close()
    for (let chunk = this.#chunks.pop(); chunk !== undefined; chunk = this.#chunks.pop()) {
      const cursor = new RecordCursor(chunk)
      for (let end = cursor.bytes.length; end > 0; end = cursor.start) {
        cursor.moveBefore(end)
        yield cursor
      }
    }
  }

  /** The entries in tar order, through one cursor that is moved. */
  *forwards(): Generator<RecordCursor> {
    this.#close()
    for (const chunk of this.#chunks) {
      const cursor = new RecordCursor(chunk)
      for (let start = 0; start < chunk.length; start = cursor.end) {
        cursor.moveTo(start)
        yield cursor
      }
    }
  }

  #appendPax({ bytes, bounds }: PaxRecords, start: number): number {
    let to = start
    for (let i = 0; i < bounds.length; i += BOUNDS) {
      const [keyStart, keyEnd] = [bounds[i]!, bounds[i + 1]!]
      const [valueStart, valueEnd] = [bounds[i + 2]!, bounds[i + 3]!]
      this.#view.setUint32(to, keyEnd - keyStart, true)
      this.#view.setUint32(to + 4, valueEnd - valueStart, true)
      to = this.#copy(bytes, keyStart, keyEnd, to + PAX_FIXED_SIZE)
      to = this.#copy(bytes, valueStart, valueEnd, to)
      const prefixEnd = Math.min(keyEnd, keyStart + XATTR_PREFIX.length)
      if (isKey(bytes, keyStart, prefixEnd, XATTR_PREFIX)) this.#hasXattrs = true
    }
    return to
  }

  #copy(from: Uint8Array, start: number, end: number, to: number): number {
    const chunk = this.#chunk
    if (end - start > 64) chunk.set(from.subarray(start, end), to)
    else for (let i = start, j = to; i < end; i++, j++) chunk[j] = from[i] as number
    return to + end - start
  }

  #grow(size: number): void {
    this.#close()
    this.#chunk = newChunk(size, this.#encodedSize)
    this.#view = new DataView(this.#chunk.buffer)
  }

  /** Ends the chunk. What is left of it is given back where it is much, so that large records cannot multiply the memory. */
  #close(): void {
    if (this.#used > 0) this.#chunks.push(trimmed(this.#chunk, 0, this.#used))
    this.#chunk = new Uint8Array(0)
    this.#used = 0
  }
}

/** One entry of TocRecords; valid until it is moved. Texts are ranges of `bytes`. */
export class RecordCursor {
  readonly bytes: Uint8Array
  readonly #view: DataView
  start = 0
  end = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  moveTo(start: number): void {
    this.start = start
    this.end = start + this.#view.getUint32(start, true)
  }

  moveBefore(end: number): void {
    this.end = end
    this.start = end - this.#view.getUint32(end - 4, true)
  }

  /** Index of FILE_TYPES. */
  get type(): number {
    return this.#view.getUint8(this.start + TYPE)
  }
  get offset(): number {
    return this.#view.getFloat64(this.start + OFFSET, true)
  }
  get size(): Int64 {
    return getInt64(this.#view, this.start + SIZE)
  }
  get mode(): Int64 {
    return getInt64(this.#view, this.start + MODE)
  }
  get uid(): number {
    return this.#view.getUint32(this.start + UID, true)
  }
  get gid(): number {
    return this.#view.getUint32(this.start + GID, true)
  }
  get seconds(): number {
    return this.#view.getFloat64(this.start + SECONDS, true)
  }
  get nanoseconds(): number {
    return this.#view.getUint32(this.start + NANOSECONDS, true)
  }
  get devmajor(): Int64 {
    return this.#hasDevice ? getInt64(this.#view, this.start + FIXED_SIZE) : 0
  }
  get devminor(): Int64 {
    return this.#hasDevice ? getInt64(this.#view, this.start + FIXED_SIZE + 8) : 0
  }
  /** Where the name starts; linkname, uname, gname and the PAX records follow without a gap. */
  get nameStart(): number {
    return this.start + FIXED_SIZE + (this.#hasDevice ? DEVICE_SIZE : 0)
  }
  get nameLength(): number {
    return this.#view.getUint32(this.start + NAME_LENGTH, true)
  }
  get linknameLength(): number {
    return this.#view.getUint32(this.start + LINKNAME_LENGTH, true)
  }
  get unameLength(): number {
    return this.#view.getUint32(this.start + UNAME_LENGTH, true)
  }
  get gnameLength(): number {
    return this.#view.getUint32(this.start + GNAME_LENGTH, true)
  }
  get paxCount(): number {
    return this.#view.getUint32(this.start + PAX_COUNT, true)
  }
  /** Length of the key of the PAX record at `at`; the value's stands 4 bytes on, then come both texts. */
  uint32(at: number): number {
    return this.#view.getUint32(at, true)
  }

  get #hasDevice(): boolean {
    return this.#view.getUint8(this.start + HAS_DEVICE) !== 0
  }
}

function length(range: ByteRange): number {
  return range.end - range.start
}

function endsWith(range: ByteRange, text: string): boolean {
  return isKey(range.of, Math.max(range.start, range.end - text.length), range.end, text)
}

function setInt64(view: DataView, at: number, value: Int64): void {
  view.setUint32(at, lowBits(value), true)
  view.setInt32(at + 4, highBits(value), true)
}

function getInt64(view: DataView, at: number): Int64 {
  return fromBits(view.getUint32(at, true), view.getInt32(at + 4, true))
}

import { ZtocFormatError } from '../error.js'
import { fromBits, type Int64 } from '../tar/int64.js'

/**
 * Reads a FlatBuffer that nobody vouches for: each access is checked against the buffer's end (the `flatbuffers` library reads
 * whatever is found there). Positions are offsets in the buffer; a field that is absent has position 0. Throws ZtocFormatError ZTOC_INVALID.
 */
export class FlatBufferReader {
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    // Not a Buffer, whose subarrays would be Buffers too.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** The root table. */
  root(): number {
    return this.follow(0)
  }

  /** The place of a field in the table at `table`, or 0. */
  field(table: number, field: number): number {
    const vtable = table - this.int32(table)
    const entry = 4 + 2 * field
    if (entry + 2 > this.#uint16(vtable)) return 0
    const offset = this.#uint16(vtable + entry)
    return offset === 0 ? 0 : table + offset
  }

  /** What the offset at `at` refers to: a table, a string or a vector. */
  follow(at: number): number {
    return at + this.uint32(at)
  }

  /** The length of the string or vector at `at`, whose items of `itemSize` bytes start 4 bytes on and are all in the buffer. */
  length(at: number, itemSize: number): number {
    const length = this.uint32(at)
    this.#check(at + 4, length * itemSize)
    return length
  }

  int8(at: number): number {
    this.#check(at, 1)
    return this.#view.getInt8(at)
  }

  int32(at: number): number {
    this.#check(at, 4)
    return this.#view.getInt32(at, true)
  }

  uint32(at: number): number {
    this.#check(at, 4)
    return this.#view.getUint32(at, true)
  }

  int64(at: number): Int64 {
    this.#check(at, 8)
    return fromBits(this.#view.getUint32(at, true), this.#view.getInt32(at + 4, true))
  }

  #uint16(at: number): number {
    this.#check(at, 2)
    return this.#view.getUint16(at, true)
  }

  #check(at: number, size: number): void {
    if (at >= 0 && at + size <= this.bytes.length) return
    throw new ZtocFormatError(
      'ZTOC_INVALID',
      `the zTOC is not a valid FlatBuffer: bytes ${at} to ${at + size} of a buffer of ${this.bytes.length}`,
    )
  }
}

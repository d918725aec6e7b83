import { LayerFormatError } from '../error.js'
import { highBits, type Int64, lowBits } from '../tar/int64.js'
import { newChunk, trimmed } from './chunk.js'
import { MAX_ZTOC_SIZE } from './ztoc-schema.js'

/** More than a table of 14 fields with its vtable and padding can take: 4 + 14 * (8 + 4), 4 + 14 * 2. */
const TABLE_ROOM = 256

interface Vtable {
  /** Offsets of the fields in their table, 0 for one that is absent. */
  readonly fields: readonly number[]
  readonly position: number
}

/**
 * Writes a FlatBuffer as the Go library's builder does, to the byte: from the end to the start, each table behind an equal vtable that
 * is there already or a new one. A position is a distance from the buffer's end. What is written goes to chunks that are never copied
 * or grown; large byte vectors are taken as they are.
 *
 * Format: https://flatbuffers.dev/internals/; order, padding and vtables: builder.go of github.com/google/flatbuffers.
 */
export class FlatBufferWriter {
  /** Finished pieces, the last bytes of the buffer first. */
  readonly #pieces: Uint8Array[] = []
  #chunk = new Uint8Array(0)
  #view = new DataView(this.#chunk.buffer)
  /** What is written of the chunk starts here. What is before it is zeros, so padding is only a step. */
  #head = 0
  #size = 0
  /** The largest alignment of anything written. */
  #alignment = 1
  readonly #vtables: Vtable[] = []
  #lastVtable: Vtable | undefined
  /** The table that is being written: the position before it, and its fields' positions. */
  #tableEnd = 0
  readonly #fields: number[] = []

  /** A string [start, end) of `from`. Returns its position. */
  string(from: Uint8Array, start: number, end: number): number {
    const length = end - start
    this.#ensure(length + 4 + 4 + 4)
    this.#align(4, length + 1)
    this.#step(1) // NUL
    this.#step(length)
    const chunk = this.#chunk
    if (length > 64) chunk.set(from.subarray(start, end), this.#head)
    else for (let i = start, to = this.#head; i < end; i++, to++) chunk[to] = from[i] as number
    return this.#uint32(length)
  }

  /** A byte vector, given in pieces that become pieces of the buffer. Returns its position. */
  byteVector(pieces: readonly Uint8Array[]): number {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#ensure(4)
    this.#align(4, length)
    this.#closeChunk()
    this.#checkSize(length)
    for (let i = pieces.length - 1; i >= 0; i--) this.#pieces.push(pieces[i] as Uint8Array)
    this.#size += length
    this.#ensure(4)
    return this.#uint32(length)
  }

  /** A vector of `count` positions, of which `positionOf(i)` gives the i-th. Returns its position. */
  vector(count: number, positionOf: (index: number) => number): number {
    this.#ensure(4)
    this.#align(4, 4 * count)
    for (let i = count - 1; i >= 0; i--) this.#uoffset(positionOf(i))
    this.#ensure(4)
    return this.#uint32(count)
  }

  /** Starts a table of `fieldCount` fields; they must be added before anything else is written. */
  startTable(fieldCount: number): void {
    this.#ensure(TABLE_ROOM)
    this.#tableEnd = this.#size
    this.#fields.length = fieldCount
    this.#fields.fill(0)
  }

  /** A number that is the field's default (0, or `absent`) is not written. */
  addInt64(field: number, value: Int64): void {
    if (value === 0) return
    this.#align(8, 0)
    this.#step(8)
    this.#view.setUint32(this.#head, lowBits(value), true)
    this.#view.setInt32(this.#head + 4, highBits(value), true)
    this.#fields[field] = this.#size
  }

  addInt32(field: number, value: number): void {
    if (value === 0) return
    this.#align(4, 0)
    this.#fields[field] = this.#uint32(value)
  }

  addInt8(field: number, value: number, absent: number): void {
    if (value === absent) return
    this.#step(1)
    this.#view.setInt8(this.#head, value)
    this.#fields[field] = this.#size
  }

  addOffset(field: number, position: number): void {
    this.#align(4, 0)
    this.#uoffset(position)
    this.#fields[field] = this.#size
  }

  /** Ends the table. Returns its position. */
  endTable(): number {
    this.#align(4, 0)
    this.#step(4)
    const position = this.#size
    const at = this.#head
    const fields = this.#fields
    while (fields.length > 0 && fields[fields.length - 1] === 0) fields.length--
    for (let i = 0; i < fields.length; i++) {
      if (fields[i] !== 0) fields[i] = position - fields[i]!
    }
    const vtable = this.#findVtable() ?? this.#writeVtable(position)
    this.#view.setInt32(at, vtable.position - position, true)
    return position
  }

  /** Ends the buffer with its root table. Returns its pieces from the first byte to the last. */
  finish(root: number): { size: number; pieces: Uint8Array[] } {
    this.#ensure(8 + 4)
    this.#align(this.#alignment, 4)
    this.#uoffset(root)
    this.#closeChunk()
    return { size: this.#size, pieces: this.#pieces.reverse() }
  }

  #findVtable(): Vtable | undefined {
    if (this.#lastVtable !== undefined && this.#hasFields(this.#lastVtable)) return this.#lastVtable
    // No two are equal, so it does not matter that Go's builder looks at the newest first.
    this.#lastVtable = this.#vtables.find((vtable) => this.#hasFields(vtable))
    return this.#lastVtable
  }

  /** The table's size does not count: Go's builder compares only the fields. */
  #hasFields({ fields }: Vtable): boolean {
    const count = this.#fields.length
    if (fields.length !== count) return false
    for (let i = 0; i < count; i++) {
      if (fields[i] !== this.#fields[i]) return false
    }
    return true
  }

  #writeVtable(tablePosition: number): Vtable {
    const fields = [...this.#fields]
    this.#step(4 + 2 * fields.length)
    this.#view.setUint16(this.#head, 4 + 2 * fields.length, true)
    this.#view.setUint16(this.#head + 2, tablePosition - this.#tableEnd, true)
    for (let i = 0; i < fields.length; i++) this.#view.setUint16(this.#head + 4 + 2 * i, fields[i] as number, true)
    this.#lastVtable = { fields, position: this.#size }
    this.#vtables.push(this.#lastVtable)
    return this.#lastVtable
  }

  #uoffset(position: number): number {
    this.#ensure(4)
    return this.#uint32(this.#size + 4 - position)
  }

  /** Room for it must be there, and alignment. */
  #uint32(value: number): number {
    this.#step(4)
    this.#view.setUint32(this.#head, value, true)
    return this.#size
  }

  /** Pads so that what is written after `following` more bytes is aligned. */
  #align(alignment: number, following: number): void {
    if (alignment > this.#alignment) this.#alignment = alignment
    this.#step(-(this.#size + following) & (alignment - 1))
  }

  #step(bytes: number): void {
    this.#head -= bytes
    this.#size += bytes
  }

  #ensure(bytes: number): void {
    if (this.#head >= bytes) return
    this.#closeChunk()
    this.#checkSize(bytes)
    this.#chunk = newChunk(bytes, this.#size)
    this.#view = new DataView(this.#chunk.buffer)
    this.#head = this.#chunk.length
  }

  #closeChunk(): void {
    if (this.#head < this.#chunk.length) this.#pieces.push(trimmed(this.#chunk, this.#head, this.#chunk.length))
    this.#chunk = new Uint8Array(0)
    this.#head = 0
  }

  #checkSize(more: number): void {
    if (this.#size + more <= MAX_ZTOC_SIZE) return
    throw new LayerFormatError('LIMIT_EXCEEDED', `the zTOC would pass the limit of 1 GiB: use a larger span size`)
  }
}

import { ZtocFormatError } from '../error.js'
import type { FlatBufferReader } from './flatbuffer-reader.js'
import { LazyList } from './lazy-list.js'
import type { FileEntry, FileList, PaxRecord } from './toc.js'
import { FILE, XATTR } from './ztoc-schema.js'

const TEXTS = [FILE.name, FILE.type, FILE.linkname, FILE.uname, FILE.gname, FILE.modTime]
const INT64S = [FILE.offset, FILE.size, FILE.mode, FILE.devmajor, FILE.devminor]
const UINT32S = [FILE.uid, FILE.gid]

/**
 * How many times its own size a zTOC's entries may come to. Strings may be shared in a FlatBuffer; without a limit, a small one could
 * name the same megabyte a million times.
 */
const MAX_EXPANSION = 16
/** What an entry and a PAX record count for, beside their texts. */
const ENTRY_COST = 64

/** The entries of the vector of FileMetadata tables at `vector`. They are all checked here, so that nothing throws later. */
export class TocFiles extends LazyList<FileEntry> implements FileList {
  readonly #reader: FlatBufferReader
  readonly #vector: number
  readonly #buffer: Buffer

  constructor(reader: FlatBufferReader, vector: number) {
    super(vector === 0 ? 0 : reader.length(vector, 4), (index) => this.#entry(index))
    this.#reader = reader
    this.#vector = vector
    const { buffer, byteOffset, length } = reader.bytes
    this.#buffer = Buffer.from(buffer, byteOffset, length)
    this.#check()
  }

  find(name: string | Uint8Array): FileEntry | undefined {
    const wanted = typeof name === 'string' ? Buffer.from(name) : name
    for (let i = this.length - 1; i >= 0; i--) {
      const [start, end] = this.#range(this.#table(i), FILE.name)
      if (end - start === wanted.length && this.#buffer.compare(wanted, undefined, undefined, start, end) === 0) {
        return this.#entry(i)
      }
    }
    return undefined
  }

  #table(index: number): number {
    return this.#reader.follow(this.#vector + 4 + 4 * index)
  }

  #entry(index: number): FileEntry {
    const table = this.#table(index)
    return {
      index,
      name: this.#text(table, FILE.name),
      nameBytes: this.#bytes(table, FILE.name),
      type: this.#text(table, FILE.type),
      offset: this.#int64(table, FILE.offset),
      size: this.#int64(table, FILE.size),
      linkname: this.#text(table, FILE.linkname),
      linknameBytes: this.#bytes(table, FILE.linkname),
      mode: this.#int64(table, FILE.mode),
      uid: this.#uint32(table, FILE.uid),
      gid: this.#uint32(table, FILE.gid),
      uname: this.#text(table, FILE.uname),
      gname: this.#text(table, FILE.gname),
      modTime: this.#text(table, FILE.modTime),
      devmajor: this.#int64(table, FILE.devmajor),
      devminor: this.#int64(table, FILE.devminor),
      paxRecords: this.#paxRecords(table),
    }
  }

  #paxRecords(table: number): PaxRecord[] {
    const at = this.#reader.field(table, FILE.xattrs)
    if (at === 0) return []
    const vector = this.#reader.follow(at)
    return Array.from({ length: this.#reader.length(vector, 4) }, (_, i) => {
      const record = this.#reader.follow(vector + 4 + 4 * i)
      return {
        key: this.#text(record, XATTR.key),
        keyBytes: this.#bytes(record, XATTR.key),
        value: this.#text(record, XATTR.value),
        valueBytes: this.#bytes(record, XATTR.value),
      }
    })
  }

  #text(table: number, field: number): string {
    const [start, end] = this.#range(table, field)
    return this.#buffer.toString('utf8', start, end)
  }

  #bytes(table: number, field: number): Uint8Array {
    return this.#reader.bytes.subarray(...this.#range(table, field))
  }

  /** Where the text is; empty where the field is absent. */
  #range(table: number, field: number): [start: number, end: number] {
    const at = this.#reader.field(table, field)
    if (at === 0) return [0, 0]
    const text = this.#reader.follow(at)
    return [text + 4, text + 4 + this.#reader.length(text, 1)]
  }

  #int64(table: number, field: number): number {
    const at = this.#reader.field(table, field)
    return at === 0 ? 0 : Number(this.#reader.int64(at))
  }

  #uint32(table: number, field: number): number {
    const at = this.#reader.field(table, field)
    return at === 0 ? 0 : this.#reader.uint32(at)
  }

  #check(): void {
    const reader = this.#reader
    let budget = reader.bytes.length * MAX_EXPANSION
    const spend = (cost: number): void => {
      budget -= cost
      if (budget >= 0) return
      throw new ZtocFormatError(
        'ZTOC_INVALID',
        `the zTOC's entries share bytes: together they have more than ${MAX_EXPANSION} times its ${reader.bytes.length} bytes`,
      )
    }
    const checkText = (table: number, field: number): void => {
      const at = reader.field(table, field)
      if (at !== 0) spend(reader.length(reader.follow(at), 1))
    }
    for (let i = 0; i < this.length; i++) {
      const table = this.#table(i)
      spend(ENTRY_COST)
      for (const field of TEXTS) checkText(table, field)
      for (const field of INT64S) this.#int64(table, field)
      for (const field of UINT32S) this.#uint32(table, field)
      const at = reader.field(table, FILE.xattrs)
      const vector = at === 0 ? 0 : reader.follow(at)
      const count = at === 0 ? 0 : reader.length(vector, 4)
      for (let j = 0; j < count; j++) {
        const record = reader.follow(vector + 4 + 4 * j)
        spend(ENTRY_COST)
        checkText(record, XATTR.key)
        checkText(record, XATTR.value)
      }
    }
  }
}

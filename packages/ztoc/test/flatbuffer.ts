import { ByteBuffer } from 'flatbuffers'
import { COMPRESSION_INFO, FILE, TOC, XATTR, ZTOC } from '../src/ztoc/ztoc-schema.js'

/** Reads tables with the runtime of the `flatbuffers` package, which has its own idea of the format. */
export class Table {
  readonly #buffer: ByteBuffer
  readonly #at: number

  constructor(buffer: ByteBuffer, at: number) {
    this.#buffer = buffer
    this.#at = at
  }

  static root(bytes: Uint8Array): Table {
    const buffer = new ByteBuffer(bytes)
    return new Table(buffer, buffer.readInt32(0))
  }

  #field(field: number): number {
    const offset = this.#buffer.__offset(this.#at, 4 + 2 * field)
    return offset === 0 ? 0 : this.#at + offset
  }

  text(field: number): string | undefined {
    const at = this.#field(field)
    return at === 0 ? undefined : (this.#buffer.__string(at) as string)
  }

  int64(field: number): bigint {
    const at = this.#field(field)
    return at === 0 ? 0n : this.#buffer.readInt64(at)
  }

  int32(field: number): number {
    const at = this.#field(field)
    return at === 0 ? 0 : this.#buffer.readInt32(at)
  }

  int8(field: number): number {
    const at = this.#field(field)
    return at === 0 ? 0 : this.#buffer.readInt8(at)
  }

  table(field: number): Table {
    return new Table(this.#buffer, this.#buffer.__indirect(this.#field(field)))
  }

  bytes(field: number): Uint8Array {
    const at = this.#field(field)
    const start = this.#buffer.__vector(at)
    return this.#buffer.bytes().subarray(start, start + this.#buffer.__vector_len(at))
  }

  texts(field: number): string[] {
    const at = this.#field(field)
    const start = this.#buffer.__vector(at)
    return Array.from(
      { length: this.#buffer.__vector_len(at) },
      (_, i) => this.#buffer.__string(start + 4 * i) as string,
    )
  }

  tables(field: number): Table[] {
    const at = this.#field(field)
    const start = this.#buffer.__vector(at)
    return Array.from(
      { length: this.#buffer.__vector_len(at) },
      (_, i) => new Table(this.#buffer, this.#buffer.__indirect(start + 4 * i)),
    )
  }
}

/** A zTOC as that package sees it, in plain data. */
export function readZtoc(bytes: Uint8Array) {
  const root = Table.root(bytes)
  const info = root.table(ZTOC.compressionInfo)
  return {
    version: root.text(ZTOC.version),
    buildTool: root.text(ZTOC.buildTool),
    compressedSize: Number(root.int64(ZTOC.compressedSize)),
    uncompressedSize: Number(root.int64(ZTOC.uncompressedSize)),
    spanCount: info.int32(COMPRESSION_INFO.maxSpanId) + 1,
    spanDigests: info.texts(COMPRESSION_INFO.spanDigests),
    algorithm: info.int8(COMPRESSION_INFO.algorithm),
    checkpoints: info.bytes(COMPRESSION_INFO.checkpoints),
    files: root
      .table(ZTOC.toc)
      .tables(TOC.metadata)
      .map((file, index) => ({
        index,
        name: file.text(FILE.name),
        type: file.text(FILE.type),
        offset: Number(file.int64(FILE.offset)),
        size: Number(file.int64(FILE.size)),
        linkname: file.text(FILE.linkname),
        mode: Number(file.int64(FILE.mode)),
        uid: file.int32(FILE.uid) >>> 0,
        gid: file.int32(FILE.gid) >>> 0,
        uname: file.text(FILE.uname),
        gname: file.text(FILE.gname),
        modTime: file.text(FILE.modTime),
        devmajor: Number(file.int64(FILE.devmajor)),
        devminor: Number(file.int64(FILE.devminor)),
        paxRecords: file
          .tables(FILE.xattrs)
          .map((record) => ({ key: record.text(XATTR.key), value: record.text(XATTR.value) })),
      })),
  }
}

import type { Compression } from '../types.js'

export type FileType = 'hardlink' | 'symlink' | 'dir' | 'reg' | 'char' | 'block' | 'fifo'

/**
 * One entry of a layer's tar, as its zTOC tells it. Text fields are decoded as UTF-8 with U+FFFD for what is none; the raw bytes stand
 * beside them where they name something. Integers beyond ±2^53 are rounded to the nearest double.
 */
export interface FileEntry {
  /** Position in the zTOC's list. */
  readonly index: number
  readonly name: string
  readonly nameBytes: Uint8Array
  /** One of `FileType` in every zTOC that the reference or we build; a foreign zTOC may hold any text. */
  readonly type: FileType | (string & {})
  /** Where the entry's data starts in the tar. */
  readonly offset: number
  /** Bytes, as the tar header says: may be nonzero for links and directories, which have no data. */
  readonly size: number
  readonly linkname: string
  readonly linknameBytes: Uint8Array
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly uname: string
  readonly gname: string
  /** RFC 3339; empty where the time lies outside the years 0 to 9999. */
  readonly modTime: string
  readonly devmajor: number
  readonly devminor: number
  /** All PAX records of the entry in key order (the zTOC's field is called xattrs for historical reasons). */
  readonly paxRecords: readonly PaxRecord[]
}

export interface PaxRecord {
  readonly key: string
  readonly keyBytes: Uint8Array
  readonly value: string
  readonly valueBytes: Uint8Array
}

/** Items that are made when they are asked for, so that a million of them cost nothing until then. */
export interface List<T> extends Iterable<T> {
  readonly length: number
  /** The item at `index` (negative: counted from the end), or undefined where there is none. */
  at(index: number): T | undefined
}

/** The entries of a zTOC in the order in which it lists them, which is the tar's. */
export interface FileList extends List<FileEntry> {
  /** The last entry with exactly this name (bytes, or text as UTF-8): the one that a runtime shows. */
  find(name: string | Uint8Array): FileEntry | undefined
}

/** A place from which the deflate stream can be read. */
export interface Checkpoint {
  /** Offset in the compressed layer of the next whole byte. */
  readonly in: number
  /** Offset in the tar. */
  readonly out: number
  /** How many high bits (0..7) of the byte before `in` belong to the next deflate block. */
  readonly bits: number
  /** The 32 KiB of the tar before `out`, zeros where less has been output. A view: do not write to it. */
  readonly window: Uint8Array
}

/** A decoded zTOC. It keeps views of the bytes it was decoded from. */
export interface Toc {
  readonly version: string
  readonly buildTool: string
  readonly compression: Compression
  /** The layer's size in bytes. */
  readonly compressedSize: number
  /** The tar reader's position at the tar's end; padding after it is not counted. */
  readonly uncompressedSize: number
  /** max_span_id + 1. */
  readonly spanCount: number
  /** Uncompressed bytes per span: of a gzip layer's at least, of an uncompressed layer's exactly. */
  readonly spanSize: number
  /** `sha256:<hex>` of each span's compressed bytes. */
  readonly spanDigests: List<string>
  /** One per span of a gzip layer; none for an uncompressed one. */
  readonly checkpoints: List<Checkpoint>
  readonly files: FileList
}

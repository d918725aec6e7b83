import type { Compression } from './types.js'

export type FileType = 'hardlink' | 'symlink' | 'dir' | 'reg' | 'char' | 'block' | 'fifo'

/**
 * One entry of a layer's tar, as its zTOC tells it. Text fields are decoded as UTF-8 with U+FFFD for what is none; the raw bytes stand
 * beside them where they name something. Integers beyond ±2^53 are rounded to the nearest double.
 */
export interface FileEntry {
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

/** The entries of a zTOC in the order it lists them, each decoded when it is asked for: a million of them cost nothing until then. */
export interface FileList extends Iterable<FileEntry> {
  readonly length: number
  /** The entry at `index` (negative: from the end), or undefined. Throws ZtocFormatError where the entry is malformed. */
  at(index: number): FileEntry | undefined
  /** The last entry with exactly this name (bytes or UTF-8 text), which is the one a runtime shows, or undefined. */
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

/** The checkpoints of a gzip layer, made when asked for. Empty for an uncompressed layer. */
export interface CheckpointList {
  readonly length: number
  /** Throws RangeError where `index` is not below `length`. */
  at(index: number): Checkpoint
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
  readonly spanSize: number
  /** `sha256:<hex>` of each span's compressed bytes. */
  readonly spanDigests: readonly string[]
  readonly checkpoints: CheckpointList
  readonly files: FileList
}

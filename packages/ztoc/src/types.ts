/** How a layer's tar is compressed, as a zTOC can say it. */
export type Compression = 'gzip' | 'uncompressed'

/** An encoded zTOC: its bytes are `pieces` in order, `size` bytes in all, with `digest` (`sha256:<hex>`) over them. */
export interface EncodedZtoc {
  readonly size: number
  readonly digest: string
  readonly pieces: readonly Uint8Array[]
}

/** A file that a start reads. */
export interface HotFile {
  /** As `Profile` has it. An entry whose path ends with the same three names (with fewer: all of them) is taken for it. */
  readonly path: string
  /** Half-open ranges of bytes that are read. @default the whole file */
  readonly ranges?: readonly (readonly [start: number, end: number])[]
}

/** What a start reads of a layer. */
export interface HotSpans {
  readonly files: readonly HotFile[]
  /** Files for which any of these holds do not count: what a start reads of them is elsewhere. */
  readonly except: readonly CopyRule[]
  /** Uncompressed bytes of a span that a start does not read; never fewer than `spanSize`. @default 16 MiB */
  readonly coldSpanSize?: number
}

/** A file of at most `upTo` bytes, of which at least this share is read (0 to 1). */
export interface CopyRule {
  readonly upTo: number
  readonly share: number
}

/** Files whose contents are written to a file while a layer is read. */
export interface CaptureOptions {
  readonly files: readonly HotFile[]
  /** Files for which any of these holds are kept. */
  readonly rules: readonly CopyRule[]
  /** Bytes of all that are kept; of files that do not fit none is. */
  readonly limit: number
  /** Descriptor of an empty file that is open for writing, for this layer only. What cannot be written is not kept. */
  readonly fd: number
}

/** A file's content, of the entry whose data starts at `offset` in the tar. */
export interface CapturedFile {
  readonly offset: number
  readonly size: number
  /** Where its bytes are in the file of `fd`. */
  readonly at: number
}

export interface IndexLayerOptions {
  /** Uncompressed bytes between checkpoints (gzip: at least; uncompressed: exactly). @default 4194304, as the soci CLI */
  readonly spanSize?: number
  /**
   * Cuts a gzip layer's spans where stretches of these files meet others: `spanSize` holds within them, outside spans are 16 MiB at least. The same layer and options give
   * the same zTOC; any runtime reads it. @default spans by size alone, as the soci CLI
   */
  readonly hot?: HotSpans | undefined
  /** Files to keep. @default none */
  readonly capture?: CaptureOptions | undefined
  /** Written into the zTOC. @default 'sociable v1' */
  readonly buildTool?: string
  /** @default detected from the layer's first bytes: a gzip header, else a tar */
  readonly compression?: Compression
  /**
   * Uncompressed bytes that the layer may have: more is a `LayerFormatError` LIMIT_EXCEEDED, as soon as they are seen. @default 16 GiB, or 100 times the
   * compressed bytes if that is more; without a limit of yours, the entries' part of the zTOC is limited too: to 128 MiB, or the compressed bytes
   */
  readonly limit?: number | undefined
  /** What the layer's bytes must be; a mismatch is a `LayerFormatError` after the last byte. */
  readonly expected?: { readonly digest?: string; readonly size?: number }
  /** Compressed bytes consumed so far. Called at most once per input chunk. */
  readonly onProgress?: (bytes: number) => void
  readonly signal?: AbortSignal
}

export interface IndexedLayer {
  readonly ztoc: EncodedZtoc
  /** The zTOC's digest. */
  readonly digest: string
  /** The layer as it was read: digest and size of its compressed bytes, and the tar's size as the zTOC records it. */
  readonly layer: { readonly digest: string; readonly size: number; readonly uncompressedSize: number }
  readonly compression: Compression
  readonly spans: number
  readonly files: number
  /** Whether any entry has an `SCHILY.xattr.` record or is an opaque whiteout: without, a runtime may skip xattr look-ups. */
  readonly hasXattrs: boolean
  /** Why no runtime could use this zTOC although it can be built: the reference's decoder refuses it, or a sparse file would be misread. Undefined for a sound one. */
  readonly unloadable: string | undefined
  /** Contents of the files of `capture`, in the tar's order. */
  readonly captured: readonly CapturedFile[]
}

/** Yields the layer's compressed bytes [start, end). */
export type FetchRange = (start: number, end: number) => AsyncIterable<Uint8Array> | Promise<Uint8Array>

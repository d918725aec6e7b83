/**
 * What a start reads of an image, in the order of first use. A profile names paths only, nothing of an image: it is committed beside a
 * Dockerfile and serves every version of the image.
 */
export interface Profile {
  readonly version: 1
  /** It was made without a trace, so a start may well read more than it lists. @default false */
  readonly static?: true
  readonly files: readonly ProfileFile[]
}

/** A file that a start reads. */
export interface ProfileFile {
  /** Absolute path in the image, as the start named it: it may be a symlink, or lead through one. */
  readonly path: string
  /** The bytes that are read, as half-open ranges `[start, end)`, sorted and disjoint. @default the whole file */
  readonly ranges?: readonly ByteRange[]
}

/** A half-open range of bytes: `start` is in it, `end` is not. */
export type ByteRange = readonly [start: number, end: number]

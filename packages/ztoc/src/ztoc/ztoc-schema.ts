/** Larger zTOCs are refused: a tiny span size, or a bomb of a tar, would take any amount of memory. */
export const MAX_ZTOC_SIZE = 2 ** 30

// Fields of the zTOC's tables by their place in the vtable (ztoc.fbs and zinfo.fbs of the reference).

export const ZTOC = {
  version: 0,
  buildTool: 1,
  compressedSize: 2,
  uncompressedSize: 3,
  toc: 4,
  compressionInfo: 5,
} as const
export const ZTOC_FIELDS = 6

export const TOC = { metadata: 0 } as const
export const TOC_FIELDS = 1

export const FILE = {
  name: 0,
  type: 1,
  offset: 2,
  size: 3,
  linkname: 4,
  mode: 5,
  uid: 6,
  gid: 7,
  uname: 8,
  gname: 9,
  modTime: 10,
  devmajor: 11,
  devminor: 12,
  /** All PAX records. */
  xattrs: 13,
} as const
export const FILE_FIELDS = 14

export const XATTR = { key: 0, value: 1 } as const
export const XATTR_FIELDS = 2

export const COMPRESSION_INFO = { algorithm: 0, maxSpanId: 1, spanDigests: 2, checkpoints: 3 } as const
export const COMPRESSION_INFO_FIELDS = 4

/** The algorithm's default; it is not written. */
export const GZIP = 1
export const UNCOMPRESSED = 2

export const TAR_ZINFO = { version: 0, spanSize: 1, size: 2 } as const
export const TAR_ZINFO_FIELDS = 3

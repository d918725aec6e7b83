export type LayerFormatErrorCode =
  | 'GZIP_CORRUPT'
  | 'GZIP_TRUNCATED'
  | 'ZSTD_CORRUPT'
  | 'TAR_INVALID'
  | 'TAR_UNSUPPORTED_ENTRY'
  | 'COMPRESSION_UNSUPPORTED'
  | 'LIMIT_EXCEEDED'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'

/** A layer's bytes are not what they should be; the message names the offset (of the compressed bytes for gzip, of the tar otherwise). */
export class LayerFormatError extends Error {
  override readonly name = 'LayerFormatError'
  readonly code: LayerFormatErrorCode
  constructor(code: LayerFormatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type ZtocFormatErrorCode = 'ZTOC_INVALID' | 'SPAN_DIGEST_MISMATCH'

/** A zTOC, or the compressed bytes fetched for one of its spans, are not what they should be. */
export class ZtocFormatError extends Error {
  override readonly name = 'ZtocFormatError'
  readonly code: ZtocFormatErrorCode
  constructor(code: ZtocFormatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type FileErrorCode = 'FILE_NOT_FOUND' | 'NOT_A_FILE'

/** What was asked for is not a file of the layer that could be read. */
export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: FileErrorCode
  constructor(code: FileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

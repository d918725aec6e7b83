export type StoreErrorCode =
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'DIGEST_MISMATCH'
  | 'SIZE_MISMATCH'
  | 'TAG_IMMUTABLE'
  | 'RATE_LIMITED'
  | 'UNREACHABLE'
  | 'PROTOCOL'

/**
 * A store cannot do what was asked. `NOT_FOUND`: it does not have it; `UNAUTHORIZED`, `DENIED`: not for this user, or not writable;
 * `DIGEST_MISMATCH`, `SIZE_MISMATCH`: a content is not what its descriptor says; `TAG_IMMUTABLE`: the name is taken for good;
 * `RATE_LIMITED`, `UNREACHABLE`: try again later; `PROTOCOL`: what lies there, or what answers, does not keep to its format.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** An image's name, a tag or a digest that is none. */
export class ImageReferenceError extends Error {
  override readonly name = 'ImageReferenceError'
  readonly code = 'REFERENCE_INVALID'
}

export type ManifestErrorCode = 'JSON_INVALID' | 'MANIFEST_INVALID'

/** `JSON_INVALID`: the bytes are not JSON, or are nested too deeply; `MANIFEST_INVALID`: JSON, but not the document that it should be. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
  readonly code: ManifestErrorCode
  constructor(code: ManifestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

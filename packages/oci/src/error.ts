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
  /** The message without the advice that it may end with: for programs that have no command line. */
  readonly problem: string
  /** What a user of the command line can do. */
  readonly advice: string | undefined
  constructor(code: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(options.advice ? `${message}: ${options.advice}` : message, options)
    this.code = code
    this.problem = message
    this.advice = options.advice
  }
}

export interface StoreErrorOptions extends ErrorOptions {
  /** What a user of the command line can do: the end of the message. */
  readonly advice?: string | undefined
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

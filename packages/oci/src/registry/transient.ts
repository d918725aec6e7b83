import { StoreError, type StoreErrorCode } from '../error.js'

/** A failure that may pass: asking again is worth it. To a caller it is a `StoreError` as any other. */
export class TransientError extends StoreError {
  /** Milliseconds after which the server wants to be asked again, where it said so. */
  readonly retryAfter: number | undefined
  constructor(
    code: StoreErrorCode,
    message: string,
    options?: ErrorOptions & { readonly retryAfter?: number | undefined },
  ) {
    super(code, message, options)
    this.retryAfter = options?.retryAfter
  }
}

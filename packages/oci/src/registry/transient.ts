import { StoreError, type StoreErrorCode } from '../error.js'

/** A failure that may pass: asking again is worth it. To a caller it is a `StoreError` as any other. */
export class TransientError extends StoreError {
  /** Milliseconds after which the server wants to be asked again, where it said so. */
  readonly retryAfter: number | undefined
  /** What happened in a few words, for a notice: `429 from registry.example`. @default the message */
  readonly brief: string
  constructor(
    code: StoreErrorCode,
    message: string,
    options?: ErrorOptions & { readonly retryAfter?: number | undefined; readonly brief?: string | undefined },
  ) {
    super(code, message, options)
    this.retryAfter = options?.retryAfter
    this.brief = options?.brief ?? message
  }
}

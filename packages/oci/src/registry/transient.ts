import { StoreError, type StoreErrorCode, type StoreErrorOptions } from '../error.js'

/** A failure that may pass: asking again is worth it. To a caller it is a `StoreError` as any other. */
export class TransientError extends StoreError {
  /** Milliseconds after which the server wants to be asked again, where it said so. */
  readonly retryAfter: number | undefined
  /** What happened in a few words, for a notice: `429 from registry.example`. @default the message */
  readonly brief: string
  /** How often another try is worth it, if that is less than the policy says. */
  readonly retries: number | undefined
  constructor(code: StoreErrorCode, message: string, options?: TransientErrorOptions) {
    super(code, message, options)
    this.retryAfter = options?.retryAfter
    this.brief = options?.brief ?? message
    this.retries = options?.retries
  }
}

export interface TransientErrorOptions extends StoreErrorOptions {
  readonly retryAfter?: number | undefined
  readonly brief?: string | undefined
  readonly retries?: number | undefined
}

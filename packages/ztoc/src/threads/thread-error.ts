import { LayerFormatError, type LayerFormatErrorCode } from '../error.js'

/** An error on its way between threads, which keep neither its class nor its `code`. */
export interface ErrorMessage {
  readonly code?: LayerFormatErrorCode
  readonly message: string
  readonly stack?: string
}

export function describeError(error: unknown): ErrorMessage {
  if (error instanceof LayerFormatError) return { code: error.code, message: error.message }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return stack === undefined ? { message } : { message, stack }
}

export function reviveError({ code, message, stack }: ErrorMessage): Error {
  if (code !== undefined) return new LayerFormatError(code, message)
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}

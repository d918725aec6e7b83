import { ImageReferenceError, ManifestError, StoreError } from '../error.js'

/** distribution-spec v1.1.1, "Error Codes"; `UNKNOWN` for a fault of the server's, as others have it. */
export type RequestErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNKNOWN'

/** A request is answered with an error: its status and code. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number
  readonly code: RequestErrorCode
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, code: RequestErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** The answer to the client; `undefined` for errors of the server itself, whose text is not sent. */
export function asRequestError(error: unknown): RequestError | undefined {
  if (error instanceof RequestError) return error
  if (error instanceof ImageReferenceError) return new RequestError(400, 'DIGEST_INVALID', error.message)
  if (error instanceof ManifestError) return new RequestError(400, 'MANIFEST_INVALID', error.message)
  if (!(error instanceof StoreError)) return undefined
  switch (error.code) {
    case 'NOT_FOUND':
      return new RequestError(404, 'MANIFEST_UNKNOWN', error.message)
    case 'DENIED':
      return new RequestError(403, 'DENIED', error.message)
    case 'DIGEST_MISMATCH':
      return new RequestError(400, 'DIGEST_INVALID', error.message)
    case 'SIZE_MISMATCH':
      return new RequestError(400, 'SIZE_INVALID', error.message)
    default:
      return undefined
  }
}

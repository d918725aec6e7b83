import { ImageReferenceError, ManifestError, StoreError } from '@sociable/oci'
import { FileError, LayerFormatError, ZtocFormatError } from '@sociable/ztoc'

export type ImageErrorCode =
  | 'NOT_AN_IMAGE'
  | 'PLATFORM_NOT_FOUND'
  | 'NOTHING_TO_INDEX'
  | 'PATH_NOT_FOUND'
  | 'DESTINATION_INVALID'
  | 'LEFT_BEHIND'
  | 'NO_COMMAND'
  | 'STEP_INVALID'

/**
 * An image is not what the call needs. `NOT_AN_IMAGE`: a manifest or index that is none, or none that can be worked on; `PLATFORM_NOT_FOUND`:
 * a platform asked for is not in it; `NOTHING_TO_INDEX`: only with `requireIndex`; `PATH_NOT_FOUND`: a path is not in the image, or is not a file
 * where one is needed; `DESTINATION_INVALID`: the result cannot be written to the destination; `LEFT_BEHIND`: what a
 * call that failed had made cannot be removed; `NO_COMMAND`: nothing says what the image starts; `STEP_INVALID`: what one step of a conversion on several
 * machines was given is not what another step made of this image with these options.
 */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly code: ImageErrorCode
  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * The error with what was being done before its message: same class, same code, the error itself as `cause`. An abort, and an error that is
 * not of these packages, stay as they are.
 */
export function inContext(error: unknown, where: string): unknown {
  const options = { cause: error }
  if (error instanceof ImageError) return new ImageError(error.code, `${where}: ${error.message}`, options)
  if (error instanceof StoreError)
    return new StoreError(error.code, `${where}: ${error.problem}`, { ...options, advice: error.advice })
  if (error instanceof LayerFormatError) return new LayerFormatError(error.code, `${where}: ${error.message}`, options)
  if (error instanceof ZtocFormatError) return new ZtocFormatError(error.code, `${where}: ${error.message}`, options)
  if (error instanceof FileError) return new ImageError('PATH_NOT_FOUND', `${where}: ${error.message}`, options)
  if (error instanceof ManifestError || error instanceof ImageReferenceError)
    return new ImageError('NOT_AN_IMAGE', `${where}: ${error.message}`, options)
  return error
}

export type ImageErrorCode =
  | 'NOT_AN_IMAGE'
  | 'PLATFORM_NOT_FOUND'
  | 'NOTHING_TO_INDEX'
  | 'PATH_NOT_FOUND'
  | 'DESTINATION_INVALID'

/**
 * An image is not what the call needs. `NOT_AN_IMAGE`: a manifest or index that is none, or none that can be worked on; `PLATFORM_NOT_FOUND`:
 * a platform asked for is not in it; `NOTHING_TO_INDEX`: only with `requireIndex`; `PATH_NOT_FOUND`: a path is not in the image, or is no file
 * where one is needed; `DESTINATION_INVALID`: the result cannot go where it was told to.
 */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly code: ImageErrorCode
  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

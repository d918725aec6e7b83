import { ImageReferenceError, ManifestError, StoreError } from '@sociable/oci'
import { ImageError, LayerFormatError } from 'sociable'
import { PropertyError } from '../index-request.js'
import { OutputTagError } from './output-tag.js'
import { PushError } from './push.js'

/** A failure of work elsewhere, in words for users: what could be tried again was. */
export class EndedFailure extends Error {
  override readonly name = 'Error'
}

/**
 * Whether another try would fail the same way, as the content or the options are at fault. A digest or size that does not match may come from the way
 * here, refusals of AWS end when a policy is mended, and all else may pass too.
 */
export function isFinal(error: unknown): boolean {
  if (error instanceof LayerFormatError) return !['DIGEST_MISMATCH', 'SIZE_MISMATCH'].includes(error.code)
  if (error instanceof StoreError) return error.code === 'TAG_IMMUTABLE'
  return [ImageError, ManifestError, ImageReferenceError, PropertyError, PushError, OutputTagError, EndedFailure].some(
    (type) => error instanceof type,
  )
}

/**
 * What `verify` can find.
 *
 * - `CONTENT_MISSING`, `CONTENT_DAMAGED`: a manifest or blob of the image, of an attestation or of another artifact is not there, or is not what its digest says.
 * - `LINK_BROKEN`: the image and its SOCI index do not name each other as they should.
 * - `LEFT_BEHIND`: the image names a SOCI index, or its list of referrers an artifact, that is not there. A copy that takes only part of an image leaves it behind.
 * - `PLATFORM_MISSING`: the image's entry has no platform, but the entry of its SOCI index has one. Runtimes and tools then take the SOCI index for the image.
 * - `INDEX_UNLOADABLE`: soci-snapshotter 0.16 cannot load the SOCI index, and pulls the image whole.
 * - `ZTOC_INVALID`: a runtime cannot use the zTOC or prefetch list.
 * - `SPAN_DIFFERS`: a span of the layer has another digest than the zTOC says.
 * - `FILES_DIFFER`, `CHECKPOINT_DIFFERS`: the decoded layer has other files or bytes than the zTOC leads to (`deep` only).
 * - `START_LAYER_DIFFERS`: the start layer changes what the layers below show.
 *
 * These are warnings:
 *
 * - `INDEX_IGNORED`: soci-snapshotter ignores the SOCI index with its default settings.
 * - `NOT_COVERED`: the image's digest does not cover the SOCI index (v1).
 * - `TOOL_UNKNOWN`: some versions of the tool that made the SOCI index make broken ones. Not reported with `deep`, which checks the index itself.
 * - `NO_INDEX`: the image has no SOCI index.
 * - `CONTENT_ABSENT`: the image lists a platform that is not there, as archives of `docker save` do.
 */
export type FindingCode =
  | 'CONTENT_MISSING'
  | 'CONTENT_DAMAGED'
  | 'LINK_BROKEN'
  | 'LEFT_BEHIND'
  | 'PLATFORM_MISSING'
  | 'INDEX_UNLOADABLE'
  | 'ZTOC_INVALID'
  | 'SPAN_DIFFERS'
  | 'FILES_DIFFER'
  | 'CHECKPOINT_DIFFERS'
  | 'START_LAYER_DIFFERS'
  | 'INDEX_IGNORED'
  | 'NOT_COVERED'
  | 'TOOL_UNKNOWN'
  | 'NO_INDEX'
  | 'CONTENT_ABSENT'

export interface Finding {
  readonly code: FindingCode
  readonly severity: 'error' | 'warning'
  /** `linux/amd64`; absent for what belongs to no platform. */
  readonly platform?: string
  /** What is wrong, where, and with both figures. */
  readonly message: string
  /** What to do. */
  readonly advice: string
}

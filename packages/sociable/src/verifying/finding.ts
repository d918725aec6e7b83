/**
 * What `verify` can find. `CONTENT_MISSING`, `CONTENT_DAMAGED`: a blob or manifest; `LINK_BROKEN`: the ways from the image to its SOCI index;
 * `ZTOC_INVALID`: a zTOC or prefetch list that no runtime can use; `SPAN_DIFFERS`: a span of the layer has another digest than the zTOC says;
 * `FILES_DIFFER`, `CHECKPOINT_DIFFERS`: the layer, decoded again, has other files or bytes than the zTOC leads to; `START_LAYER_DIFFERS`: a file of the
 * start layer is not what the layers below show; `TOOL_UNKNOWN`, `NOT_COVERED`, `NO_INDEX`, `CONTENT_ABSENT`: warnings.
 */
export type FindingCode =
  | 'CONTENT_MISSING'
  | 'CONTENT_DAMAGED'
  | 'LINK_BROKEN'
  | 'ZTOC_INVALID'
  | 'SPAN_DIFFERS'
  | 'FILES_DIFFER'
  | 'CHECKPOINT_DIFFERS'
  | 'START_LAYER_DIFFERS'
  | 'TOOL_UNKNOWN'
  | 'NOT_COVERED'
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

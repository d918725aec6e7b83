import type { Toc } from '@sociable/ztoc'
import type { LayerResult } from '../result.js'
import type { SpanRange } from '../soci/prefetch.js'
import type { LayerJob } from './plan.js'
import type { CapturedFiles } from './temporary-files.js'

/** An indexed, reused or skipped layer. */
export interface FinishedLayer {
  /** As it is reported; without a `ztoc` the layer is left out of the index. */
  readonly result: LayerResult
  readonly hasXattrs: boolean
  /** The spans of those of the paths to prefetch that the layer has. */
  readonly prefetch: ReadonlyMap<string, SpanRange>
  /** The layer's zTOC; only where a profile is used. */
  readonly toc?: Toc
  /** By what its spans were cut, where that is not the settings' `spansKey`. */
  readonly spansKey?: string
  /** Contents of files that were kept when it was indexed; only where a start layer is made. */
  readonly captured?: CapturedFiles
}

/** A layer that a former run found to be of no use to a runtime: nothing of it is read again. */
export function refusedLayer({ descriptor: { mediaType, digest, size } }: LayerJob): FinishedLayer {
  const reason = 'a runtime would refuse its zTOC, as an earlier run found'
  return { result: { mediaType, digest, size, state: 'skipped', reason }, hasXattrs: false, prefetch: new Map() }
}

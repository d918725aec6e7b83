import type { ContentResult, LayerResult } from './result.js'

/** A layer that is going to be indexed. */
export interface PlannedLayer {
  readonly digest: string
  /** Compressed bytes. */
  readonly size: number
  /** The platforms it belongs to, as `linux/amd64`. */
  readonly platforms: readonly string[]
}

/** What happens during a `convert` or `createIndex`, in order. Every layer planned gets its progress and one `layer` event, unless the call fails. */
export type ProgressEvent =
  /** The image was read: these layers are to be indexed (each once, biggest first), and up to so many blobs moved as they are. */
  | {
      readonly type: 'plan'
      readonly layers: readonly PlannedLayer[]
      readonly blobs: number
      readonly blobBytes: number
    }
  /** So many of the layer's `size` compressed bytes have been indexed. */
  | { readonly type: 'progress'; readonly digest: string; readonly bytes: number; readonly size: number }
  /**
   * Before the plan, with `recompress`: so many of the layer's `size` compressed bytes have been read, to compress it with gzip. With the last one comes the layer
   * that was made of it.
   */
  | {
      readonly type: 'recompress'
      readonly digest: string
      readonly bytes: number
      readonly size: number
      readonly made?: ContentResult
    }
  /** A layer is finished: indexed, or a zTOC of it was reused. */
  | { readonly type: 'layer'; readonly layer: LayerResult }
  /** A blob that only moves (a config, a layer that is not indexed) is in the destination; `present`: it was there before. */
  | { readonly type: 'blob'; readonly digest: string; readonly size: number; readonly present: boolean }
  /** Something the user should know that fails nothing. */
  | { readonly type: 'warning'; readonly message: string }

/** The warnings of a call: reported at once, and kept for its result. */
export function collectWarnings(onProgress: (event: ProgressEvent) => void): {
  readonly warnings: readonly string[]
  readonly warn: (message: string) => void
} {
  const warnings: string[] = []
  const warn = (message: string): void => {
    warnings.push(message)
    onProgress({ type: 'warning', message })
  }
  return { warnings, warn }
}

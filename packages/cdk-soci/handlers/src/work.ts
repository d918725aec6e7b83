import type { Images } from './images.js'
import type { IndexRequest } from './index-request.js'

/** What is to be done for one event, and with what. */
export interface Work {
  readonly request: IndexRequest
  /** Of an Update: what the resource was before. */
  readonly former: IndexRequest | undefined
  /** See `ownerOf`. */
  readonly owner: string
  readonly images: Images
  /** Bytes of memory for the work. */
  readonly memory: number
  readonly signal: AbortSignal
}

/** What a successful answer tells of the image. */
export interface Outcome {
  readonly imageDigest: string
  /** Whether it has a SOCI index. */
  readonly indexed: boolean
  /** Why not; '' where it has. */
  readonly reason: string
}

import type { ConvertOptions } from 'sociable'
import type { Images } from './images.js'
import type { IndexRequest } from './index-request.js'
import { readProfile } from './read-profile.js'

/** What is to be done for one event, and with what. */
export interface Work {
  readonly request: IndexRequest
  /** Of an Update: what the resource was before. */
  readonly former: IndexRequest | undefined
  /** See `ownerOf`; undefined where nobody owns the result: then nothing is claimed. */
  readonly owner: string | undefined
  readonly images: Images
  /** Bytes of memory for the work. */
  readonly memory: number
  /** See `beforeTag` of `ConvertOptions`. */
  readonly beforeTag?: (() => Promise<void>) | undefined
  readonly signal: AbortSignal
}

/** What a successful answer tells of the image. */
export interface Outcome {
  readonly imageDigest: string
  /** Whether it has a SOCI index. */
  readonly indexed: boolean
  /** Why not; '' where it has. */
  readonly reason: string
  /** Compressed bytes of the layers that were indexed, and what that took. Absent where the result was there already. */
  readonly bytes?: number
  readonly seconds?: number
  /** Nothing was made, for `reason`. */
  readonly left?: true
}

/** Options of the library for the work. @throws what `readProfile` throws */
export async function indexOptions({ request, memory, beforeTag, signal }: Work): Promise<ConvertOptions> {
  const { profile, ...options } = request.options
  return {
    ...options,
    ...(profile !== undefined && { profile: await readProfile(profile, signal) }),
    memory,
    beforeTag,
    signal,
  }
}

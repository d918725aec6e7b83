import type { TocRecords } from './toc-records.js'
import type { Compression, EncodedZtoc } from './types.js'

/** Larger zTOCs are refused. */
export const MAX_ZTOC_SIZE = 2 ** 30

export interface ZtocInput {
  readonly buildTool: string
  readonly compression: Compression
  readonly compressedSize: number
  readonly uncompressedSize: number
  readonly records: TocRecords
  /** The zinfo blob in pieces, handed through without a copy. */
  readonly checkpoints: readonly Uint8Array[]
  /** 32 raw bytes (sha256) per span, concatenated. */
  readonly spanDigests: Uint8Array
}

export function encodeZtoc(input: ZtocInput): EncodedZtoc {
  throw new Error(`not there yet: ${input.buildTool}`)
}

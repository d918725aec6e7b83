import type { CallOptions } from '../options.js'

export interface ExtractOptions extends CallOptions {
  /** Called for each entry that is not written. */
  readonly onSkip?: ((skipped: SkippedEntry) => void) | undefined
}

/** An entry of the image that is not written, and why. */
export interface SkippedEntry {
  readonly path: string
  readonly reason: string
}

export interface ExtractResult {
  /** Names of regular files. */
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  /** Bytes of the files; of one with several names once. */
  readonly bytes: number
  readonly skipped: readonly SkippedEntry[]
}

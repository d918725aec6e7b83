import type { CallOptions } from '../options.js'

export interface ExtractOptions extends CallOptions {
  /**
   * Write all symlinks with the targets that they have in the image, also absolute ones and those that lead out of the folder. Nothing is written through them here;
   * programs that read the folder later may follow them. @default false: symlinks lead to places within the folder, as relative ones; others are skipped
   */
  readonly keepLinks?: boolean | undefined
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

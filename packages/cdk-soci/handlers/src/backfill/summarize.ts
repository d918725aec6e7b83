import type { BackfillListed } from '../../../src/private/backfill-environment.js'
import { log } from '../log.js'
import type { ImageResult, RunFiles } from './run-files.js'

/** What a run has done. */
export interface Summary extends BackfillListed {
  /** Key of `summary.json`, which has the images too. */
  readonly key: string
  readonly indexed: number
  readonly present: number
  readonly skipped: number
  readonly failed: number
  /** Images of the list without a result. */
  readonly missing: number
  /** Compressed bytes of the layers that were indexed. */
  readonly bytes: number
}

/** Writes the summary. */
export async function summarize(run: string, listed: BackfillListed, files: RunFiles): Promise<Summary> {
  const results = await files.readResults()
  const count = (wanted: ImageResult['state']) => results.filter(({ state }) => state === wanted).length
  const counts = {
    ...listed,
    indexed: count('indexed'),
    present: count('present'),
    skipped: count('skipped'),
    failed: count('failed'),
    missing: listed.images - results.length,
    bytes: results.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  }
  const key = await files.writeSummary({ run, ...counts, images: results })
  log('summary', { key, ...counts })
  return { key, ...counts, images: listed.images }
}

import type { TocRecords } from './toc-records.js'

/** Why the reference's decoder would refuse a zTOC of these entries; undefined where it would not. */
export function unloadableReason(records: TocRecords): string | undefined {
  throw new Error(`not there yet: ${records.count}`)
}

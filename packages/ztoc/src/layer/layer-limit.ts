// What a layer may cost. Small layers that unpack to very much ("bombs") would otherwise take hours, and as much memory as a zTOC may have.
import { LayerFormatError } from '../error.js'

/** No layer that is known of unpacks to so much and so many times its size at once: images' layers compress to a half or a third. */
const FREE_OUTPUT = 16 * 2 ** 30
const FREE_RATIO = 100
/** Some 800,000 entries. Beyond that, a layer has more bytes than its list of entries: each file has a header, and most have contents. */
const FREE_ENTRIES_SIZE = 2 ** 27

/** Bytes that a layer of `compressed` bytes may unpack to. @param limit as `IndexLayerOptions` has it */
export function outputLimit(compressed: number, limit: number | undefined): number {
  return limit ?? Math.max(FREE_OUTPUT, FREE_RATIO * compressed)
}

/** @throws LayerFormatError LIMIT_EXCEEDED if a layer of `compressed` bytes so far unpacks to too much */
export function checkOutput(output: number, compressed: number, limit: number | undefined): void {
  if (output <= outputLimit(compressed, limit)) return
  const what = limit === undefined ? `more than 16 GiB and ${FREE_RATIO} times its size` : `more than ${limit} bytes`
  throw new LayerFormatError(
    'LIMIT_EXCEEDED',
    `the layer unpacks to ${what}, after ${compressed} bytes: set a larger layer limit if this is intended`,
  )
}

/** @throws LayerFormatError LIMIT_EXCEEDED if the entries of a layer of `compressed` bytes so far would take too much of a zTOC */
export function checkEntries(encodedSize: number, compressed: number, limit: number | undefined): void {
  if (limit !== undefined || encodedSize <= FREE_ENTRIES_SIZE || encodedSize <= compressed) return
  throw new LayerFormatError(
    'LIMIT_EXCEEDED',
    `the layer's entries take more than 128 MiB of a zTOC, after ${compressed} compressed bytes: set a layer limit if this is intended`,
  )
}

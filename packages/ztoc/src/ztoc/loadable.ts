import type { Int64 } from '../tar/int64.js'
import { BLOCK_SIZE } from '../tar/tar-header.js'
import { quote } from '../tar/tar-pax.js'
import type { TocRecords } from './toc-records.js'

/**
 * Why no runtime could use a zTOC of these entries although it can be built; undefined where it could.
 *
 * The reference's decoder refuses entries (`invalid toc entry`, flatbufferToTOC in ztoc_marshaler.go) one of which, sorted by offset,
 * starts before the end of the one before it, as its size tells: links and directories may tell a size, and sparse files tell theirs
 * with the holes. The entries of a tar have different offsets and stand in their order, so that the reference's unstable sort changes
 * nothing. Where only a tar's last files are sparse, it takes the zTOC, and a runtime would read wrong bytes.
 */
export function unloadableReason(records: TocRecords): string | undefined {
  let next: Int64 = 0
  let previous: { bytes: Uint8Array; nameStart: number; nameEnd: number } = {
    bytes: new Uint8Array(0),
    nameStart: 0,
    nameEnd: 0,
  }
  for (const { bytes, offset, size, nameStart, nameLength } of records.forwards()) {
    const nameEnd = nameStart + nameLength
    if (next > offset) {
      const name = quote(previous.bytes, previous.nameStart, previous.nameEnd)
      return `the size of ${name} reaches to offset ${next} of the tar, past the start of ${quote(bytes, nameStart, nameEnd)} at ${offset}`
    }
    next = alignedEnd(offset, size)
    previous = { bytes, nameStart, nameEnd }
  }
  return records.misread
}

/** The end of the data's last block; wraps at 64 bits, as the reference's sums do. */
function alignedEnd(offset: number, size: Int64): Int64 {
  if (typeof size === 'number' && Number.isSafeInteger(offset + size + BLOCK_SIZE)) {
    return Math.ceil((offset + size) / BLOCK_SIZE) * BLOCK_SIZE
  }
  const end = BigInt.asIntN(64, BigInt(offset) + BigInt(size))
  const past = end % BigInt(BLOCK_SIZE)
  return past > 0n ? BigInt.asIntN(64, end + BigInt(BLOCK_SIZE) - past) : end
}

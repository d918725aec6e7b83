import type { Int64 } from './int64.js'
import { BLOCK_SIZE } from './tar-header.js'
import { quote } from './tar-pax.js'
import type { TocRecords } from './toc-records.js'

/**
 * Why the reference's decoder would refuse a zTOC of these entries (flatbufferToTOC in ztoc_marshaler.go: `invalid toc entry`);
 * undefined where it would not. Sorted by offset, no entry may start before the end of the one before it, as its size tells. The
 * entries of a tar have different offsets and stand in their order, so that the reference's unstable sort changes nothing.
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
  return undefined
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

// A part of a deflate stream that is made by itself, so that parts can be made at the same time and joined. fflate is used, not Node's zlib, whose bytes differ
// between Node versions and machines.
import { Deflate } from 'fflate'

/** Level 6 is 1 % smaller and takes half as long again (measured). */
const LEVEL = 5

/** What a deflate stream may refer back to. */
export const WINDOW_SIZE = 32 << 10
/** A block that is not the last, of fixed codes and with nothing in it, is 10 bits: so many bytes with what is left of the block before. */
const MAX_TAIL = 3

/**
 * Compresses the block into deflate blocks that end at a byte's end, none of which is the stream's last.
 * @param window the bytes before the block, at most 32 KiB
 */
export function deflateBlock(block: Uint8Array, window: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  const deflate = new Deflate({ level: LEVEL, ...(window.length > 0 && { dictionary: window }) }, (bytes) =>
    parts.push(bytes),
  )
  deflate.push(block, false)
  deflate.flush() // else a short rest would come with the end
  const count = parts.length
  deflate.push(new Uint8Array(0), true)
  const end = syncedEnd(Buffer.concat(parts.slice(count)))
  return end === undefined ? storedBlocks(block) : Buffer.concat([...parts.slice(0, count), end])
}

/**
 * fflate can end a stream, but not flush it to a byte's end (0.8.3 spoils the bits that are left over). So the stream is ended, which appends an empty last block of fixed codes,
 * and that block is replaced by an empty stored one, which is not the last: what zlib calls a sync flush.
 * @param tail the bits left over, then the empty block: `1`, `10`, `0000000`, and zeros up to the byte's end
 * @returns undefined where the tail is anything else
 */
function syncedEnd(tail: Uint8Array): Uint8Array | undefined {
  if (tail.length === 0 || tail.length > MAX_TAIL) return undefined
  const bitAt = (index: number): number => (tail[index >> 3]! >> (index & 7)) & 1
  let highest = tail.length * 8 - 1
  while (highest >= 0 && bitAt(highest) === 0) highest--
  const left = highest - 1 // bits left over, before the two that are set
  if (left < 0 || left > 7 || bitAt(left) === 0 || tail.length !== Math.ceil((left + 10) / 8)) return undefined
  const header = Math.ceil((left + 3) / 8) // three bits: not the last, stored
  const end = new Uint8Array(header + 4) // length 0, and its complement
  end[0] = tail[0]! & ((1 << left) - 1)
  end.fill(0xff, header + 2)
  return end
}

const MAX_STORED = 0xffff

function storedBlocks(block: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  for (let at = 0; at < block.length; at += MAX_STORED) {
    const bytes = block.subarray(at, at + MAX_STORED)
    const header = Buffer.alloc(5)
    header.writeUInt16LE(bytes.length, 1)
    header.writeUInt16LE(0xffff ^ bytes.length, 3)
    parts.push(header, bytes)
  }
  return Buffer.concat(parts)
}

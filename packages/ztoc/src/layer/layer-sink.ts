import type { RefusedByGo } from '../gzip/gzip-member.js'

/**
 * What a layer's decoder hands on, in the order of the layer's bytes. Addresses are of the memory that both share; their bytes stay until
 * the call returns (a sink in the same thread has used them by then, one in another thread is waited for before they are written again).
 */
export interface LayerSink {
  /** The next bytes of the tar. */
  output(ptr: number, length: number): void
  /** Before `output` is given bytes at this slot again. */
  awaitSlot(slot: number): void
  /**
   * A span starts: `inOffset` is its first whole compressed byte, `bits` (0..7) of the byte before are its as well. It lies in the input that comes next, or is what
   * `spanMayStart` was last called with.
   */
  spanStart(inOffset: number, bits: number): void
  /** The next span may turn out to start here, in the input that comes next; unless `spanStart` says so, the next call of either takes it back. */
  spanMayStart(inOffset: number, bits: number): void
  /** A gzip member's output is complete: its CRC-32 and its length modulo 2^32 must be these. `end` is the member's end in the layer. */
  gzipMemberEnd(crc: number, size: number, end: number): void
  /** The same for a zlib stream's Adler-32. */
  zlibStreamEnd(adler: number, end: number): void
  /** A member starts at `start` that Go's reader would refuse, should the tar go on into it. */
  memberRefusedByGo(reason: RefusedByGo, start: number): void
  /** The next compressed bytes, after everything that was decoded from them. */
  input(ptr: number, length: number): void
}

// Which places of a gzip layer become checkpoints, and their packed form (formats: zlib's examples/zran.c; `zinfo.ts` has the blob's header).
import { LayerFormatError } from '../error.js'
import { PACKED_CHECKPOINT_SIZE as PACKED_SIZE, WINDOW_SIZE } from '../ztoc/zinfo.js'
import { MAX_ZTOC_SIZE } from '../ztoc/ztoc-encode.js'

const PER_PIECE = 32 // 1 MiB a piece
/** Each takes 32 KiB of a zTOC, and 5 bytes of a layer (an empty stored block). Compressors make one or two. */
const MAX_WITHOUT_OUTPUT = 1024

/** Collects a layer's checkpoints in packed form, in pieces of at most 1 MiB. */
export class Checkpoints {
  readonly #spanSize: number
  readonly pieces: Uint8Array<ArrayBuffer>[] = []
  #count = 0
  #last = 0

  /** `spanSize`: uncompressed bytes that must be exceeded between two checkpoints; 0 takes every boundary. */
  constructor(spanSize: number) {
    this.#spanSize = spanSize
  }

  get count(): number {
    return this.#count
  }

  /** Whether a boundary with `out` bytes of output before it becomes a checkpoint: every one at 0, then those more than a span after the last. */
  wants(out: number): boolean {
    return out === 0 || out - this.#last > this.#spanSize
  }

  /**
   * `inOffset`: the next whole compressed byte; `bits`: how many (0..7) bits of the byte before it come first; `memory[end - 32768, end)`: the output before.
   */
  add(inOffset: number, out: number, bits: number, memory: Uint8Array, end: number): void {
    const index = this.#count % PER_PIECE
    if (out === 0 && this.#count === MAX_WITHOUT_OUTPUT)
      throw new LayerFormatError(
        'LIMIT_EXCEEDED',
        `more than ${MAX_WITHOUT_OUTPUT} deflate blocks without output before byte ${inOffset}: each needs a checkpoint of 32 KiB; compress the layer again`,
      )
    if (index === 0) {
      if ((this.#count + PER_PIECE) * PACKED_SIZE > MAX_ZTOC_SIZE)
        throw new LayerFormatError(
          'LIMIT_EXCEEDED',
          `more than ${this.#count} checkpoints of 32 KiB after ${out} bytes of output: the zTOC would pass the limit of 1 GiB; use a span size larger than ${this.#spanSize}`,
        )
      this.pieces.push(new Uint8Array(PER_PIECE * PACKED_SIZE))
    }
    const piece = this.pieces.at(-1)!
    const at = index * PACKED_SIZE
    const view = new DataView(piece.buffer)
    view.setBigInt64(at, BigInt(inOffset), true)
    view.setBigInt64(at + 8, BigInt(out), true)
    piece[at + 16] = bits
    piece.set(memory.subarray(end - WINDOW_SIZE, end), at + 17)
    this.#count++
    this.#last = out
  }

  /** The packed checkpoints; the last piece is cut to what is used. No more can be added. */
  finish(): Uint8Array<ArrayBuffer>[] {
    const rest = this.#count % PER_PIECE
    // A copy, not a view: the piece may be handed to another thread with its whole buffer
    if (rest !== 0) this.pieces.push(this.pieces.pop()!.slice(0, rest * PACKED_SIZE))
    return this.pieces
  }
}

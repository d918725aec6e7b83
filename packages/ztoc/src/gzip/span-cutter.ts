// Which boundaries become checkpoints where it is known what a start reads: spans are cut where stretches that it reads meet those that it does not, so that what is
// fetched is little more than what is read. Boundaries come in order, and where a hot stretch begins is known only after the boundary before it: so the last one
// is kept, with its window, until it is known to be needed or not. Nothing but the layer and the options decides, not how its bytes come.
import { HotFiles, isCopied, readParts } from '../tar/hot-files.js'
import type { TarHeader } from '../tar/tar-header.js'
import { TarScanner } from '../tar/tar-scanner.js'
import type { CopyRule, HotSpans } from '../types.js'
import { WINDOW_SIZE } from '../ztoc/zinfo.js'

/** Compressed bytes that a start does not read between two stretches that it does: fewer are not worth the two windows that they would cost (64 KiB). */
const MIN_GAP = 128 << 10
/** Uncompressed bytes of a span that a start does not read. A read that no profile foresaw fetches one: some 5 MB. 64 MiB would make a zTOC a sixth smaller. */
const COLD_SPAN_SIZE = 16 << 20
/** A regular file's type flag. */
export interface Boundary {
  readonly in: number
  readonly out: number
  readonly bits: number
}

/** Takes a checkpoint: the 32 KiB before it are `memory[end - 32768, end)`. */
export type TakeCheckpoint = (boundary: Boundary, memory: Uint8Array, end: number) => void

/** Picks the checkpoints of a layer. */
export class SpanCutter {
  readonly #spanSize: number
  readonly #coldSpanSize: number
  readonly #take: TakeCheckpoint
  readonly #parts: HotParts
  readonly #scanner: TarScanner<HotParts>
  #isBroken = false
  /** `hot`: since the last checkpoint a start reads; `gap`: it did, and may go on; `cold`: it does not. */
  #state: 'cold' | 'hot' | 'gap' = 'cold'
  /** Output before the boundary before. */
  #out = -1
  /** Output before the last checkpoint. */
  #taken = 0
  /** The boundary that may yet become a checkpoint: the one before, or in a gap that at its begin. */
  #candidate: Boundary | undefined
  /** Where its window is: in the decoder's memory, or kept here. */
  #memory: Uint8Array
  #end = 0
  readonly #window = new Uint8Array(WINDOW_SIZE)

  /** @param spanSize uncompressed bytes of a span that a start reads */
  constructor(hot: HotSpans, spanSize: number, take: TakeCheckpoint) {
    this.#spanSize = spanSize
    this.#coldSpanSize = Math.max(spanSize, hot.coldSpanSize ?? COLD_SPAN_SIZE)
    this.#take = take
    this.#memory = this.#window
    this.#parts = new HotParts(new HotFiles(hot.files), hot.except)
    this.#scanner = new TarScanner(this.#parts)
  }

  /** The boundary that may yet become a checkpoint. */
  get candidate(): Boundary | undefined {
    return this.#candidate
  }

  /** Before the memory that boundaries were given with is written again: keeps what may yet be needed of it. */
  keepWindow(): void {
    if (this.#candidate === undefined || this.#memory === this.#window) return
    this.#window.set(this.#memory.subarray(this.#end - WINDOW_SIZE, this.#end))
    this.#memory = this.#window
    this.#end = WINDOW_SIZE
  }

  /** The next bytes of the tar. All before a boundary must have been given when it is. */
  scan(bytes: Uint8Array): void {
    if (this.#isBroken) return
    try {
      this.#scanner.push(bytes)
    } catch {
      this.#isBroken = true // the layer's own scanner says what is wrong
    }
  }

  boundary(boundary: Boundary, memory: Uint8Array, end: number): void {
    const { in: inOffset, out } = boundary
    if (this.#out < 0) {
      this.#out = out
      this.#take(boundary, memory, end)
      return
    }
    // Spans must not be empty, and what comes behind the tar is read by nobody
    if (out === this.#out || (this.#scanner.finished && out >= this.#scanner.position)) return
    const isHot = this.#parts.meets(this.#out, out)
    if (this.#state === 'cold' && isHot) {
      this.#takeCandidate()
      this.#state = 'hot'
    } else if (this.#state === 'hot' && !isHot) this.#state = 'gap'
    else if (this.#state === 'gap' && isHot) this.#state = 'hot'
    this.#out = out
    if (this.#state === 'gap') {
      // The candidate is where the gap begins; if it is a checkpoint already, nothing has to be decided
      if (this.#candidate !== undefined && inOffset - this.#candidate.in <= MIN_GAP) return
      this.#takeCandidate()
      this.#state = 'cold'
    }
    if (out - this.#taken > (this.#state === 'hot' ? this.#spanSize : this.#coldSpanSize)) {
      this.#candidate = undefined
      this.#taken = out
      this.#take(boundary, memory, end)
    } else {
      this.#candidate = boundary
      this.#memory = memory
      this.#end = end
    }
  }

  #takeCandidate(): void {
    if (this.#candidate === undefined) return // it is a checkpoint
    this.#taken = this.#candidate.out
    this.#take(this.#candidate, this.#memory, this.#end)
    this.#candidate = undefined
  }
}

/** What a start reads of the tar, in its order. */
class HotParts {
  misread: string | undefined
  readonly #files: HotFiles
  readonly #except: readonly CopyRule[]
  #parts: (readonly [start: number, end: number])[] = []

  constructor(files: HotFiles, except: readonly CopyRule[]) {
    this.#files = files
    this.#except = except
  }

  append({ type, name, size }: TarHeader, offset: number): void {
    if (type !== REG) return
    const text = Buffer.from(name.of.buffer, name.of.byteOffset + name.start, name.end - name.start).toString('latin1')
    const ranges = this.#files.rangesOf(text, Number(size))
    if (ranges !== undefined && !isCopied(this.#except, Number(size), ranges))
      this.#parts.push(...readParts(offset, Number(size), ranges))
  }

  /** Whether any part has a byte in [start, end). What lies before `start` is forgotten. */
  meets(start: number, end: number): boolean {
    let gone = 0
    while (gone < this.#parts.length && this.#parts[gone]![1] <= start) gone++
    if (gone > 0) this.#parts = this.#parts.slice(gone)
    return this.#parts.length > 0 && this.#parts[0]![0] < end
  }
}

const REG = 0x30

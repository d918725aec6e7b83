import { LayerFormatError, ZtocFormatError } from '../error.js'
import { HeaderReader, TrailerReader } from '../gzip/gzip-member.js'
import {
  AREA,
  BLOCKS_FULL,
  createMemory,
  Inflater,
  inflateError,
  MEMBER_END,
  NEED_INPUT,
  OUT_FULL,
} from '../inflate/inflater.js'
import type { Checkpoint, Toc } from '../ztoc/toc.js'
import { WINDOW_SIZE } from '../ztoc/zinfo.js'
import type { Span } from './span-fetcher.js'

const INPUT_SIZE = 2 ** 18
const OUTPUT_SIZE = 2 ** 18
const OUTPUT = AREA + INPUT_SIZE + WINDOW_SIZE

/** Decodes single spans of gzip layers. It holds some 600 KB, independent of the span size. */
export class SpanInflater {
  readonly #inflater: Inflater

  constructor() {
    this.#inflater = new Inflater(createMemory(INPUT_SIZE + WINDOW_SIZE + OUTPUT_SIZE, false))
  }

  /**
   * Yields the tar's bytes [from, to) as far as the span has them, each piece a copy. Members that end in the span are followed by the
   * next one; their checksums are not looked at, for the span's digest was. Throws ZtocFormatError ZTOC_INVALID where the span's bytes
   * are not deflate data or do not end where the next checkpoint says.
   */
  *inflate(toc: Toc, span: Span, from: number, to: number): Generator<Uint8Array> {
    const { engine, bytes: memory } = this.#inflater
    const checkpoint = toc.checkpoints.at(span.index) as Checkpoint
    const next = toc.checkpoints.at(span.index + 1)?.out
    const end = Math.min(to, next ?? to)
    const input = new SpanInput(this.#inflater, span.bytes, checkpoint)
    memory.set(checkpoint.window, OUTPUT - WINDOW_SIZE)
    engine.setOutput(OUTPUT, OUTPUT + OUTPUT_SIZE, OUTPUT - WINDOW_SIZE)

    let position = checkpoint.out // of the tar at address OUTPUT
    let taken = OUTPUT // what is before this address was yielded or passed over
    let memberStart = Number.NEGATIVE_INFINITY // address
    while (true) {
      const result = engine.run()
      engine.clearBlocks()
      const out = engine.getOut()
      const [start, stop] = [Math.max(taken, OUTPUT + from - position), Math.min(out, OUTPUT + end - position)]
      if (stop > start) yield memory.slice(start, stop)
      taken = out
      const reached = position + out - OUTPUT
      if (reached >= to) return
      if (result === OUT_FULL) {
        const history = Math.min(WINDOW_SIZE, out - memberStart)
        memory.copyWithin(OUTPUT - WINDOW_SIZE, out - WINDOW_SIZE, out)
        engine.setOutput(OUTPUT, OUTPUT + OUTPUT_SIZE, OUTPUT - history)
        position = reached
        memberStart -= out - OUTPUT
        taken = OUTPUT
      } else if (result === MEMBER_END) {
        if (!input.nextMember(span.index)) break
        engine.setOutput(out, OUTPUT + OUTPUT_SIZE, out)
        memberStart = out
      } else if (result === NEED_INPUT) {
        if (!input.refill()) break
      } else if (result !== BLOCKS_FULL) {
        throw invalid(span.index, `${inflateError(result)}, after ${reached - checkpoint.out} bytes of output`)
      }
      if (reached > (next ?? reached)) break
    }
    const reached = position + engine.getOut() - OUTPUT
    if (reached !== (next ?? to)) {
      throw invalid(span.index, `its data ends at ${reached} of the tar, not at ${next ?? to}`)
    }
  }
}

/** A span's bytes on their way to the engine. */
class SpanInput {
  readonly #inflater: Inflater
  readonly #bytes: Uint8Array
  readonly #header = new HeaderReader()
  readonly #trailer = new TrailerReader()
  #at: number

  /** Starts the engine at the checkpoint, whose bits come from the span's first byte. */
  constructor(inflater: Inflater, bytes: Uint8Array, { bits }: Checkpoint) {
    this.#inflater = inflater
    this.#bytes = bytes
    this.#at = bits === 0 ? 0 : 1
    inflater.engine.clearBlocks()
    inflater.engine.start(bits === 0 ? 0 : (bytes[0] as number) >> (8 - bits), bits)
    inflater.engine.setInput(AREA, AREA, this.#at)
  }

  /** Gives the engine more input; false where there is none. */
  refill(): boolean {
    const piece = this.#bytes.subarray(this.#at, this.#at + INPUT_SIZE)
    if (piece.length === 0) return false
    this.#inflater.bytes.set(piece, AREA)
    this.#inflater.engine.setInput(AREA, AREA + piece.length, this.#at)
    this.#at += piece.length
    return true
  }

  /** Goes past the trailer and the next member's header; false where the span ends before that member's data. */
  nextMember(span: number): boolean {
    const { engine } = this.#inflater
    const next = (): number => {
      const byte = engine.popByte()
      return byte < 0 && this.refill() ? engine.popByte() : byte
    }
    if (this.#trailer.read('gzip', next) === undefined) return false
    try {
      if (this.#header.read(next, () => engine.getIn()) === undefined) return false
    } catch (cause) {
      if (!(cause instanceof LayerFormatError)) throw cause
      throw new ZtocFormatError('ZTOC_INVALID', `span ${span} cannot be decoded: ${cause.message}`, { cause })
    }
    engine.startMember()
    return true
  }
}

function invalid(span: number, what: string): ZtocFormatError {
  return new ZtocFormatError('ZTOC_INVALID', `span ${span} cannot be decoded: ${what}`)
}

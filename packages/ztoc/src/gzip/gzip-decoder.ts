import { LayerFormatError } from '../error.js'
import { BLOCKS_FULL, type Inflater, inflateError, MEMBER_END, NEED_INPUT, OUT_FULL } from '../inflate/inflater.js'
import { checkOutput } from '../layer/layer-limit.js'
import { type LayerMemory, SLOT_SIZE } from '../layer/layer-memory.js'
import type { LayerJob } from '../layer/layer-result.js'
import type { LayerSink } from '../layer/layer-sink.js'
import { WINDOW_SIZE } from '../ztoc/zinfo.js'
import { Checkpoints } from './checkpoints.js'
import { HeaderReader, type MemberHeader, TrailerReader } from './gzip-member.js'
import { SpanCutter } from './span-cutter.js'

/** Takes a gzip layer's bytes in any pieces, decodes them, picks the checkpoints, and hands everything else to a sink. */
export class GzipDecoder {
  readonly checkpoints: Checkpoints
  readonly #inflater: Inflater
  readonly #memory: LayerMemory
  readonly #sink: LayerSink
  readonly #header = new HeaderReader()
  readonly #trailer = new TrailerReader()
  #phase: 'header' | 'body' | 'trailer' = 'header'
  #member: MemberHeader | undefined
  #offset = 0 // compressed bytes given so far
  #slot = 0
  #slotOut = 0 // output before the present slot
  #memberOut = 0 // output before the present member
  #handed: number // address up to which the sink has the output
  /** Where spans are cut by what a start reads; it has the output up to `#scanned`, an address. */
  readonly #cutter: SpanCutter | undefined
  #scanned: number
  readonly #limit: number | undefined
  #announced = -1 // the input offset of the last spanMayStart call

  constructor(
    inflater: Inflater,
    memory: LayerMemory,
    { spanSize, hot, limit }: Pick<LayerJob, 'spanSize' | 'hot' | 'limit'>,
    sink: LayerSink,
  ) {
    this.#inflater = inflater
    this.#memory = memory
    this.#sink = sink
    this.checkpoints = new Checkpoints(spanSize)
    this.#limit = limit
    this.#handed = memory.slots[0]!
    this.#scanned = this.#handed
    this.#cutter =
      hot &&
      new SpanCutter(hot, spanSize, ({ in: inOffset, out, bits }, memory, end) => {
        this.checkpoints.add(inOffset, out, bits, memory, end)
        this.#sink.spanStart(inOffset, bits)
      })
    // The history before the first byte is zeros, even if the memory was used before: the first checkpoints' windows contain it
    inflater.bytes.fill(0, this.#handed - WINDOW_SIZE, this.#handed)
    inflater.engine.clearBlocks()
    inflater.engine.start(0, 0)
    inflater.engine.setOutput(this.#handed, this.#handed + SLOT_SIZE, this.#handed)
  }

  /** Decodes the bytes at [ptr, ptr + length), the next of the layer. All output up to an error is passed on before it is thrown. */
  push(ptr: number, length: number): void {
    this.#inflater.engine.setInput(ptr, ptr + length, this.#offset)
    this.#offset += length
    try {
      while (this.#step());
    } finally {
      this.#handOutput()
    }
    const candidate = this.#cutter?.candidate
    if (candidate !== undefined && candidate.in !== this.#announced) {
      this.#announced = candidate.in
      this.#sink.spanMayStart(candidate.in, candidate.bits)
    }
    this.#sink.input(ptr, length)
  }

  /** No more bytes. */
  end(): void {
    checkOutput(this.#out(this.#inflater.engine.getOut()), this.#offset, this.#limit)
    if (this.#phase === 'header' && this.#header.untouched && this.#member !== undefined) return
    const part = this.#phase === 'body' ? 'deflate data' : `gzip ${this.#phase}`
    throw new LayerFormatError(
      'GZIP_TRUNCATED',
      `the layer ends at byte ${this.#offset} inside its ${part}; fetch it again`,
    )
  }

  /** Does what can be done next; false when it takes more input. */
  #step(): boolean {
    const { engine } = this.#inflater
    const next = engine.popByte
    if (this.#phase === 'header') {
      const header = this.#header.read(next, () => engine.getIn())
      if (header === undefined) return false
      this.#startMember(header)
      return true
    }
    if (this.#phase === 'trailer') {
      const { format } = this.#member!
      const trailer = this.#trailer.read(format, next)
      if (trailer === undefined) return false
      const end = engine.getIn()
      if (format === 'gzip') this.#sink.gzipMemberEnd(trailer.check, trailer.size!, end)
      else this.#sink.zlibStreamEnd(trailer.check, end)
      this.#phase = 'header'
      return true
    }
    const result = engine.run()
    this.#takeBlocks()
    if (result === NEED_INPUT) return false
    if (result === OUT_FULL) this.#nextSlot()
    else if (result === MEMBER_END) {
      this.#handOutput()
      this.#phase = 'trailer'
    } else if (result !== BLOCKS_FULL) {
      throw new LayerFormatError(
        'GZIP_CORRUPT',
        `${inflateError(result)}, in the deflate data before byte ${engine.getIn()}, after ${this.#out(engine.getOut())} bytes of output`,
      )
    }
    return true
  }

  #out(address: number): number {
    return this.#slotOut + address - this.#memory.slots[this.#slot]!
  }

  #startMember(header: MemberHeader): void {
    const { engine } = this.#inflater
    const ptr = engine.getOut()
    const start = engine.getIn()
    if (this.#member === undefined && header.format === 'zlib')
      throw new LayerFormatError('GZIP_CORRUPT', 'the layer is a zlib stream, not gzip; compress it with gzip')
    if (header.refusedByGo !== undefined) this.#sink.memberRefusedByGo(header.refusedByGo, start)
    this.#member = header
    this.#memberOut = this.#out(ptr)
    engine.setOutput(ptr, this.#memory.slots[this.#slot]! + SLOT_SIZE, ptr)
    engine.startMember()
    this.#phase = 'body'
    this.#boundary(start, ptr, 0)
  }

  #takeBlocks(): void {
    if (this.#cutter !== undefined) {
      const ptr = this.#inflater.engine.getOut()
      this.#cutter.scan(this.#inflater.bytes.subarray(this.#scanned, ptr))
      this.#scanned = ptr
    }
    this.#inflater.takeBlocks((inOffset, ptr, bits) => this.#boundary(inOffset, ptr, bits))
  }

  #boundary(inOffset: number, ptr: number, bits: number): void {
    const out = this.#out(ptr)
    if (this.#cutter !== undefined) {
      this.#cutter.boundary({ in: inOffset, out, bits }, this.#inflater.bytes, ptr)
      return
    }
    if (!this.checkpoints.wants(out)) return
    this.checkpoints.add(inOffset, out, bits, this.#inflater.bytes, ptr)
    this.#sink.spanStart(inOffset, bits)
  }

  #handOutput(): void {
    const ptr = this.#inflater.engine.getOut()
    const from = this.#handed
    this.#handed = ptr
    if (ptr > from) this.#sink.output(from, ptr - from)
  }

  #nextSlot(): void {
    this.#handOutput()
    const { slots } = this.#memory
    const next = (this.#slot + 1) % slots.length
    const ptr = slots[next]!
    this.#sink.awaitSlot(next)
    this.#cutter?.keepWindow()
    // Slots lie one behind the other, so the history is in place but for the first one
    if (next === 0) this.#inflater.bytes.copyWithin(ptr - WINDOW_SIZE, this.#handed - WINDOW_SIZE, this.#handed)
    this.#slotOut += SLOT_SIZE
    checkOutput(this.#slotOut, this.#inflater.engine.getIn(), this.#limit)
    this.#slot = next
    this.#handed = ptr
    this.#scanned = ptr
    const history = Math.min(WINDOW_SIZE, this.#slotOut - this.#memberOut)
    this.#inflater.engine.setOutput(ptr, ptr + SLOT_SIZE, ptr - history)
  }
}

import { AREA, BLOCKS_FULL, createMemory, Inflater, MEMBER_END, NEED_INPUT, OUT_FULL } from '../src/inflate/inflater.js'

const HISTORY = 32768
const INPUT = 1 << 16
const LARGEST_SLOT = 1 << 16
const OUT = AREA + INPUT + HISTORY
const inflater = new Inflater(createMemory(INPUT + HISTORY + LARGEST_SLOT, false))

export interface Inflated {
  readonly result: number
  readonly output: Buffer
  /** Bytes of the input that belong to the stream. */
  readonly consumed: number
  /** in, out, bits of each block end. */
  readonly blocks: readonly (readonly [number, number, number])[]
}

/** Decodes a whole raw deflate stream, given in pieces of `chunk` bytes into output slots of `slot` bytes. */
export function inflateAll(input: Uint8Array, chunk: number, slot: number, limit = Number.POSITIVE_INFINITY): Inflated {
  const { engine, bytes } = inflater
  const output: Buffer[] = []
  const blocks: [number, number, number][] = []
  let offset = 0
  let before = 0
  bytes.fill(0xee, OUT - HISTORY, OUT + LARGEST_SLOT) // what is there must not matter
  engine.clearBlocks()
  engine.start(0, 0)
  engine.startMember()
  engine.setInput(AREA, AREA, 0)
  engine.setOutput(OUT, OUT + slot, OUT)
  while (true) {
    const result = engine.run()
    inflater.takeBlocks((at, out, bits) => blocks.push([at, before + out - OUT, bits]))
    const out = engine.getOut()
    if (result === BLOCKS_FULL) continue
    if (result === NEED_INPUT && offset < input.length) {
      const piece = input.subarray(offset, offset + Math.min(chunk, INPUT))
      bytes.set(piece, AREA)
      engine.setInput(AREA, AREA + piece.length, offset)
      offset += piece.length
    } else if (result === OUT_FULL && before < limit) {
      output.push(Buffer.from(bytes.subarray(OUT, out)))
      before += out - OUT
      bytes.copyWithin(OUT - HISTORY, out - HISTORY, out)
      engine.setOutput(OUT, OUT + slot, OUT - Math.min(HISTORY, before))
    } else {
      output.push(Buffer.from(bytes.subarray(OUT, out)))
      return { result, output: Buffer.concat(output), consumed: engine.getIn(), blocks }
    }
  }
}

export { MEMBER_END }

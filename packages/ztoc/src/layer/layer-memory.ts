import { AREA, createMemory } from '../inflate/inflater.js'
import type { Memory } from '../inflate/webassembly.js'
import { WINDOW_SIZE } from '../ztoc/zinfo.js'

/** Output is decoded into slots of this size. 512 KiB stays in a core's cache, and larger ones gain nothing (measured). */
export const SLOT_SIZE = 512 * 1024
/** Compressed bytes are taken in pieces of at most this size. Pieces of 256 KiB cost 2 to 5 % more time, as there is a message for each; of 2 MiB, too (measured). */
export const INPUT_SIZE = 1024 * 1024

/** How a layer's buffers lie in the engine's memory: input pieces, the 32 KiB of history, then the output slots one behind the other. */
export interface LayerMemory {
  readonly memory: Memory
  /** Addresses of the input pieces. */
  readonly inputs: readonly number[]
  /** Addresses of the output slots. */
  readonly slots: readonly number[]
}

const addresses = (start: number, size: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start + i * size)

/** Where things lie in a memory with so many input pieces and output slots. */
export function layMemory(memory: Memory, inputs: number, slots: number): LayerMemory {
  return {
    memory,
    inputs: addresses(AREA, INPUT_SIZE, inputs),
    slots: addresses(AREA + inputs * INPUT_SIZE + WINDOW_SIZE, SLOT_SIZE, slots),
  }
}

export const createLayerMemory = (inputs: number, slots: number, shared: boolean): LayerMemory =>
  layMemory(createMemory(inputs * INPUT_SIZE + WINDOW_SIZE + slots * SLOT_SIZE, shared), inputs, slots)

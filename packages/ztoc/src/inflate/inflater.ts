import { OWN_MEMORY, SHARED_MEMORY } from '../generated/inflate-wasm.js'
import { Instance, Memory, Module } from './webassembly.js'

/** Why `run` came back. */
export const NEED_INPUT = 1
export const OUT_FULL = 2
export const BLOCKS_FULL = 3
export const MEMBER_END = 4

/** What a negative result of `run` means, in zlib's terms (assembly/inflate.ts, ERROR_*). */
const ERRORS: readonly string[] = [
  'block type 3',
  "a stored block's length and its complement differ",
  'too many length or distance symbols',
  'an invalid set of code lengths',
  'a code length repeat without a length before it or past the end',
  'no code for the end of the block',
  'an invalid set of literal and length codes',
  'an invalid set of distance codes',
  'an invalid literal or length code',
  'an invalid distance code',
  'a distance that reaches before the start of the data',
]

/** What was wrong with the deflate data, for a negative result of `run`. */
export const inflateError = (result: number): string => ERRORS[-result - 1] ?? `decoder result ${result}`

/** The exports of assembly/inflate.ts, where each is explained. Addresses are of the instance's memory. */
export interface Engine {
  init(): void
  start(bits: number, count: number): void
  startMember(): void
  setInput(ptr: number, end: number, offset: number): void
  setOutput(ptr: number, end: number, history: number): void
  getOut(): number
  getIn(): number
  getBlockCount(): number
  clearBlocks(): void
  popByte(): number
  run(): number
}

/** The memory below is the engine's own; from here on it is the caller's. */
export const AREA = 0x10000
const BLOCK_TABLE = 0x8000
const BLOCK_SIZE = 8 + 4 + 4 // in: f64, out: u32 (an address), bits: u32
const PAGE = 65536

const modules = new Map<boolean, Module>()

/**
 * Memory for an engine and `size` bytes of the caller's. Throws a RangeError with what to do where the address space is limited (`ulimit -v`): V8 reserves
 * some 10 GB of it around a memory, so that it need not check each access.
 */
export function createMemory(size: number, shared: boolean): Memory {
  const pages = Math.ceil((AREA + size) / PAGE)
  try {
    return shared
      ? new Memory({ initial: pages, maximum: pages, shared })
      : new Memory({ initial: pages, maximum: pages })
  } catch (cause) {
    throw new RangeError(
      `no address space for ${pages * PAGE} bytes of WebAssembly memory (ulimit -v?); raise the limit or start node with ${LOW_ADDRESS_SPACE_FLAG}`,
      { cause },
    )
  }
}

/** The flag with which Node reserves no address space for WebAssembly memories; layers take a quarter longer then. */
export const LOW_ADDRESS_SPACE_FLAG = '--disable-wasm-trap-handler'

/** Whether this process has the address space that the engine needs. A program can start itself again with `LOW_ADDRESS_SPACE_FLAG` where it has not. */
export function hasAddressSpace(): boolean {
  try {
    createMemory(0, false)
    return true
  } catch {
    return false
  }
}

/** The engine's code, for memories of one's own or shared ones. Threads that are given it need not compile it again. */
export function engineModule(shared: boolean): Module {
  let module = modules.get(shared)
  if (module === undefined) {
    module = new Module(Buffer.from(shared ? SHARED_MEMORY : OWN_MEMORY, 'base64'))
    modules.set(shared, module)
  }
  return module
}

/** A DEFLATE decoder over a memory: the engine, and views of what it leaves there. One at a time may use a memory. */
export class Inflater {
  readonly engine: Engine
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(memory: Memory, module = engineModule(!(memory.buffer instanceof ArrayBuffer))) {
    this.engine = new Instance(module, { env: { memory } }).exports as Engine
    this.bytes = new Uint8Array(memory.buffer)
    this.#view = new DataView(memory.buffer)
    this.engine.init()
  }

  /** Gives each block end that was met since the last call: offset of the next whole input byte, address of the output, 0..7 bits. */
  takeBlocks(use: (inputOffset: number, out: number, bits: number) => void): void {
    const end = BLOCK_TABLE + this.engine.getBlockCount() * BLOCK_SIZE
    for (let at = BLOCK_TABLE; at < end; at += BLOCK_SIZE) {
      use(this.#view.getFloat64(at, true), this.#view.getUint32(at + 8, true), this.#view.getUint32(at + 12, true))
    }
    this.engine.clearBlocks()
  }
}

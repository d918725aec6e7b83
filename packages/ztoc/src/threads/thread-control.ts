// How a layer's threads talk while they run: counters and two rings in shared memory, waited for with Atomics.

const WRITTEN = 0 // messages from the decoder
const READ = 1 // of these, used by the digester
const INPUTS = 2 // input pieces given to the decoder
const STOP = 3
const COUNTERS_SIZE = 4 * 4

const MESSAGES = 1024 // a power of two, as the counters wrap
const MESSAGE_SIZE = 4 // kind and three values, f64 each
const INPUT_ENTRIES = 16 // more than there are input pieces, so it never overflows
const INPUT_SIZE = 2 // address and length
const RINGS_START = COUNTERS_SIZE
const RINGS_SIZE = (MESSAGES * MESSAGE_SIZE + INPUT_ENTRIES * INPUT_SIZE) * 8

/** A waiter looks for `stop` at least this often, in milliseconds. */
const PATIENCE = 50

/** Thrown in a layer's threads when the work is called off. */
export class Stopped extends Error {}

export interface Message {
  readonly kind: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** One layer's threads at work. All of them construct it over the same buffer. */
export class ThreadControl {
  readonly #counters: Int32Array
  readonly #values: Float64Array

  static createBuffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(RINGS_START + RINGS_SIZE)
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#counters = new Int32Array(buffer, 0, 4)
    this.#values = new Float64Array(buffer, RINGS_START)
  }

  /** Before a layer, while no thread is at work. */
  reset(): void {
    this.#counters.fill(0)
  }

  /** Calls the work off: every thread that waits, or is about to, throws `Stopped`. */
  stop(): void {
    Atomics.store(this.#counters, STOP, 1)
    for (const counter of [WRITTEN, READ, INPUTS]) Atomics.notify(this.#counters, counter)
  }

  /** Decoder: hands a message on, and says how many there have been. */
  write(kind: number, a: number, b: number, c: number): number {
    const index = Atomics.load(this.#counters, WRITTEN)
    this.awaitRead(index - MESSAGES + 1)
    this.#values.set([kind, a, b, c], (index & (MESSAGES - 1)) * MESSAGE_SIZE)
    return this.#advance(WRITTEN, index)
  }

  /** Decoder: waits until the digester is through with so many messages. */
  awaitRead(count: number): void {
    this.#await(READ, (read) => ((read - count) | 0) >= 0)
  }

  /** Digester: the next message; the former one counts as used. */
  read(former: boolean): Message {
    let index = Atomics.load(this.#counters, READ)
    if (former) index = this.#advance(READ, index)
    this.#await(WRITTEN, (written) => written !== index)
    const at = (index & (MESSAGES - 1)) * MESSAGE_SIZE
    const [kind, a, b, c] = this.#values.subarray(at, at + MESSAGE_SIZE) as unknown as [number, number, number, number]
    return { kind, a, b, c }
  }

  /** Feeder: the next piece of the layer; a length of -1 is its end. */
  give(ptr: number, length: number): void {
    const index = Atomics.load(this.#counters, INPUTS)
    this.#values.set([ptr, length], MESSAGES * MESSAGE_SIZE + (index % INPUT_ENTRIES) * INPUT_SIZE)
    this.#advance(INPUTS, index)
  }

  /** Decoder: the piece number `index`, from 0. */
  takeInput(index: number): { readonly ptr: number; readonly length: number } {
    this.#await(INPUTS, (given) => given !== (index | 0))
    const at = MESSAGES * MESSAGE_SIZE + (index % INPUT_ENTRIES) * INPUT_SIZE
    return { ptr: this.#values[at]!, length: this.#values[at + 1]! }
  }

  #advance(counter: number, index: number): number {
    const next = (index + 1) | 0
    Atomics.store(this.#counters, counter, next)
    Atomics.notify(this.#counters, counter)
    return next
  }

  #await(counter: number, enough: (value: number) => boolean): void {
    while (true) {
      if (Atomics.load(this.#counters, STOP) !== 0) throw new Stopped()
      const value = Atomics.load(this.#counters, counter)
      if (enough(value)) return
      Atomics.wait(this.#counters, counter, value, PATIENCE)
    }
  }
}

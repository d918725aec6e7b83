// Gzip on all cores: one member, whose deflate stream is made block by block. The bytes depend on the content alone.
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { deflateBlock, WINDOW_SIZE } from './gzip-block.js'

/** Bytes of the content that one thread compresses at a time. */
const BLOCK_SIZE = 1 << 20
const MAX_THREADS = 8

/** A gzip header without a name or time, of an unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** The stream's last block: fixed codes, and nothing in it. */
const LAST_BLOCK = Uint8Array.of(3, 0)

/**
 * Compresses the content. Memory: some five blocks a thread. Chunks of the content may be written over once the next one is asked for.
 * @param threads at most; 1 is the caller's own @default the machine's cores, up to 8
 */
export async function* compressGzip(
  content: AsyncIterable<Uint8Array>,
  threads = Math.min(availableParallelism(), MAX_THREADS),
): AsyncGenerator<Uint8Array> {
  const pool = new GzipPool(threads)
  const pending: Promise<Uint8Array>[] = []
  let check = 0
  let size = 0
  let window = new Uint8Array(0)
  try {
    yield HEADER
    for await (const block of blocksOf(content)) {
      check = crc32(block, check)
      size += block.length
      const before = window
      window = block.slice(-WINDOW_SIZE)
      if (pending.length > threads) yield await pending.shift()!
      pending.push(pool.compress(block, before))
      pending.at(-1)!.catch(() => {}) // thrown when its turn comes
    }
    for (const bytes of pending) yield await bytes
    yield LAST_BLOCK
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(check, 0)
    trailer.writeUInt32LE(size % 2 ** 32, 4)
    yield trailer
  } finally {
    await pool.close()
  }
}

async function* blocksOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(BLOCK_SIZE)
  let filled = 0
  for await (const chunk of content)
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + BLOCK_SIZE - filled)
      block.set(part, filled)
      filled += part.length
      from += part.length
      if (filled < BLOCK_SIZE) continue
      yield block
      block = new Uint8Array(BLOCK_SIZE)
      filled = 0
    }
  if (filled > 0) yield block.slice(0, filled)
}

/** Threads that compress blocks; where there are none to be had, this one does. */
class GzipPool {
  readonly #threads: number
  readonly #workers: Worker[] = []
  readonly #idle: Worker[] = []
  readonly #waiting: ((worker: Worker | undefined) => void)[] = []
  #hasThreads: boolean

  constructor(threads: number) {
    this.#threads = threads
    this.#hasThreads = threads > 1
  }

  async compress(block: Uint8Array<ArrayBuffer>, window: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const worker = await this.#acquire()
    if (worker === undefined) return deflateBlock(block, window)
    try {
      const answered = once(worker, 'message') // rejects with what ends the thread
      worker.postMessage({ block, window })
      const [bytes] = (await answered) as [Uint8Array]
      this.#release(worker)
      return bytes
    } catch {
      this.#hasThreads = false
      for (const wake of this.#waiting.splice(0)) wake(undefined)
      return deflateBlock(block, window)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  async #acquire(): Promise<Worker | undefined> {
    if (!this.#hasThreads) return undefined
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#workers.length === this.#threads) return await new Promise((resolve) => this.#waiting.push(resolve))
    const worker = new Worker(new URL('./gzip-worker.js', import.meta.url), { name: 'sociable gzip' })
    worker.on('error', () => {}) // told to whoever waits for its bytes
    this.#workers.push(worker)
    return worker
  }

  #release(worker: Worker): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(worker)
    else next(worker)
  }
}

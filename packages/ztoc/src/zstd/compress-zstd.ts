import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { chunksOf } from '../threads/chunks-of.js'
import { WorkerPool } from '../threads/worker-pool.js'
import { ZstdEncoder } from './zstd-encoder.js'
import type { ZstdAnswer, ZstdWorkerData } from './zstd-worker.js'

export interface CompressZstdOptions {
  /** Bytes of the content that become one frame. @default 2 MiB: 1 % larger than 8 MiB, in a fifth less time and a quarter of the memory */
  readonly frameSize?: number
  /** 1 to 19. @default 3 */
  readonly level?: number
  /** Threads at most; 1 is the caller's own. @default the machine's cores, up to 4 */
  readonly threads?: number
}

const DEFAULT_FRAME_SIZE = 2 << 20
const DEFAULT_LEVEL = 3
const MAX_THREADS = 4

/**
 * Compresses the content into zstd frames of `frameSize` bytes each. The bytes depend on the content, the frame size and the level alone. Memory: some six frames
 * a thread. Chunks of the content may be written over once the next one is asked for.
 */
export async function* compressZstd(
  content: AsyncIterable<Uint8Array>,
  options: CompressZstdOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { frameSize = DEFAULT_FRAME_SIZE, level = DEFAULT_LEVEL } = options
  const threads = Math.max(1, options.threads ?? Math.min(availableParallelism(), MAX_THREADS))
  const pool = new EncoderPool({ chunkSize: frameSize, level }, threads)
  const pending: Promise<Uint8Array>[] = []
  try {
    for await (const frame of chunksOf(content, frameSize, () => pool.spare ?? new Uint8Array(frameSize))) {
      // The first frame alone may be all there is: then no thread need start
      if (pending.length > threads) yield await pending.shift()!
      pending.push(pool.compress(frame))
      pending.at(-1)!.catch(() => {}) // thrown when its turn comes
    }
    for (const frame of pending) yield await frame
  } finally {
    await pool.close()
  }
}

/** Threads that compress chunks. Without any, the calling thread compresses. */
class EncoderPool {
  readonly #data: ZstdWorkerData
  readonly #pool: WorkerPool
  /** Memory of chunks that are done: new memory for each would pile up until it is collected. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = []
  #encoder: ZstdEncoder | undefined

  constructor(data: ZstdWorkerData, threads: number) {
    this.#data = data
    const start = () =>
      new Worker(new URL('./zstd-worker.js', import.meta.url), { name: 'sociable zstd', workerData: data })
    this.#pool = new WorkerPool({ threads, start, announces: true })
  }

  /** Memory for a chunk, if there is some that was used before. */
  get spare(): Uint8Array<ArrayBuffer> | undefined {
    return this.#spare.pop()
  }

  /** @param chunk it belongs to the pool from then on */
  async compress(chunk: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const answer = await this.#pool.ask<ZstdAnswer>(chunk, [chunk.buffer])
    if (answer === undefined) return this.#compressHere(chunk)
    if (answer.frame === undefined) {
      this.#pool.disable() // it has no memory: what it does can be done here
      return this.#compressHere(answer.chunk)
    }
    this.#keep(answer.chunk)
    return answer.frame
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  #compressHere(chunk: Uint8Array<ArrayBuffer>): Uint8Array {
    this.#encoder ??= new ZstdEncoder(this.#data.chunkSize)
    const frame = this.#encoder.compress(chunk, this.#data.level)
    this.#keep(chunk)
    return frame
  }

  #keep({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.#spare.push(new Uint8Array(buffer))
  }
}

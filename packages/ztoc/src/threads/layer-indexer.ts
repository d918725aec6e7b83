import { availableParallelism } from 'node:os'
import { indexLayer } from '../layer/index-layer.js'
import { openLayer } from '../layer/layer-input.js'
import type { IndexedLayer, IndexLayerOptions } from '../types.js'
import { LayerThreads } from './layer-threads.js'

export interface LayerIndexerOptions {
  /** Layers indexed at once; the others wait in the order of their calls. Each takes two threads. @default the machine's cores */
  readonly concurrency?: number
  /** Whether to use threads at all. @default true, and one thread where there are none to be had (no shared memory, `ulimit -v`) */
  readonly threads?: boolean
}

/**
 * Indexes layers on a pool of threads, two for each layer: one decodes while the other digests, so that a single big layer uses two cores. Results are those
 * of `indexLayer`. Threads start when they are first needed (some 25 ms), serve layer after layer, and do not keep the process alive.
 *
 * @example
 * const indexer = new LayerIndexer()
 * const layers = await Promise.all(files.map((file) => indexer.index(createReadStream(file))))
 * await indexer.close()
 */
export class LayerIndexer {
  readonly #concurrency: number
  readonly #idle: LayerThreads[] = []
  readonly #all = new Set<LayerThreads>()
  readonly #waiting: (() => void)[] = []
  #running = 0
  #threads: boolean
  #closed = false

  constructor(options: LayerIndexerOptions = {}) {
    this.#concurrency = Math.max(1, options.concurrency ?? availableParallelism())
    this.#threads = options.threads ?? true
  }

  /** As `indexLayer`. The source is not read before a place in the pool is free. */
  async index(source: AsyncIterable<Uint8Array>, options: IndexLayerOptions = {}): Promise<IndexedLayer> {
    this.#throwIfClosed()
    if (this.#running >= this.#concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      this.#throwIfClosed() // while it waited
      const threads = await this.#acquire()
      if (threads === undefined) return await indexLayer(source, options)
      try {
        return await threads.index(await openLayer(source, options), options.onProgress, options.signal)
      } finally {
        this.#release(threads)
      }
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  /** Ends the threads. Layers still at work, or waiting, are rejected. */
  async close(): Promise<void> {
    this.#closed = true
    this.#threads = false
    await Promise.all([...this.#all].map((threads) => threads.close()))
    this.#all.clear()
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new Error('the indexer is closed')
  }

  async #acquire(): Promise<LayerThreads | undefined> {
    const idle = this.#idle.pop()
    if (idle !== undefined || !this.#threads) return idle
    let threads: LayerThreads
    try {
      threads = await LayerThreads.start()
    } catch {
      // No shared memory, no threads: everything can be done in this one
      this.#threads = false
      return undefined
    }
    if (this.#closed)
      await threads.close() // while they started
    else this.#all.add(threads)
    this.#throwIfClosed()
    return threads
  }

  #release(threads: LayerThreads): void {
    if (threads.alive) this.#idle.push(threads)
    else this.#all.delete(threads)
  }
}

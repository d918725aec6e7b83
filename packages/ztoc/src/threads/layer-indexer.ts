import { availableParallelism } from 'node:os'
import { LOW_ADDRESS_SPACE_FLAG } from '../inflate/inflater.js'
import { indexLayer } from '../layer/index-layer.js'
import { openLayer } from '../layer/layer-input.js'
import type { IndexedLayer, IndexLayerOptions } from '../types.js'
import { hasAddressSpaceForThreads } from './address-space.js'
import { type LayerThreadCount, LayerThreads } from './layer-threads.js'

export interface LayerIndexerOptions {
  /** Layers indexed at once; the others wait in the order of their calls. Each takes a thread or two. @default the machine's cores */
  readonly concurrency?: number
  /** Whether to use threads at all. @default true; one thread if the runtime has no shared memory, if the address space is limited (`ulimit -v`), and with `LOW_ADDRESS_SPACE_FLAG` */
  readonly threads?: boolean
}

export interface PoolOptions {
  /**
   * Two threads for the layer: one decodes while the other digests, so that a big layer uses two cores. One costs less where there are other layers to keep
   * the cores busy: an eighth of the CPU time. @default 2
   */
  readonly threads?: LayerThreadCount
}

/**
 * Indexes layers on a pool of threads, one or two for each layer. Results are those of `indexLayer`. Threads start when they are first needed (some 25 ms), serve layer after layer, and do not keep the process alive.
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
    this.#threads =
      (options.threads ?? true) && !process.execArgv.includes(LOW_ADDRESS_SPACE_FLAG) && hasAddressSpaceForThreads()
  }

  /** As `indexLayer`. The source is not read before a place in the pool is free. */
  async index(source: AsyncIterable<Uint8Array>, options: IndexLayerOptions & PoolOptions = {}): Promise<IndexedLayer> {
    this.#throwIfClosed()
    if (this.#running >= this.#concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      this.#throwIfClosed() // while it waited
      const threads = await this.#acquire(options.threads ?? 2)
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

  async #acquire(count: LayerThreadCount): Promise<LayerThreads | undefined> {
    const idle = this.#idle.findIndex((threads) => threads.count === count)
    if (idle >= 0) return this.#idle.splice(idle, 1)[0]
    if (!this.#threads) return undefined
    let threads: LayerThreads
    try {
      threads = await LayerThreads.start(count)
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

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { engineModule } from '../inflate/inflater.js'
import type { LayerInput } from '../layer/layer-input.js'
import { createLayerMemory, INPUT_SIZE, type LayerMemory } from '../layer/layer-memory.js'
import type { IndexedLayer } from '../types.js'
import type { LayerWorkerData, LayerWorkerJob, LayerWorkerMessage, LayerWorkerRole } from './layer-worker.js'
import { ThreadControl } from './thread-control.js'
import { reviveError } from './thread-error.js'

const INPUTS = 3
const SLOTS = 4
/** MiB. The threads' garbage is small and short-lived; V8 would let it grow to 48. */
const YOUNG_GENERATION = 4

interface Job {
  readonly number: number
  readonly settle: (outcome: IndexedLayer | Error) => void
  /** Pieces that may be filled, and the callers that wait for one. */
  readonly free: number[]
  wanted: (() => void) | undefined
  outcome: IndexedLayer | Error | undefined
  idle: number
}

/** Threads for a layer: one that does it all, or two, of which one decodes while the other digests. */
export type LayerThreadCount = 1 | 2

/** One thread or two that index one layer at a time. They stay for the next layer. */
export class LayerThreads {
  readonly #memory: LayerMemory
  readonly #bytes: Uint8Array
  readonly #control: ThreadControl
  readonly #workers: Worker[]
  #job: Job | undefined
  #jobs = 0
  #dead: Error | undefined
  #ready = 0
  #started: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined

  /** Rejects if shared memory or threads are not available. */
  static async start(count: LayerThreadCount): Promise<LayerThreads> {
    const threads = new LayerThreads(count)
    try {
      await new Promise<void>((resolve, reject) => {
        threads.#started = { resolve, reject }
      })
    } catch (error) {
      await threads.close()
      throw error
    }
    for (const worker of threads.#workers) worker.unref()
    return threads
  }

  private constructor(readonly count: LayerThreadCount) {
    const slots = count === 1 ? 1 : SLOTS
    this.#memory = createLayerMemory(INPUTS, slots, true)
    this.#bytes = new Uint8Array(this.#memory.memory.buffer)
    const control = ThreadControl.createBuffer()
    this.#control = new ThreadControl(control)
    const start = (role: LayerWorkerRole, peer?: MessagePort): Worker => {
      const data: LayerWorkerData = {
        role,
        memory: this.#memory.memory,
        module: engineModule(true),
        inputs: INPUTS,
        slots,
        control,
        peer,
      }
      const worker = new Worker(new URL('./layer-worker.js', import.meta.url), {
        name: `sociable ${role}`,
        workerData: data,
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
        transferList: peer === undefined ? [] : [peer],
      })
      worker.on('message', (message: LayerWorkerMessage) => this.#receive(message))
      worker.on('error', (error) => this.#die(error as Error))
      worker.on('exit', (code) => this.#die(new Error(`a thread ended with status ${code}`)))
      return worker
    }
    if (count === 1) this.#workers = [start('whole')]
    else {
      const { port1, port2 } = new MessageChannel()
      this.#workers = [start('decoder', port1), start('digester', port2)]
    }
  }

  /** False once a thread has died: the pair is of no more use. */
  get alive(): boolean {
    return this.#dead === undefined
  }

  /** As `indexLayer`, for input that is open already. */
  async index(
    input: LayerInput,
    onProgress: ((bytes: number) => void) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<IndexedLayer> {
    const job: Job = {
      number: ++this.#jobs,
      settle: () => {},
      free: [...this.#memory.inputs],
      wanted: undefined,
      outcome: undefined,
      idle: 0,
    }
    const settled = new Promise<IndexedLayer>((resolve, reject) => {
      Object.assign(job, {
        settle: (outcome: IndexedLayer | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
      })
    })
    this.#job = job
    this.#control.reset()
    for (const worker of this.#workers) {
      worker.ref()
      worker.postMessage({ number: job.number, job: input.job } satisfies LayerWorkerJob)
    }
    const abort = (): void => this.#fail(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    if (this.#dead !== undefined) this.#fail(this.#dead) // while the input was opened: nobody will tell again
    const fed = this.#feed(job, input.chunks, onProgress).catch((error) => this.#fail(error))
    try {
      // A failure does not wait for a source that gives nothing more
      await Promise.race([fed, settled])
      return await settled
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#job = undefined
      // A thread that is ending keeps the process alive until it has ended, or `close` would never resolve
      if (this.alive) for (const worker of this.#workers) worker.unref()
    }
  }

  async close(): Promise<void> {
    this.#dead ??= new Error('the threads were closed')
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  /** Copies the layer's bytes into free pieces, each filled before it is given. Comes back early once the outcome is known. */
  async #feed(
    job: Job,
    chunks: AsyncIterable<Uint8Array>,
    onProgress: ((bytes: number) => void) | undefined,
  ): Promise<void> {
    let piece: number | undefined
    let filled = 0
    let size = 0
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.length; ) {
        while (piece === undefined && job.outcome === undefined) {
          piece = job.free.pop()
          if (piece === undefined)
            await new Promise<void>((resolve) => {
              job.wanted = resolve
            })
        }
        if (piece === undefined) return
        const part = chunk.subarray(from, from + INPUT_SIZE - filled)
        this.#bytes.set(part, piece + filled)
        from += part.length
        filled += part.length
        if (filled < INPUT_SIZE) continue
        this.#control.give(piece, filled)
        piece = undefined
        filled = 0
      }
      size += chunk.length
      onProgress?.(size)
    }
    if (piece !== undefined) this.#control.give(piece, filled)
    this.#control.give(0, -1)
  }

  #receive(message: LayerWorkerMessage): void {
    if ('ready' in message) {
      if (++this.#ready === this.#workers.length) this.#started?.resolve()
      return
    }
    const job = this.#job
    if (job === undefined) return
    if ('free' in message) {
      job.free.push(message.free)
      this.#wake(job)
    } else if ('layer' in message) job.outcome ??= message.layer
    else if ('error' in message) {
      job.outcome ??= reviveError(message.error)
      this.#wake(job)
    } else if ('idle' in message && ++job.idle === this.#workers.length) this.#settle(job)
  }

  /** Calls the job off; it is settled when its threads have let go of the memory. */
  #fail(reason: unknown): void {
    const job = this.#job
    if (job === undefined) return
    job.outcome ??= reason instanceof Error ? reason : new Error(String(reason))
    this.#control.stop()
    this.#wake(job)
    if (this.#dead !== undefined) this.#settle(job)
  }

  #die(error: Error): void {
    this.#dead ??= error
    this.#started?.reject(error)
    this.#fail(error)
  }

  #settle(job: Job): void {
    job.settle(job.outcome ?? new Error('the threads ended without an outcome'))
  }

  #wake(job: Job): void {
    job.wanted?.()
    job.wanted = undefined
  }
}

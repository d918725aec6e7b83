import type { Transferable, Worker } from 'node:worker_threads'

export interface WorkerPoolOptions {
  /** Threads at most; with 1 none is started, as the caller's own does as well. */
  readonly threads: number
  /** Starts a thread that answers each message with one message. */
  readonly start: () => Worker
  /** Whether a thread's first message only says that it is ready. @default false */
  readonly announces?: boolean
}

/** Threads that each do one thing at a time. If one cannot be started or fails, none is used any more: callers do the work themselves. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers: Worker[] = []
  readonly #idle: Worker[] = []
  readonly #waiting: ((worker: Worker | undefined) => void)[] = []
  #isUsed: boolean

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#isUsed = options.threads > 1
  }

  /** A thread's answer; undefined if there is none to ask. @param transfer memory that is handed over @throws Error if the thread ends before it answers */
  async ask<Answer>(message: unknown, transfer: readonly Transferable[] = []): Promise<Answer | undefined> {
    const worker = await this.#acquire()
    if (worker === undefined) return undefined
    try {
      const answer = next(worker)
      worker.postMessage(message, transfer)
      const given = (await answer) as Answer
      this.#release(worker)
      return given
    } catch (error) {
      this.disable()
      throw error
    }
  }

  /** Uses no thread from now on, except for what is under way. */
  disable(): void {
    this.#isUsed = false
    for (const wake of this.#waiting.splice(0)) wake(undefined)
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  async #acquire(): Promise<Worker | undefined> {
    if (!this.#isUsed) return undefined
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const { threads, start, announces } = this.#options
    if (this.#workers.length === threads) return await new Promise((resolve) => this.#waiting.push(resolve))
    const worker = start()
    worker.on('error', () => {}) // whoever waits for its answer gets it
    this.#workers.push(worker)
    // Memory is handed over for good, so not before the thread is ready
    const isReady =
      !announces ||
      (await next(worker).then(
        () => true,
        () => false,
      ))
    if (isReady) return worker
    this.disable()
    return undefined
  }

  #release(worker: Worker): void {
    const wake = this.#waiting.shift()
    if (wake === undefined) this.#idle.push(worker)
    else wake(worker)
  }
}

/** The thread's next message. @throws Error where it ends before */
function next(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
    }
    const onMessage = (message: unknown): void => {
      end()
      resolve(message)
    }
    const onError = (error: Error): void => {
      end()
      reject(error)
    }
    const onExit = (): void => {
      end()
      reject(new Error('the thread ended'))
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
  })
}

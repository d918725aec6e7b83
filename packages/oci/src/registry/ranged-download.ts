import { setMaxListeners } from 'node:events'
import type { BlobReader, OpenedBlob } from './blob-reader.js'
import { CHUNK_SIZE } from './chunk-pool.js'
import type { RegistryClient } from './client.js'
import { DownloadPart, RangesRefused } from './download-part.js'
import { retrying } from './retry.js'

/** Requests of one download at once, at most; S3 and ECR recommend 10 to 20 in all. */
const REQUESTS = 8

export interface DownloadOptions {
  readonly start: number
  readonly end: number
  readonly signal?: AbortSignal | undefined
  /** Whether a chunk's memory may be used again once the next one is asked for. @default false */
  readonly reuse?: boolean | undefined
}

/**
 * Bytes [start, end) of a blob, in order, in chunks that are the reader's own. More than a part's size is read by several ranged requests at once,
 * ahead of the reader as far as the memory that all downloads share allows; without any, at the reader's pace. The first answer tells whether
 * ranges are given: where they are not, the blob comes in one stream. The bytes are counted, and not verified.
 * @throws StoreError SIZE_MISMATCH, and what a request of a registry throws
 */
export async function* download(
  client: RegistryClient,
  blob: BlobReader,
  { start, end, signal, reuse = false }: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  const abort = new AbortController()
  setMaxListeners(0, abort.signal) // each request has one
  const onAbort = () => abort.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  client.budget.enter()
  const run = new Download(client, blob, end, abort.signal)
  try {
    for await (const chunk of run.read(start)) {
      yield chunk
      if (reuse && chunk.length === CHUNK_SIZE) run.reclaim(chunk)
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    client.budget.leave()
    signal?.removeEventListener('abort', onAbort)
    abort.abort(new Error('the download is no longer read'))
    run.release()
  }
}

class Download {
  readonly #client: RegistryClient
  readonly #blob: BlobReader
  readonly #end: number
  readonly #signal: AbortSignal
  /** Read or being read, in order; the reader is in the first. */
  #parts: DownloadPart[] = []
  /** Where the next part starts. */
  #next = 0
  /** Chunks of the pool that are in use. */
  #chunks = 0
  readonly #allocate = () => {
    this.#chunks++
    return this.#client.pool.take()
  }
  /** Bytes of the budget that are taken and not yet given back. */
  #taken = 0

  constructor(client: RegistryClient, blob: BlobReader, end: number, signal: AbortSignal) {
    this.#client = client
    this.#blob = blob
    this.#end = end
    this.#signal = signal
  }

  async *read(start: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { policy, partSize } = this.#client
    const firstEnd = Math.min(this.#end, start + partSize)
    if (firstEnd === this.#end) {
      yield* this.#sole(start)
      return
    }
    const opened = await retrying(policy, this.#signal, () => this.#blob.open(start, firstEnd, this.#signal))
    if (opened.kind === 'whole') {
      yield* this.#sole(start, opened)
      return
    }
    this.#next = start
    this.#begin(this.#take(firstEnd - start), opened)
    let position = start
    try {
      while (position < this.#end) {
        this.#readAhead()
        if (this.#parts.length === 0) this.#begin(false)
        const part = this.#parts[0]!
        for await (const chunk of part.chunks()) {
          position += chunk.length
          if (part.held) this.#give(chunk.length)
          yield chunk
          this.#readAhead()
        }
        this.#parts.shift()
      }
    } catch (error) {
      if (!(error instanceof RangesRefused)) throw error
      // What the others have read is dropped: they end with the download.
      this.#parts = []
      yield* this.#sole(position)
    }
  }

  /** Takes back a chunk that its reader no longer needs. */
  reclaim(chunk: Uint8Array): void {
    this.#chunks--
    this.#client.pool.give(chunk)
  }

  /** Gives back all memory. */
  release(): void {
    this.#give(this.#taken)
    this.#client.pool.lose(this.#chunks)
  }

  #sole(start: number, opened?: OpenedBlob): AsyncIterable<Uint8Array> {
    const options = { start, end: this.#end, opened, wholeWillDo: true, held: false, allocate: this.#allocate }
    return new DownloadPart(this.#blob, this.#client.policy, options, this.#signal).chunks()
  }

  #readAhead(): void {
    const { budget, partSize } = this.#client
    while (this.#next < this.#end && this.#parts.length < REQUESTS) {
      const size = Math.min(partSize, this.#end - this.#next)
      if (this.#taken + size > Math.max(partSize, budget.share) || !this.#take(size)) return
      this.#begin(true)
    }
  }

  #begin(held: boolean, opened?: OpenedBlob): void {
    const start = this.#next
    const end = Math.min(this.#end, start + this.#client.partSize)
    const options = { start, end, opened, wholeWillDo: false, held, allocate: this.#allocate }
    this.#parts.push(new DownloadPart(this.#blob, this.#client.policy, options, this.#signal))
    this.#next = end
  }

  #take(bytes: number): boolean {
    if (!this.#client.budget.tryTake(bytes)) return false
    this.#taken += bytes
    return true
  }

  #give(bytes: number): void {
    this.#taken -= bytes
    this.#client.budget.release(bytes)
  }
}

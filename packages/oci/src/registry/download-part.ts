import { sizeMismatch } from '../document/digest.js'
import type { BlobReader, OpenedBlob } from './blob-reader.js'
import { CHUNK_SIZE } from './chunk-pool.js'
import { type RetryPolicy, retrying } from './retry.js'
import { TransientError } from './transient.js'

/** Bytes that wait for the reader in a part that has no memory to hold all of it. */
const UNHELD_SIZE = 512 << 10
/** Bytes after which a connection that breaks has been worth it: what follows is counted as new. */
const WORTHWHILE = 256 << 10

/** The registry stopped serving ranges, or does not serve several at once. */
export class RangesRefused extends Error {}

export interface PartOptions {
  readonly start: number
  readonly end: number
  /** The first answer, where it is here already. */
  readonly opened?: OpenedBlob | undefined
  /** Whether an answer with the whole blob will do; what comes before is passed over. */
  readonly wholeWillDo: boolean
  /** Whether it may hold all that it reads; else it reads no faster than its reader. */
  readonly held: boolean
  /** Memory for a chunk of CHUNK_SIZE bytes. */
  readonly allocate: () => Uint8Array
}

/** A piece of a blob that is read ahead of its reader, and goes on from its byte where it is interrupted. */
export class DownloadPart {
  readonly start: number
  readonly end: number
  readonly held: boolean
  readonly #allocate: () => Uint8Array
  readonly #chunks: Uint8Array[] = []
  #queued = 0
  #filling: Uint8Array | undefined
  #filled = 0
  #received: number
  #done = false
  #error: unknown
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined

  constructor(blob: BlobReader, policy: RetryPolicy, options: PartOptions, signal: AbortSignal) {
    this.start = options.start
    this.end = options.end
    this.held = options.held
    this.#received = options.start
    this.#allocate = options.allocate
    const onAbort = () => this.#wakeWriter?.()
    signal.addEventListener('abort', onAbort)
    this.#run(blob, policy, options, signal)
      .then(
        () => this.#finish(undefined),
        (error: unknown) => this.#finish(error),
      )
      .finally(() => signal.removeEventListener('abort', onAbort))
  }

  /** Its chunks in order, each its reader's own; they throw where it failed in the end. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#queued -= chunk.length
        this.#wakeWriter?.()
        yield chunk
      } else if (this.#done) {
        if (this.#error !== undefined) throw this.#error
        return
      } else
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
    }
  }

  async #run(blob: BlobReader, policy: RetryPolicy, options: PartOptions, signal: AbortSignal): Promise<void> {
    let { opened } = options
    while (this.#received < this.end || opened !== undefined) {
      await retrying(policy, signal, async () => {
        const before = this.#received
        try {
          const answer = opened ?? (await blob.open(before, this.end, signal))
          opened = undefined
          if (answer.kind === 'whole' && !options.wholeWillDo) {
            answer.response.discard()
            throw new RangesRefused()
          }
          await this.#read(answer, blob, signal)
        } catch (error) {
          // Going on from here is a new task; but to read a whole blob again is not.
          const gained = this.#received - before
          if (error instanceof TransientError && gained >= WORTHWHILE && !options.wholeWillDo) return
          throw error
        }
      })
    }
  }

  async #read({ kind, response }: OpenedBlob, { descriptor }: BlobReader, signal: AbortSignal): Promise<void> {
    let position = kind === 'whole' ? 0 : this.#received
    // A whole answer must end where the blob does; of a range no more is taken than was asked for.
    const last = kind === 'whole' ? descriptor.size : this.end
    await response.deliver((chunk) => {
      const from = Math.max(0, this.#received - position)
      const to = Math.min(chunk.length, this.end - position)
      if (from < to) this.#take(chunk.subarray(from, to))
      position += chunk.length
      if (kind === 'whole' && position > last) throw sizeMismatch(descriptor, position, response.request)
      if (position > last || (this.#received === this.end && position < last)) return false
      return this.#isFull ? this.#room(signal) : undefined
    })
    signal.throwIfAborted()
    if (this.#received < this.end)
      throw new TransientError(
        'UNREACHABLE',
        `${response.request} ended after ${position} bytes of ${kind === 'whole' ? last : `${this.start} to ${last}`}`,
      )
  }

  get #isFull(): boolean {
    return !this.held && this.#queued + this.#filled > UNHELD_SIZE
  }

  /** When its reader has made room. */
  async #room(signal: AbortSignal): Promise<void> {
    while (this.#isFull && !signal.aborted)
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve
      })
    signal.throwIfAborted()
  }

  #take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      this.#filling ??= this.#nextChunk()
      const piece = bytes.subarray(at, at + this.#filling.length - this.#filled)
      this.#filling.set(piece, this.#filled)
      this.#filled += piece.length
      this.#received += piece.length
      at += piece.length
      if (this.#filled === this.#filling.length) this.#flush()
    }
  }

  #nextChunk(): Uint8Array {
    const rest = this.end - this.#received
    return rest < CHUNK_SIZE ? new Uint8Array(rest) : this.#allocate()
  }

  #flush(): void {
    if (this.#filling === undefined || this.#filled === 0) return
    const chunk = this.#filling.subarray(0, this.#filled)
    this.#filling = undefined
    this.#filled = 0
    this.#chunks.push(chunk)
    this.#queued += chunk.length
    this.#wakeReader?.()
  }

  #finish(error: unknown): void {
    this.#flush()
    this.#error = error
    this.#done = true
    this.#wakeReader?.()
  }
}

/** Bytes of the chunks that are given out; the last one of a part may be shorter. */
export const CHUNK_SIZE = 256 << 10

/**
 * Memory of chunks that downloads share: a download takes chunks that another is done with, instead of leaving them to the garbage collector.
 * It keeps no more than it may hold; what is made beyond that is let go of when it comes back.
 */
export class ChunkPool {
  readonly #capacity: number
  readonly #free: Uint8Array[] = []
  /** Bytes of chunks that were taken or are free. */
  #held = 0

  /** @param capacity bytes */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  take(): Uint8Array {
    const chunk = this.#free.pop()
    if (chunk !== undefined) return chunk
    this.#held += CHUNK_SIZE
    return new Uint8Array(CHUNK_SIZE)
  }

  /** A chunk whose reader is done with it. */
  give(chunk: Uint8Array): void {
    if (this.#held <= this.#capacity) this.#free.push(chunk)
    else this.#held -= CHUNK_SIZE
  }

  /** So many chunks that were taken will not come back. */
  lose(count: number): void {
    this.#held -= count * CHUNK_SIZE
  }
}

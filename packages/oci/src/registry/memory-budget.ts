/**
 * Bytes that downloads may hold ahead of their readers, shared by all of a client's. Nobody waits for it: a download that gets nothing goes on
 * without holding anything, so none can block another.
 */
export class MemoryBudget {
  readonly capacity: number
  #taken = 0
  #downloads = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Bytes that are held now. */
  get taken(): number {
    return this.#taken
  }

  /** What one of the running downloads may hold, so that the first does not take it all. */
  get share(): number {
    return this.capacity / Math.max(1, this.#downloads)
  }

  enter(): void {
    this.#downloads++
  }

  leave(): void {
    this.#downloads--
  }

  tryTake(bytes: number): boolean {
    if (this.#taken + bytes > this.capacity) return false
    this.#taken += bytes
    return true
  }

  release(bytes: number): void {
    this.#taken -= bytes
  }
}

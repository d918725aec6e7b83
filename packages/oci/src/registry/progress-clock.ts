/** How slow is too slow: fewer than `bytes` in `milliseconds` of waiting. */
export interface Pace {
  readonly bytes: number
  readonly milliseconds: number
}

/**
 * Tells a stream that has stalled, or drips, from one that is not asked for more: only the time between `waiting` and `arrived` counts. (undici's
 * own body timeout neither fires while a stream is held back, nor ever on a byte a second.)
 */
export class ProgressClock {
  readonly #pace: Pace
  readonly #onStall: () => void
  #timer: NodeJS.Timeout | undefined
  #since = 0
  #waited = 0
  #arrived = 0

  constructor(pace: Pace, onStall: () => void) {
    this.#pace = pace
    this.#onStall = onStall
  }

  waiting(): void {
    this.#since = performance.now()
    this.#timer = setTimeout(this.#onStall, Math.max(0, this.#pace.milliseconds - this.#waited))
  }

  arrived(bytes: number): void {
    clearTimeout(this.#timer)
    this.#waited += performance.now() - this.#since
    this.#arrived += bytes
    if (this.#arrived >= this.#pace.bytes) {
      this.#arrived = 0
      this.#waited = 0
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { TransientError } from './transient.js'

export interface RetryPolicy {
  /** How often a request is asked again in a row. @default 6: half a minute or so with the delays below */
  readonly retries: number
  /** Milliseconds before the first retry; doubled with each, and lengthened by up to its own length at random. @default 250 */
  readonly delay: number
  /** Milliseconds between two tries, at most. @default 10,000 */
  readonly longestDelay: number
  /** Milliseconds that a server may ask us to wait (`Retry-After`); where it asks for more, we fail at once. @default 60,000 */
  readonly longestRetryAfter: number
}

export const RETRY_POLICY: RetryPolicy = { retries: 6, delay: 250, longestDelay: 10_000, longestRetryAfter: 60_000 }

/**
 * Runs `attempt` until it succeeds, or fails with something else than a `TransientError`, or has failed once more than `retries` times. After an
 * answer with `Retry-After` no try is made before that time.
 */
export function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  return pRetry(attempt, {
    retries: policy.retries,
    minTimeout: policy.delay,
    maxTimeout: policy.longestDelay,
    randomize: true,
    signal,
    async onFailedAttempt({ error, retriesLeft }) {
      const wait = error instanceof TransientError ? error.retryAfter : undefined
      if (wait !== undefined && retriesLeft > 0 && wait <= policy.longestRetryAfter) await pause(wait, signal)
    },
    shouldRetry: ({ error }) => error instanceof TransientError && (error.retryAfter ?? 0) <= policy.longestRetryAfter,
  })
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal?.throwIfAborted())
}

/**
 * Milliseconds of a `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). `undefined` where it is neither; a date that has passed is 0.
 * @param now milliseconds since 1970; the server's clock where its `Date` is known
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  // Only the form that HTTP uses, as Date.parse takes far more.
  const date = /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

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
  /** Called before each pause with a line for the user: `429 from registry.example: trying again in 4 s (2 of 6)`. @default the client's `onNotice` */
  readonly onRetry?: ((message: string) => void) | undefined
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
    minTimeout: 0, // the pause is made here, as its length is reported before it begins
    signal,
    async onFailedAttempt({ error, retriesConsumed, retriesLeft }) {
      if (!isWorthRetrying(error, policy, retriesConsumed) || retriesLeft <= 0) return
      const delay = Math.min(policy.longestDelay, policy.delay * 2 ** retriesConsumed * (1 + Math.random()))
      const wait = delay + (error.retryAfter ?? 0)
      const count = `${retriesConsumed + 1} of ${Math.min(policy.retries, error.retries ?? policy.retries)}`
      policy.onRetry?.(`${error.brief}: trying again in ${formatWait(wait)} (${count})`)
      await pause(wait, signal)
    },
    shouldRetry: ({ error, retriesConsumed }) => isWorthRetrying(error, policy, retriesConsumed),
  })
}

function isWorthRetrying(
  error: unknown,
  { longestRetryAfter }: RetryPolicy,
  retriesConsumed: number,
): error is TransientError {
  if (!(error instanceof TransientError) || (error.retryAfter ?? 0) > longestRetryAfter) return false
  return retriesConsumed < (error.retries ?? Number.POSITIVE_INFINITY)
}

function formatWait(milliseconds: number): string {
  const seconds = milliseconds / 1000
  return `${seconds < 1 ? Math.max(0.1, seconds).toFixed(1) : Math.round(seconds)} s`
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

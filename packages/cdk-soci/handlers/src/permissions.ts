import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '@sociable/oci'
import { log } from './log.js'

/** Milliseconds that a new role's permissions are waited for: IAM's changes are everywhere within seconds, rarely a minute. */
const WAIT = 75_000
const DELAYS = [1_000, 2_000, 4_000, 8_000]

/** A request to a private registry of ECR that IAM did not allow. */
const ECR_REFUSAL = /https:\/\/\d{12}\.dkr[.-]ecr\S* answered 40[13]/
const DENIED = 'AccessDeniedException'

/** Whether it is IAM that refuses, rather than the registry of a mirrored image. */
export function isRefusedByAws(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (cause.name === DENIED) return true
  const refused = error instanceof StoreError && (error.code === 'DENIED' || error.code === 'UNAUTHORIZED')
  return refused && ECR_REFUSAL.test(error.message)
}

/**
 * Does the work again while AWS refuses what the function's role may do by now: a policy that was made just before is not known everywhere at
 * once. The work must be such that doing it again changes nothing.
 * @param wait milliseconds from now on in which a further try may begin
 */
export async function whilePermissionsSpread<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  wait = WAIT,
): Promise<Result> {
  const end = performance.now() + wait
  let refusal: unknown
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) throw refusal ?? error // called off, the refusal is what there is to tell
      const delay = DELAYS[Math.min(tries, DELAYS.length) - 1]!
      if (!isRefusedByAws(error) || performance.now() + delay > end) throw error
      refusal = error
      log('AWS refuses, which may pass while the role is new', { tries, error: (error as Error).message })
      await sleep(delay, undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}

import type { LambdaContext } from './lambda.js'

/** Milliseconds before the function's end that are for the answer: its tries together rarely need more. */
const GRACE = 20_000
/** Milliseconds that work has to come back once it was called off, before it is answered without it. */
const LAST_WORD = 2_000

/** The function's time is nearly up. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * Runs the work, and calls it off in time to answer: 20 seconds before the function's end, or a quarter of what it has where that is less.
 * @throws DeadlineError even if the work does not heed its signal
 */
export async function withinDeadline<Result>(
  context: LambdaContext,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const remaining = context.getRemainingTimeInMillis()
  const time = remaining - Math.min(GRACE, remaining / 4)
  const abort = new AbortController()
  const error = new DeadlineError(
    `the work did not end in the ${Math.round(remaining / 1000)} seconds that the function has: give it more time (at most 15 minutes) or memory, or use SociCompute.codeBuild() or SociCompute.stepFunctions()`,
  )
  let last: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    abort.signal.addEventListener('abort', () => {
      last = setTimeout(reject, Math.min(LAST_WORD, remaining / 16), error)
    })
  })
  const timer = setTimeout(() => abort.abort(error), Math.max(0, time))
  try {
    return await Promise.race([work(abort.signal), late])
  } finally {
    clearTimeout(timer)
    clearTimeout(last)
  }
}

// A push with all that belongs to it: its time, what is told of it, and the push that came in between.

import { resolveIfThere } from '@sociable/oci'
import { DeadlineError, withinDeadline } from '../deadline.js'
import type { LambdaContext } from '../lambda.js'
import { log } from '../log.js'
import type { PushedEvent } from '../pushed-event.js'
import { handOver } from './hand-over.js'
import { indexPush, type PushEnd, type PushTask } from './index-push.js'
import type { Push } from './push.js'
import { reportReady } from './report.js'

/** A tag that moves more often while one function runs is left to the next one. */
const ROUNDS = 3

/** Indexes a push, and tells of it. @throws as `indexPush`; DeadlineError where the function's time is over */
export async function handlePush(push: Push, task: PushTask, context: LambdaContext): Promise<void> {
  const { repository, tag, digest } = push
  const end = await indexWithin(push, task, context)
  if (end.state === 'ready') {
    await reportReady(push, end.outcome, task.settings, context.functionName)
    await followTag(push, task, context)
  } else log(end.state, { repository: repository.name, tag, digest, ...end })
}

/**
 * Where the tag has moved while its image was indexed, the newer image may have been indexed before: then the output tag is the older one's now. So the
 * newer one is looked at once more.
 */
export async function followTag(push: Push, task: PushTask, context: LambdaContext): Promise<void> {
  const { settings, images } = task
  const { repository, tag } = push
  if (tag === undefined || settings.version === 'v1') return
  let current = push
  for (let round = 1; ; round++) {
    const newest = await withinDeadline(context, async (signal) =>
      resolveIfThere(await images.openEcr(repository, signal), tag, signal),
    )
    if (newest === undefined || newest.digest === current.digest) return
    log('the tag has moved while its image was indexed', { repository: repository.name, tag, digest: newest.digest })
    if (round > ROUNDS) throw new Error(`the tag ${tag} of ${repository.uri} keeps moving`)
    current = { ...push, digest: newest.digest }
    const end = await indexWithin(current, task, context)
    if (end.state !== 'ready') return log(end.state, { repository: repository.name, tag, ...end })
    if (end.outcome.seconds !== undefined) await reportReady(current, end.outcome, settings, context.functionName)
  }
}

async function indexWithin(push: Push, task: PushTask, context: LambdaContext): Promise<PushEnd> {
  let begun: PushedEvent | undefined
  const begin = (event: PushedEvent): void => {
    begun = event
  }
  try {
    return await withinDeadline(context, (signal) => indexPush(push, task, signal, begin))
  } catch (error) {
    const { stateMachine } = task.settings
    if (!(error instanceof DeadlineError) || begun === undefined || stateMachine === undefined) throw error
    log('the function has no time left for this image', { digest: push.digest })
    return { state: 'handed over', executionArn: await handOver(begun, stateMachine, AbortSignal.timeout(LAST_CALL)) }
  }
}

const LAST_CALL = 10_000 // ms of those that `withinDeadline` leaves

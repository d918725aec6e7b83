import type { LambdaContext } from '../lambda.js'
import { type Push, pushEvent } from './push.js'
import { sendToDeadLetters } from './queue.js'
import { reportFailed } from './report.js'
import type { Settings } from './settings.js'

/**
 * Ends a push that cannot be indexed: tells of it, and keeps its message in the dead-letter queue.
 * @param body of the message; that of the push where there is none any more
 * @returns whether it is in the dead-letter queue
 */
export async function fail(
  push: Push | undefined,
  reason: string,
  settings: Settings,
  { functionName }: LambdaContext,
  body?: string,
): Promise<boolean> {
  await reportFailed(push, reason, settings, functionName)
  const message = body ?? (push && JSON.stringify(pushEvent(push)))
  if (settings.deadLetterQueueUrl === undefined || message === undefined) return false
  await sendToDeadLetters(settings.deadLetterQueueUrl, message, reason)
  return true
}

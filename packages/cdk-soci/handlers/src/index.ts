// The function behind the custom resource `Custom::SociIndex` where the work is done by Lambda.
import { answerEvent, answerFailure } from './answer-event.js'
import { isCloudFormationEvent } from './event.js'
import { readFailureRecord } from './failure-record.js'
import type { LambdaContext } from './lambda.js'
import { log } from './log.js'

export { backfillHandler } from './backfill/handler.js'
export { codeBuildHandler } from './code-build/handler.js'
export { runBuild } from './code-build/run-build.js'
export { onPushHandler } from './on-push/handler.js'
export { stepFunctionsHandler } from './step-functions/handler.js'

/** Takes CloudFormation's events, and what Lambda tells of an invocation of this function that ended without an answer. */
export async function handler(event: unknown, context: LambdaContext): Promise<void> {
  const failure = readFailureRecord(event)
  if (failure !== undefined) await answerFailure(failure, context)
  else if (isCloudFormationEvent(event)) await answerEvent(event, context)
  else log('this is not an event of a custom resource, so there is nobody to answer')
}

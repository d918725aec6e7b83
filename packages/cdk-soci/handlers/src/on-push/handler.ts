// The function behind `SociIndexOnPush`: reads the queue that the pushes of Amazon ECR come through, does the steps of the state machine for what is too large
// for one function, and looks for pushes that got lost.
import { backfillHandler, isBackfillStep } from '../backfill/handler.js'
import { isObject } from '../event.js'
import { Images } from '../images.js'
import { type LambdaContext, workMemory } from '../lambda.js'
import { log } from '../log.js'
import { endedExecution } from '../step-functions/executions.js'
import { isStep, runStep } from '../step-functions/steps.js'
import { handleBatch } from './batch.js'
import { endExecution } from './execution-end.js'
import { isSqsBatch } from './queue.js'
import { isReconcile, reconcile } from './reconcile.js'
import { readSettings } from './settings.js'

/**
 * Takes batches of the queue, steps of the state machine, EventBridge's events of executions that ended, and the schedule's. In the template, the steps of a
 * backfill, too: its code is large, so that two functions with code of their own do not fit.
 */
export async function onPushHandler(event: unknown, context: LambdaContext): Promise<unknown> {
  if (isStep(event)) return await runStep(event, context)
  if (isBackfillStep(event)) return await backfillHandler(event, context)
  const memory = workMemory(context)
  const images = new Images(memory)
  try {
    const task = { settings: readSettings(process.env), images, memory }
    if (isSqsBatch(event)) return await handleBatch(event, task, context)
    if (isReconcile(event)) return await reconcile(event, task, context)
    const execution = isObject(event) ? endedExecution(event) : undefined
    if (execution !== undefined) return await endExecution(execution, task, context)
    return log('ignored', { reason: 'the event is not of a queue, a state machine or a schedule' })
  } finally {
    await images.close()
  }
}

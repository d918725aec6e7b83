import { DeadlineError } from '../deadline.js'
import { isObject } from '../event.js'
import { explain } from '../explain.js'
import { type LambdaContext, logPlace } from '../lambda.js'
import { log } from '../log.js'
import { endedExecution } from '../step-functions/executions.js'
import { endExecution } from './execution-end.js'
import { fail } from './fail.js'
import { isFinal } from './failure.js'
import { handlePush } from './handle-push.js'
import type { PushTask } from './index-push.js'
import { writeMetrics } from './metrics.js'
import { type Push, PushError, readPush } from './push.js'
import { pauseAfter, type SqsBatch, type SqsMessage, shortenPause } from './queue.js'
import { isReconcile, reconcile } from './reconcile.js'

/** What Lambda is answered ("Implementing partial batch responses"): the messages that go back to the queue. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** Milliseconds that must be left for a message to be begun, unless it is the first. */
const LEAST_TIME = 60_000

/** Handles messages one after the other. What may pass goes back to the queue, what cannot to the dead-letter queue. */
export async function handleBatch({ Records }: SqsBatch, task: PushTask, context: LambdaContext): Promise<BatchAnswer> {
  const { settings } = task
  const { queueUrl } = settings
  const failed: SqsMessage[] = []
  for (const [i, message] of Records.entries()) {
    const isBegun = i === 0 || context.getRemainingTimeInMillis() > LEAST_TIME
    if (isBegun && (await handleMessage(message, task, context))) continue
    failed.push(message)
    if (queueUrl !== undefined) await shortenPause(queueUrl, message, isBegun ? pauseAfter(message) : 0)
  }
  const ages = Records.map(({ attributes }) => Date.now() - Number(attributes.SentTimestamp)).filter(Number.isFinite)
  writeMetrics(settings.metricsNamespace, context.functionName, {
    AgeOfOldestMessage: Math.max(0, ...ages) / 1000,
    Retries: failed.length,
  })
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}

/** Whether the queue can forget the message. */
async function handleMessage(message: SqsMessage, task: PushTask, context: LambdaContext): Promise<boolean> {
  let push: Push | undefined
  try {
    const event = parseBody(message.body)
    if (isReconcile(event)) return await done(reconcile(event, task, context))
    const execution = isObject(event) ? endedExecution(event) : undefined
    if (execution !== undefined) return await done(endExecution(execution, task, context))
    const read = readPush(event)
    if (typeof read === 'string') return await done(log('ignored', { messageId: message.messageId, reason: read }))
    push = read
    return await done(handlePush(push, task, context))
  } catch (error) {
    return await handleFailure(error, push, message, task, context).catch((problem) => {
      log('the failure could not be told', { messageId: message.messageId, error: (problem as Error).message })
      return false
    })
  }
}

async function handleFailure(
  error: unknown,
  push: Push | undefined,
  { messageId, body, attributes }: SqsMessage,
  { settings }: PushTask,
  context: LambdaContext,
): Promise<boolean> {
  const reason = `${explain(error)} (${logPlace(context)})`
  log('not done', { messageId, error: error instanceof DeadlineError ? error.message : stackOf(error) })
  if (isFinal(error)) return await fail(push, reason, settings, context, body)
  const { maxReceiveCount } = settings
  const isLast = maxReceiveCount !== undefined && Number(attributes.ApproximateReceiveCount) >= maxReceiveCount
  // The queue itself moves the message when it is given back once more
  if (isLast) await fail(push, reason, { ...settings, deadLetterQueueUrl: undefined }, context)
  return false
}

/** @throws PushError */
function parseBody(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new PushError(`the message is not JSON: ${body.slice(0, 100)}`, { cause: error })
  }
}

async function done(work: Promise<void> | void): Promise<true> {
  await work
  return true
}

function stackOf(error: unknown): string {
  return (error instanceof Error ? error.stack : undefined) ?? String(error)
}

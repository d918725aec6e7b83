// CloudFormation's events where the work is done elsewhere, by a build of CodeBuild or an execution of Step Functions: one function starts it,
// and is called again by EventBridge when it has ended, however it did.
import { failed } from './answer.js'
import { answerAndLog, answerEvent, answerFailure, failureAnswer, outcomeAnswer } from './answer-event.js'
import { type CloudFormationEvent, isCloudFormationEvent, isObject, type Properties } from './event.js'
import { readFailureRecord } from './failure-record.js'
import { type IndexRequest, parseIndexRequest } from './index-request.js'
import type { LambdaContext } from './lambda.js'
import { log } from './log.js'
import { whilePermissionsSpread } from './permissions.js'
import type { Outcome } from './work.js'

/** A place where the work can be done. */
export interface Elsewhere {
  /** For messages: `CodeBuild`. */
  readonly name: string
  /** Starts the work of a Create or an Update; the same event again starts nothing new. */
  start(event: CloudFormationEvent, context: LambdaContext, signal: AbortSignal): Promise<void>
  /** Id of the work that has ended, where this is EventBridge's event of that. */
  endedBy(event: Properties): string | undefined
  /** What came out of the work; undefined where it was not CloudFormation's. */
  readEnd(id: string, context: LambdaContext, signal: AbortSignal): Promise<End | undefined>
}

/** How the work ended. */
export interface End {
  /** Whose work it was. */
  readonly event: CloudFormationEvent
  /** What it made, or why it made nothing. */
  readonly result: Outcome | string
  /** Where its log is. */
  readonly place: string
}

/** Milliseconds that starting the work, or reading its end, may take: the most of it is for permissions to spread. */
const CALL_TIME = 90_000
const PERMISSIONS_WAIT = 75_000

/**
 * Takes CloudFormation's events, EventBridge's of ended work, and what Lambda tells of an invocation that ended by itself. What is to be deleted is
 * deleted here.
 * @throws Error where CloudFormation could not be answered, or the end not be read: Lambda then calls once more with the record of that
 */
export async function startOrAnswer(event: unknown, context: LambdaContext, elsewhere: Elsewhere): Promise<void> {
  const failure = readFailureRecord(event)
  if (failure !== undefined) return await answerFailure(failure, context)
  if (isCloudFormationEvent(event)) return await startFor(event, context, elsewhere)
  const id = endedWork(event, elsewhere)
  if (id === undefined) return log('this is not an event of a custom resource, so there is nobody to answer')
  const end = await call(elsewhere, (signal) => elsewhere.readEnd(id, context, signal))
  if (end === undefined) return log('this work was not for CloudFormation', { id })
  await answerEnd(end)
}

async function startFor(event: CloudFormationEvent, context: LambdaContext, elsewhere: Elsewhere): Promise<void> {
  if (event.RequestType === 'Delete') return await answerEvent(event, context)
  try {
    parseIndexRequest(event.ResourceProperties) // what cannot be done need not be started
    await call(elsewhere, (signal) => elsewhere.start(event, context, signal))
  } catch (error) {
    await answerAndLog(event, failureAnswer(event, error, context))
  }
}

/** The id in EventBridge's event, or in the record of an invocation with that event, which failed. */
function endedWork(event: unknown, elsewhere: Elsewhere): string | undefined {
  if (!isObject(event)) return undefined
  return (
    elsewhere.endedBy(event) ?? (isObject(event.requestPayload) ? elsewhere.endedBy(event.requestPayload) : undefined)
  )
}

/** Answers for work that has ended. @throws Error where CloudFormation could not be answered */
export async function answerEnd({ event, result, place }: End): Promise<void> {
  const request = tryParse(event.ResourceProperties)
  const done = typeof result !== 'string' && request !== undefined
  const answer = done
    ? outcomeAnswer(event, request, result)
    : failed(
        event,
        `${typeof result === 'string' ? result : 'its properties cannot be read'} (${place})`,
        request?.physicalId,
      )
  await answerAndLog(event, answer)
}

async function call<Result>({ name }: Elsewhere, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const signal = AbortSignal.timeout(CALL_TIME)
  try {
    return await whilePermissionsSpread(() => work(signal), signal, PERMISSIONS_WAIT)
  } catch (error) {
    if (!signal.aborted) throw error
    const seconds = CALL_TIME / 1000
    throw new Error(
      `${name} did not answer within ${seconds} seconds: its API must be reachable, from a VPC by an endpoint`,
      {
        cause: error,
      },
    )
  }
}

/** What work elsewhere gave as its outcome; undefined where it is none. */
export function readOutcome(value: unknown): Outcome | undefined {
  if (!isObject(value)) return undefined
  const { imageDigest, indexed, reason, bytes, left } = value
  if (typeof imageDigest !== 'string' || typeof indexed !== 'boolean' || typeof reason !== 'string') return undefined
  return { imageDigest, indexed, reason, ...(typeof bytes === 'number' && { bytes }), ...(left === true && { left }) }
}

export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

function tryParse(properties: Properties): IndexRequest | undefined {
  try {
    return parseIndexRequest(properties)
  } catch {
    return undefined
  }
}

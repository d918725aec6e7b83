import { type CloudFormationEvent, isCloudFormationEvent, isObject, type Properties } from './event.js'

/** An event that a function was given and did not finish, as Lambda tells it to the function's OnFailure destination. */
export interface FailureRecord {
  readonly event: CloudFormationEvent
  /** Why, in words for a user. */
  readonly cause: string
}

/**
 * Reads the record that Lambda invokes the destination of a failed asynchronous invocation with ("Capturing records of Lambda asynchronous
 * invocations" in its developer guide). Undefined for whatever is no such record, or one of an event that CloudFormation did not send.
 */
export function readFailureRecord(record: unknown): FailureRecord | undefined {
  if (!isObject(record) || !isObject(record.requestContext) || typeof record.requestContext.condition !== 'string')
    return undefined
  const { requestPayload, responsePayload } = record
  if (!isCloudFormationEvent(requestPayload)) return undefined
  return {
    event: requestPayload,
    cause: causeOf(record.requestContext, isObject(responsePayload) ? responsePayload : {}),
  }
}

function causeOf({ condition }: Properties, response: Properties): string {
  if (condition === 'EventAgeExceeded')
    return "the function could not be started in time, as others used up its concurrency: raise the account's quota, or reservedConcurrency, or index fewer images at once"
  return causeOfCrash(response)
}

/** Why a function ended that could not say so itself, from Lambda's words. */
export function causeOfCrash({ errorType, errorMessage }: Properties): string {
  const message = typeof errorMessage === 'string' ? errorMessage : ''
  const type = typeof errorType === 'string' ? errorType : ''
  const seconds = /timed out after ([\d.]+) seconds/i.exec(message)?.[1]
  if (seconds !== undefined)
    return `the function did not finish within its ${seconds} seconds: give it more time (at most 15 minutes) or memory, or use SociCompute.codeBuild() or SociCompute.stepFunctions()`
  // Lambda kills what takes more than it has; Node aborts itself where its own limit is reached first
  if (/OutOfMemory/i.test(type) || /signal: (?:killed|aborted)/i.test(message))
    return 'the function ran out of memory: give it more'
  // Of its own words only what cannot be a secret
  return `the function ended before its work did (${type || message.slice(0, 200) || 'no cause was told'})`
}

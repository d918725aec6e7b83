// How an execution ended, as Step Functions tells it (DescribeExecution in its API reference).
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn'
import { type End, parseJson, readOutcome } from '../elsewhere.js'
import { isCloudFormationEvent, isObject } from '../event.js'
import { causeOfCrash } from '../failure-record.js'
import type { Outcome } from '../work.js'
import { STEP_ERROR } from './step-error.js'

/** Characters of a cause. */
const CAUSE_LIMIT = 1_000

/**
 * Undefined for an execution that runs yet, or that CloudFormation did not ask for.
 * @param logGroup of the function that does its steps
 */
export function readExecution(execution: DescribeExecutionOutput, logGroup: string): End | undefined {
  const input = parseJson(execution.input)
  const event = isObject(input) ? input.event : undefined
  if (!isCloudFormationEvent(event) || execution.status === 'RUNNING') return undefined
  return { event, result: resultOf(execution), place: `execution ${execution.executionArn}, log group ${logGroup}` }
}

/** What an execution that has ended made, or why it made nothing. */
export function resultOf({ status, output, error, cause }: DescribeExecutionOutput): Outcome | string {
  if (status === 'SUCCEEDED') return readOutcome(parseJson(output)) ?? 'the execution succeeded, but returned no result'
  if (status === 'ABORTED') return 'the execution was stopped by somebody'
  if (status === 'TIMED_OUT')
    return 'the execution did not finish in time: give it more (timeout), or more memory to its functions'
  return causeOfFailure(error, cause)
}

/** Why a task failed: our own words, or what became of the function. */
export function causeOfFailure(error: string | undefined, cause: string | undefined): string {
  const told = parseJson(cause)
  if (!isObject(told)) return `${error ?? 'it failed'}: ${cause ?? 'no cause was told'}`.slice(0, CAUSE_LIMIT)
  const message = typeof told.errorMessage === 'string' ? told.errorMessage : ''
  return (error === STEP_ERROR ? message : causeOfCrash({ ...told, errorType: told.errorType ?? error })).slice(
    0,
    CAUSE_LIMIT,
  )
}

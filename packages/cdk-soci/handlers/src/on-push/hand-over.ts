import { createHash } from 'node:crypto'
import type { PushedEvent } from '../pushed-event.js'
import { describeExecution, startExecution } from '../step-functions/executions.js'
import { EndedFailure } from './failure.js'

/** Executions for one push, at most: a name is taken for 90 days, and what has failed may be tried again. */
const EXECUTIONS = 5

/** Hands a push to the state machine; one that is running for it already is the one. Gives the execution's ARN. */
export async function handOver(event: PushedEvent, stateMachine: string, signal: AbortSignal): Promise<string> {
  for (let number = 1; number <= EXECUTIONS; number++) {
    const { executionArn, isNew } = await startExecution(stateMachine, executionName(event, number), { event }, signal)
    if (isNew) return executionArn
    const { status } = await describeExecution(executionArn, signal)
    if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return executionArn
  }
  throw new EndedFailure(
    `${EXECUTIONS} executions of the state machine have ended without a result for this image, the last one ${executionName(event, EXECUTIONS)}`,
  )
}

/** The same for the same push with the same options, so that duplicates start nothing. */
function executionName(event: PushedEvent, number: number): string {
  const hash = createHash('sha256').update(JSON.stringify(event)).digest('hex').slice(0, 32)
  const digest = event.push.digest.split(':')[1]!.slice(0, 12)
  return `push-${digest}-${hash}-${number}`
}

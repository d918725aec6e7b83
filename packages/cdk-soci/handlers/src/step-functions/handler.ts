// The function behind the custom resource `Custom::SociIndex` where the work is done by Step Functions, and behind each step of it.
import { answerEnd, type Elsewhere, startOrAnswer } from '../elsewhere.js'
import type { LambdaContext } from '../lambda.js'
import { log } from '../log.js'
import { readExecution } from './execution-end.js'
import { describeExecution, endedExecution, startExecution } from './executions.js'
import { isStep, runStep } from './steps.js'

export async function stepFunctionsHandler(event: unknown, context: LambdaContext): Promise<unknown> {
  if (isStep(event)) return await runStep(event, context)
  await startOrAnswer(event, context, stepFunctions)
  return undefined
}

const stepFunctions: Elsewhere = {
  name: 'Step Functions',
  async start(event, context, signal) {
    // A second execution of the name is refused: the first one is the answer
    const { executionArn, isNew } = await startExecution(stateMachineOf(context), event.RequestId, { event }, signal)
    log(isNew ? 'started' : 'started before', { executionArn })
    const end = isNew ? undefined : await stepFunctions.readEnd(executionArn, context, signal)
    if (end !== undefined) await answerEnd(end)
  },
  endedBy: endedExecution,
  async readEnd(executionArn, { logGroupName }, signal) {
    return readExecution(await describeExecution(executionArn, signal), logGroupName)
  },
}

/** The construct gives the function and the state machine one name. */
function stateMachineOf({ invokedFunctionArn, functionName }: LambdaContext): string {
  const [arn, partition, , region, account] = invokedFunctionArn.split(':')
  return [arn, partition, 'states', region, account, 'stateMachine', functionName].join(':')
}

// The function behind the custom resource `Custom::SociIndex` where the work is done by Step Functions, and behind each step of it.
import type { SFNClient } from '@aws-sdk/client-sfn'
import { awsRequestHandler } from '@sociable/oci/registry'
import { TIMEOUTS } from '../ecr-images.js'
import { answerEnd, type Elsewhere, startOrAnswer } from '../elsewhere.js'
import { isObject, type Properties } from '../event.js'
import type { LambdaContext } from '../lambda.js'
import { log } from '../log.js'
import { readExecution } from './execution-end.js'
import { isStep, runStep } from './steps.js'

export async function stepFunctionsHandler(event: unknown, context: LambdaContext): Promise<unknown> {
  if (isStep(event)) return await runStep(event, context)
  await startOrAnswer(event, context, stepFunctions)
  return undefined
}

const stepFunctions: Elsewhere = {
  name: 'Step Functions',
  async start(event, context, signal) {
    const { StartExecutionCommand } = await import('@aws-sdk/client-sfn')
    const stateMachineArn = stateMachineOf(context)
    const name = event.RequestId // a second execution of the name is refused: the first one is the answer
    const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify({ event }) })
    try {
      const { executionArn } = await withClient((client) => client.send(command, { abortSignal: signal }))
      log('started', { executionArn })
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ExecutionAlreadyExists')) throw error
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`
      log('started before', { executionArn })
      const end = await stepFunctions.readEnd(executionArn, context, signal)
      if (end !== undefined) await answerEnd(end)
    }
  },
  endedBy(event) {
    if (event.source !== 'aws.states' || !isObject(event.detail)) return undefined
    const { executionArn } = event.detail as Properties
    return typeof executionArn === 'string' ? executionArn : undefined
  },
  async readEnd(executionArn, { logGroupName }, signal) {
    const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn')
    const command = new DescribeExecutionCommand({ executionArn })
    const execution = await withClient((client) => client.send(command, { abortSignal: signal }))
    return readExecution(execution, logGroupName)
  },
}

/** The construct gives the function and the state machine one name. */
function stateMachineOf({ invokedFunctionArn, functionName }: LambdaContext): string {
  const [arn, partition, , region, account] = invokedFunctionArn.split(':')
  return [arn, partition, 'states', region, account, 'stateMachine', functionName].join(':')
}

async function withClient<Result>(use: (client: SFNClient) => Promise<Result>): Promise<Result> {
  const { SFNClient } = await import('@aws-sdk/client-sfn')
  const client = new SFNClient({ requestHandler: await awsRequestHandler(TIMEOUTS) })
  try {
    return await use(client)
  } finally {
    client.destroy()
  }
}

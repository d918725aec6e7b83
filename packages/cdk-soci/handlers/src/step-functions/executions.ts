// Step Functions' API, as far as executions are started and read.
import type { DescribeExecutionOutput, SFNClient } from '@aws-sdk/client-sfn'
import { withAwsClient } from '../aws-client.js'

export interface Started {
  readonly executionArn: string
  /** Whether there was one of the name already, which then is the answer. */
  readonly isNew: boolean
}

/** Starts an execution, unless there is one of that name: a name can be used again only 90 days after its execution has ended. */
export async function startExecution(
  stateMachineArn: string,
  name: string,
  input: object,
  signal: AbortSignal,
): Promise<Started> {
  const { StartExecutionCommand } = await import('@aws-sdk/client-sfn')
  const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })
  try {
    const { executionArn } = await withSfn((client) => client.send(command, { abortSignal: signal }))
    return { executionArn: executionArn!, isNew: true }
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ExecutionAlreadyExists')) throw error
    return { executionArn: `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`, isNew: false }
  }
}

export async function describeExecution(executionArn: string, signal: AbortSignal): Promise<DescribeExecutionOutput> {
  const { DescribeExecutionCommand } = await import('@aws-sdk/client-sfn')
  const command = new DescribeExecutionCommand({ executionArn })
  return await withSfn((client) => client.send(command, { abortSignal: signal }))
}

/** ARN of the execution whose end this event tells of ("Step Functions Execution Status Change"); undefined for any other event. */
export function endedExecution({ source, detail }: Readonly<Record<string, unknown>>): string | undefined {
  if (source !== 'aws.states' || typeof detail !== 'object' || detail === null) return undefined
  const { executionArn } = detail as Readonly<Record<string, unknown>>
  return typeof executionArn === 'string' ? executionArn : undefined
}

async function withSfn<Result>(use: (client: SFNClient) => Promise<Result>): Promise<Result> {
  const { SFNClient } = await import('@aws-sdk/client-sfn')
  return await withAwsClient((options) => new SFNClient(options), use)
}

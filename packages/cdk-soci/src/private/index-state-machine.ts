import { ArnFormat, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as stepfunctions from 'aws-cdk-lib/aws-stepfunctions'
import type { Construct } from 'constructs'
import { acknowledge } from './acknowledge'
import { EXECUTIONS, INLINE_POLICY, NO_EXECUTION_LOG } from './acknowledged-rules'
import type { HandlerFunction } from './handler-function'
import { stateMachine } from './state-machine'

export interface IndexStateMachineProps {
  /** Known before the state machine is made, so that the function can be told it. */
  readonly name: string
  readonly comment: string
  /** Does each step, and starts executions. */
  readonly function: HandlerFunction
  readonly maxConcurrency: number
  /** Seconds. */
  readonly timeout: number
}

/** ARN of a state machine of the stack's account and region. */
export function stateMachineArn(scope: Construct, name: string): string {
  return arnOf(scope, 'stateMachine', name)
}

/** The state machine that indexes an image's layers side by side. Gives the pattern of the events that tell of its executions' ends. */
export function indexStateMachine(scope: Construct, props: IndexStateMachineProps) {
  const { name, comment, maxConcurrency, timeout } = props
  const { handler, grantee, policy: ownPolicy } = props.function
  const machineArn = stateMachineArn(scope, name)
  const executionArns = arnOf(scope, 'execution', `${name}:*`)

  const machineRole = new iam.Role(scope, 'StateMachineRole', {
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com'),
  })
  const policy = new iam.Policy(scope, 'StateMachinePolicy', {
    roles: [machineRole],
    statements: [
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
      // The map's executions ("IAM policies for using Distributed Map states" in the developer guide)
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [machineArn] }),
      new iam.PolicyStatement({
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: [executionArns],
      }),
    ],
  })
  acknowledge(policy, INLINE_POLICY)
  acknowledge(policy, EXECUTIONS, `Resource::${executionArns}`)
  const definition = stateMachine({ comment, functionArn: handler.functionArn, maxConcurrency, timeout })
  const machine = new stepfunctions.CfnStateMachine(scope, 'StateMachine', {
    stateMachineName: name,
    roleArn: machineRole.roleArn,
    definitionString: Stack.of(scope).toJsonString(definition),
  })
  machine.node.addDependency(policy)
  acknowledge(machine, NO_EXECUTION_LOG)

  iam.Grant.addToPrincipal({ grantee, actions: ['states:StartExecution'], resourceArns: [machineArn] })
  iam.Grant.addToPrincipal({ grantee, actions: ['states:DescribeExecution'], resourceArns: [executionArns] })
  acknowledge(ownPolicy, EXECUTIONS, `Resource::${executionArns}`)
  return {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    detail: { stateMachineArn: [machineArn], status: ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'] },
  }
}

function arnOf(scope: Construct, resource: string, resourceName: string): string {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME
  return Stack.of(scope).formatArn({ service: 'states', resource, resourceName, arnFormat })
}

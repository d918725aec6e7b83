import { Duration, type Stack, Token } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { StepFunctionsComputeOptions } from '../step-functions-options'
import { answeringFunction, checkFunction, MEMORY, SERVICE_TIMEOUT } from './answering-function'
import { whenEnded } from './ended-work'
import { indexStateMachine } from './index-state-machine'
import { type BindProvider, type Provider, stackProvider } from './provider'

const TIMEOUT = { default: 50, least: 1, most: 53 } // minutes: with all else less than CloudFormation's hour
const FUNCTION_TIMEOUT = Duration.minutes(15) // Lambda's limit
const CONCURRENCY = { default: 40, least: 1, most: 1_000 }

/** @throws Error for an option that is out of its bounds */
export function bindStepFunctions(options: StepFunctionsComputeOptions): BindProvider {
  check(options)
  return (scope) =>
    stackProvider(
      scope,
      'StepFunctions',
      options,
      (stack, id, key) => new StepFunctionsProvider(stack, id, key, options),
    )
}

/**
 * A state machine, and a function that starts it, does each of its steps, and answers CloudFormation when EventBridge tells that it has ended. Both
 * are called the same: so each knows the other without waiting for it.
 */
class StepFunctionsProvider extends Construct implements Provider {
  readonly serviceToken: string
  readonly grantee: iam.IGrantable
  readonly role: iam.IRole
  readonly serviceTimeout: Duration

  constructor(
    stack: Stack,
    id: string,
    readonly key: string,
    options: StepFunctionsComputeOptions,
  ) {
    super(stack, id)
    const timeout = options.timeout ?? Duration.minutes(TIMEOUT.default)
    const role =
      options.role ?? new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })
    const made = answeringFunction(this, {
      description: 'Builds SOCI indexes in steps, and answers CloudFormation for them (cdk-soci)',
      handler: 'stepFunctionsHandler',
      options,
      role,
      memorySize: options.memorySize ?? MEMORY.default,
      timeout: FUNCTION_TIMEOUT,
      workTime: timeout,
      architecture: options.architecture,
      runtime: options.runtime,
    })
    const { handler, grantee } = made
    const ended = indexStateMachine(this, {
      name: handler.functionName,
      comment: 'Builds a SOCI index for CloudFormation (cdk-soci)',
      function: made,
      maxConcurrency: options.maxConcurrency ?? CONCURRENCY.default,
      timeout: timeout.toSeconds(),
    })
    whenEnded(this, ended, handler)
    this.serviceToken = handler.functionArn
    this.grantee = grantee
    this.role = role
    this.serviceTimeout = SERVICE_TIMEOUT
  }
}

function check(options: StepFunctionsComputeOptions): void {
  const { timeout, maxConcurrency } = options
  if (timeout !== undefined && !timeout.isUnresolved()) {
    const minutes = timeout.toMinutes({ integral: false })
    if (minutes < TIMEOUT.least || minutes > TIMEOUT.most)
      throw new Error(
        `timeout is ${minutes} minutes: an execution has from ${TIMEOUT.least} to ${TIMEOUT.most}, as CloudFormation waits for an hour; leave it out for ${TIMEOUT.default}`,
      )
  }
  if (maxConcurrency !== undefined && !Token.isUnresolved(maxConcurrency)) {
    const { least, most } = CONCURRENCY
    if (!Number.isInteger(maxConcurrency) || maxConcurrency < least || maxConcurrency > most)
      throw new Error(
        `maxConcurrency is ${maxConcurrency}: it must be a whole number from ${least} to ${most}; leave it out for ${CONCURRENCY.default}`,
      )
  }
  checkFunction(options)
}

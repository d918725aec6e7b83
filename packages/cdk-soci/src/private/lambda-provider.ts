import { Duration, type Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { LambdaComputeOptions } from '../compute-options'
import { answeringFunction, checkFunction, MEMORY, SERVICE_TIMEOUT } from './answering-function'
import { type BindProvider, type Provider, stackProvider } from './provider'

const TIMEOUT = { default: 15, least: 1, most: 15 } // minutes

/** @throws Error for an option that is out of its bounds */
export function bindLambda(options: LambdaComputeOptions): BindProvider {
  check(options)
  return (scope) =>
    stackProvider(scope, 'Lambda', options, (stack, id, key) => new LambdaProvider(stack, id, key, options))
}

/** A function that indexes, and answers CloudFormation itself. */
class LambdaProvider extends Construct implements Provider {
  readonly serviceToken: string
  readonly grantee: iam.IGrantable
  readonly role: iam.IRole
  readonly serviceTimeout: Duration
  readonly worksInBackground = true

  constructor(
    stack: Stack,
    id: string,
    readonly key: string,
    options: LambdaComputeOptions,
  ) {
    super(stack, id)
    const timeout = options.timeout ?? Duration.minutes(TIMEOUT.default)
    const role =
      options.role ?? new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })
    const { handler, grantee } = answeringFunction(this, {
      description: 'Builds SOCI indexes for CloudFormation (cdk-soci)',
      handler: 'handler',
      options,
      role,
      memorySize: options.memorySize ?? MEMORY.default,
      timeout,
      workTime: timeout,
      indexes: true,
      architecture: options.architecture,
      runtime: options.runtime,
      reservedConcurrency: options.reservedConcurrency,
      tracing: options.tracing,
      deadLetterQueue: options.deadLetterQueue,
    })
    this.serviceToken = handler.functionArn
    this.grantee = grantee
    this.role = role
    this.serviceTimeout = SERVICE_TIMEOUT
  }
}

function check(options: LambdaComputeOptions): void {
  checkTimeout(options.timeout, 'what needs longer can have SociCompute.codeBuild() or SociCompute.stepFunctions()')
  checkFunction(options)
}

/** @throws Error for a time that a function cannot be given */
export function checkTimeout(timeout: Duration | undefined, longer: string): void {
  if (timeout === undefined || timeout.isUnresolved()) return
  const minutes = timeout.toMinutes({ integral: false })
  if (minutes < TIMEOUT.least || minutes > TIMEOUT.most)
    throw new Error(
      `timeout is ${minutes} minutes: a Lambda function has from ${TIMEOUT.least} to ${TIMEOUT.most}; ${longer}`,
    )
}

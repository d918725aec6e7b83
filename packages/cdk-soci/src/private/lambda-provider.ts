import { join } from 'node:path'
import { Duration, type Stack, Token } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import type { LambdaComputeOptions } from '../compute-options'
import { functionLog } from './function-log'
import { checkNetwork, networkOf } from './network'
import { type BindProvider, type Provider, stackProvider } from './provider'
import { separatePolicy } from './separate-policy'

const MEMORY = { default: 3538, least: 512, most: 10_240 } // MiB; two processors of 1,769
const TIMEOUT = { default: 15, least: 1, most: 15 } // minutes
/** Lambda tries again for so long where an account has no function free; then the failure record is made. */
const MAX_EVENT_AGE = 5 // minutes
const ANSWER_MARGIN = 2 // minutes: for the record to be answered
const RUNTIME = 'nodejs24.x'
const LEAST_NODE = 22

/** @throws Error for an option that is out of its bounds */
export function bindLambda(options: LambdaComputeOptions): BindProvider {
  check(options)
  return (scope) =>
    stackProvider(scope, 'Lambda', options, (stack, id, key) => new LambdaProvider(stack, id, key, options))
}

/**
 * A function that indexes and answers CloudFormation itself. One that is killed, for time or memory, cannot answer, and Lambda would run it twice
 * more: the invoke configuration forbids that, and sends the record of the failure to the same function, which answers for the one that died.
 */
class LambdaProvider extends Construct implements Provider {
  readonly serviceToken: string
  readonly grantee: iam.IGrantable
  readonly serviceTimeout: Duration

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
    const log = functionLog(this, options)
    const network = networkOf(this, role, options)
    const handler = new lambda.Function(this, 'Function', {
      description: 'Builds SOCI indexes for CloudFormation (cdk-soci)',
      runtime: options.runtime ?? new lambda.Runtime(RUNTIME, lambda.RuntimeFamily.NODEJS),
      code: lambda.Code.fromAsset(join(__dirname, '..', '..', 'assets', 'handler')),
      handler: 'index.handler',
      architecture: options.architecture ?? lambda.Architecture.ARM_64,
      memorySize: options.memorySize ?? MEMORY.default,
      timeout,
      role,
      ...log.functionProps,
      ...network.functionProps,
    })
    log.attach(handler)
    network.attach(handler)

    const policy = separatePolicy(this, 'Policy', role)
    log.grantWrite(policy.grantee)
    handler.grantInvoke(policy.grantee)

    const invokeConfig = new lambda.CfnEventInvokeConfig(this, 'InvokeConfig', {
      functionName: handler.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: MAX_EVENT_AGE * 60,
      destinationConfig: { onFailure: { destination: handler.functionArn } },
    })
    invokeConfig.node.addDependency(policy.policy) // Lambda asks whether the role may invoke the destination

    this.serviceToken = handler.functionArn
    this.grantee = policy.grantee
    this.serviceTimeout = timeout.plus(Duration.minutes(MAX_EVENT_AGE + ANSWER_MARGIN))
  }
}

function check(options: LambdaComputeOptions): void {
  const { memorySize, timeout, runtime } = options
  if (memorySize !== undefined && !Token.isUnresolved(memorySize))
    if (!Number.isInteger(memorySize) || memorySize < MEMORY.least || memorySize > MEMORY.most)
      throw new Error(
        `memorySize is ${memorySize}: it must be a whole number of MiB from ${MEMORY.least} to ${MEMORY.most}; leave it out for ${MEMORY.default}`,
      )
  if (timeout !== undefined && !timeout.isUnresolved()) {
    const minutes = timeout.toMinutes({ integral: false })
    if (minutes < TIMEOUT.least || minutes > TIMEOUT.most)
      throw new Error(
        `timeout is ${minutes} minutes: a Lambda function has from ${TIMEOUT.least} to ${TIMEOUT.most}; what needs longer can have SociCompute.codeBuild() or SociCompute.stepFunctions()`,
      )
  }
  if (runtime !== undefined && !Token.isUnresolved(runtime.name)) {
    const version = Number(/^nodejs(\d+)\.x$/.exec(runtime.name)?.[1])
    if (!(version >= LEAST_NODE))
      throw new Error(
        `runtime is ${runtime.name}: it must be nodejs${LEAST_NODE}.x or newer; leave it out for ${RUNTIME}`,
      )
  }
  checkNetwork(options)
}

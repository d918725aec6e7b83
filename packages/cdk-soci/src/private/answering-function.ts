import { join } from 'node:path'
import { Duration, Token } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'
import { acknowledge } from './acknowledge'
import { type FunctionLog, functionLog } from './function-log'
import { checkNetwork, networkOf } from './network'
import { separatePolicy } from './separate-policy'
import { wayOut } from './way-out'

/** What is bundled: the handlers, for functions and builds. */
export const HANDLERS = join(__dirname, '..', '..', 'assets', 'handler')
const RUNTIME = 'nodejs24.x'
const LEAST_NODE = 22
const ARCHITECTURES = ['arm64', 'x86_64']
export const MEMORY = { default: 3538, least: 512, most: 10_240 } // MiB; two processors of 1,769

/** Lambda tries again for so long where an account has no function free; then the failure record is made. */
const MAX_EVENT_AGE = 5 // minutes
const ANSWER_MARGIN = 2 // minutes: for the record to be answered

/** How long an event can be on its way before and after all that is done for it. */
export const WAYS = Duration.minutes(MAX_EVENT_AGE + ANSWER_MARGIN)

export interface AnsweringFunctionProps {
  readonly description: string
  /** Name of what the bundle exports. */
  readonly handler: string
  readonly options: ComputeOptions
  readonly role: iam.IRole
  readonly memorySize: number
  readonly timeout: Duration
  readonly architecture?: lambda.Architecture | undefined
  readonly runtime?: lambda.Runtime | undefined
}

/** A function that CloudFormation calls. */
export interface AnsweringFunction {
  readonly handler: lambda.Function
  /** May do what the function does, by a policy that the function does not wait for. */
  readonly grantee: iam.IGrantable
  readonly policy: iam.Policy
  readonly log: FunctionLog
}

/**
 * A function that answers CloudFormation. One that is killed, for time or memory, cannot answer, and Lambda would run it twice more: the invoke
 * configuration forbids that, and sends the record of the failure to the same function, which answers for the one that died.
 */
export function answeringFunction(scope: Construct, props: AnsweringFunctionProps): AnsweringFunction {
  const { description, options, role, memorySize, timeout, architecture, runtime } = props
  const log = functionLog(scope, options)
  const network = networkOf(scope, role, options)
  const handler = new lambda.Function(scope, 'Function', {
    description,
    runtime: runtime ?? new lambda.Runtime(RUNTIME, lambda.RuntimeFamily.NODEJS),
    code: lambda.Code.fromAsset(HANDLERS),
    handler: `index.${props.handler}`,
    architecture: architecture ?? lambda.Architecture.ARM_64,
    memorySize,
    timeout,
    role,
    ...log.functionProps,
    ...network.functionProps,
  })
  log.attach(handler)
  network.attach(handler)

  const { policy, grantee } = separatePolicy(scope, 'Policy', role)
  acknowledge(
    policy,
    'AwsSolutions-IAM5',
    'ecr:GetAuthorizationToken has no resource that could be named.',
    'Resource::*',
  )
  log.grantWrite(grantee)
  const resourceArns = [handler.functionArn] // grantInvoke would allow all versions too
  iam.Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns })

  const invokeConfig = new lambda.CfnEventInvokeConfig(scope, 'InvokeConfig', {
    functionName: handler.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: MAX_EVENT_AGE * 60,
    destinationConfig: { onFailure: { destination: handler.functionArn } },
  })
  invokeConfig.node.addDependency(policy) // Lambda asks whether the role may invoke the destination
  if (options.vpc !== undefined) invokeConfig.node.addDependency(wayOut(options.vpc)) // so that indexes wait for it
  return { handler, grantee, policy, log }
}

/** @throws Error for what a function cannot be given */
export function checkFunction(
  options: ComputeOptions & {
    readonly memorySize?: number | undefined
    readonly runtime?: lambda.Runtime | undefined
    readonly architecture?: lambda.Architecture | undefined
  },
): void {
  const { memorySize, runtime, architecture, logGroup, encryptionKey } = options
  if (memorySize !== undefined && !Token.isUnresolved(memorySize))
    if (!Number.isInteger(memorySize) || memorySize < MEMORY.least || memorySize > MEMORY.most)
      throw new Error(
        `memorySize is ${memorySize}: it must be a whole number of MiB from ${MEMORY.least} to ${MEMORY.most}; leave it out for ${MEMORY.default}`,
      )
  if (runtime !== undefined && !Token.isUnresolved(runtime.name)) {
    const version = Number(/^nodejs(\d+)\.x$/.exec(runtime.name)?.[1])
    if (!(version >= LEAST_NODE))
      throw new Error(
        `runtime is ${runtime.name}: it must be nodejs${LEAST_NODE}.x or newer; leave it out for ${RUNTIME}`,
      )
  }
  if (
    architecture !== undefined &&
    !Token.isUnresolved(architecture.name) &&
    !ARCHITECTURES.includes(architecture.name)
  )
    throw new Error(`architecture is ${architecture.name}: Lambda has ${ARCHITECTURES.join(' and ')}`)
  if (logGroup !== undefined && encryptionKey !== undefined)
    throw new Error('encryptionKey is given with a logGroup, which has its own: leave one of them out')
  checkNetwork(options)
}

import { Duration, Token } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'
import { type HandlerFunction, type HandlerFunctionProps, handlerFunction, RUNTIME } from './handler-function'
import { checkNetwork } from './network'
import { wayOut } from './way-out'

const LEAST_NODE = 22
const ARCHITECTURES = ['arm64', 'x86_64']
export const MEMORY = { default: 3538, least: 512, most: 10_240 } // MiB; two processors of 1,769

/** Lambda tries again for so long where an account has no function free; then the failure record is made. */
const MAX_EVENT_AGE = 5 // minutes
const ANSWER_MARGIN = 2 // minutes: for the record to be answered

/** How long an event can be on its way before and after all that is done for it. */
export const WAYS = Duration.minutes(MAX_EVENT_AGE + ANSWER_MARGIN)

/**
 * A function that answers CloudFormation. One that is killed, for time or memory, cannot answer, and Lambda would run it twice more: the invoke
 * configuration forbids that, and sends the record of the failure to the same function, which answers for the one that died.
 */
export function answeringFunction(scope: Construct, props: HandlerFunctionProps): HandlerFunction {
  const { options } = props
  const made = handlerFunction(scope, props)
  const { handler, grantee, policy } = made
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
  return made
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

import { Duration, Token } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'
import { acknowledge } from './acknowledge'
import { BOUNDED_CONCURRENCY, NO_DEAD_LETTERS } from './acknowledged-rules'
import { type HandlerFunction, type HandlerFunctionProps, handlerFunction, RUNTIME } from './handler-function'
import { checkNetwork } from './network'
import { wayOut } from './way-out'

const LEAST_NODE = 22
const ARCHITECTURES = ['arm64', 'x86_64']
export const MEMORY = { default: 3538, least: 512, most: 10_240 } // MiB; two processors of 1,769

/** CloudFormation waits for so long, at most. */
const HOUR = Duration.hours(1)
const ANSWER_MARGIN = Duration.minutes(2) // for the record of a failure to be answered
/** An event waits at least for so long where the account has no function free. */
const LEAST_EVENT_AGE = Duration.minutes(5)

/** The `ServiceTimeout`: all that can happen to an event takes less. */
export const SERVICE_TIMEOUT = HOUR

const ANSWERER = { memorySize: 256, timeout: Duration.minutes(3) } // MiB; 90 seconds are for reading how work elsewhere ended

export interface AnsweringFunctionProps extends HandlerFunctionProps {
  /** What is done for an event takes so long at most, once it has begun. */
  readonly workTime: Duration
  /** Whether the function indexes images whole, as many at once as CloudFormation asks for. @default false */
  readonly indexes?: boolean
}

/**
 * A function that answers CloudFormation. One that is killed, for time or memory, cannot answer, and Lambda would run it twice more: the invoke
 * configuration forbids that, and sends the record of the failure to a second function of the same code, which answers for the one that died. A second
 * one, as AWS documents no function that is its own destination. Where no function is free, as with a low quota, an event waits as long as
 * CloudFormation's hour has room for it.
 */
export function answeringFunction(scope: Construct, props: AnsweringFunctionProps): HandlerFunction {
  const { options, workTime } = props
  const made = handlerFunction(scope, props)
  const { handler, grantee, policy } = made
  const answerer = made.another('Answerer', {
    description: 'Answers CloudFormation for a function that was killed (cdk-soci)',
    ...ANSWERER,
  })
  if (props.deadLetterQueue === undefined) for (const each of [handler, answerer]) acknowledge(each, NO_DEAD_LETTERS)
  const resourceArns = [answerer.functionArn] // grantInvoke would allow all versions too
  iam.Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns })

  const invokeConfig = new lambda.CfnEventInvokeConfig(scope, 'InvokeConfig', {
    functionName: handler.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: eventAge(workTime).toSeconds(),
    destinationConfig: { onFailure: { destination: answerer.functionArn } },
  })
  invokeConfig.node.addDependency(policy) // Lambda asks whether the role may invoke the destination
  if (options.vpc !== undefined) invokeConfig.node.addDependency(wayOut(options.vpc)) // so that indexes wait for it
  // Only the function on Lambda has an option: the others do little themselves, or as much as their state machine allows
  if (!props.indexes) for (const each of [handler, answerer]) acknowledge(each, BOUNDED_CONCURRENCY)
  return made
}

function eventAge(workTime: Duration): Duration {
  if (workTime.isUnresolved()) return LEAST_EVENT_AGE
  return Duration.seconds(HOUR.toSeconds() - workTime.toSeconds() - ANSWER_MARGIN.toSeconds())
}

/** @throws Error for what a function cannot be given */
export function checkFunction(
  options: ComputeOptions & {
    readonly memorySize?: number | undefined
    readonly runtime?: lambda.Runtime | undefined
    readonly architecture?: lambda.Architecture | undefined
    readonly reservedConcurrency?: number | undefined
  },
): void {
  const { memorySize, runtime, architecture, reservedConcurrency, logGroup, encryptionKey } = options
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
  if (reservedConcurrency !== undefined && !Token.isUnresolved(reservedConcurrency))
    if (!Number.isInteger(reservedConcurrency) || reservedConcurrency < 1)
      throw new Error(
        `reservedConcurrency is ${reservedConcurrency}: it must be a whole number of at least 1; leave it out for the account's quota`,
      )
  if (logGroup !== undefined && encryptionKey !== undefined)
    throw new Error('encryptionKey is given with a logGroup, which has its own: leave one of them out')
  checkNetwork(options)
}

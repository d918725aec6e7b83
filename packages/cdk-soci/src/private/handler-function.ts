import { join } from 'node:path'
import type { Duration } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'
import { acknowledge } from './acknowledge'
import { type FunctionLog, functionLog } from './function-log'
import { networkOf } from './network'
import { separatePolicy } from './separate-policy'

/** What is bundled: the handlers, for functions and builds. */
export const HANDLERS = join(__dirname, '..', '..', 'assets', 'handler')
export const RUNTIME = 'nodejs24.x'

export interface HandlerFunctionProps {
  readonly description: string
  /** Name of what the bundle exports. */
  readonly handler: string
  readonly options: ComputeOptions
  readonly role: iam.IRole
  readonly memorySize: number
  readonly timeout: Duration
  readonly architecture?: lambda.Architecture | undefined
  readonly runtime?: lambda.Runtime | undefined
  readonly environment?: Record<string, string>
  readonly reservedConcurrency?: number | undefined
}

/** A function of the bundle. */
export interface HandlerFunction {
  readonly handler: lambda.Function
  /** May do what the function does, by a policy that the function does not wait for. */
  readonly grantee: iam.IGrantable
  readonly policy: iam.Policy
  readonly log: FunctionLog
}

/** Makes the function with its log, its network, and a policy that lets it write the log. */
export function handlerFunction(scope: Construct, props: HandlerFunctionProps): HandlerFunction {
  const { description, options, role, memorySize, timeout, architecture, runtime } = props
  const { environment, reservedConcurrency } = props
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
    ...(environment && { environment }),
    ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
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
  return { handler, grantee, policy, log }
}

import { join } from 'node:path'
import type { Duration } from 'aws-cdk-lib'
import type * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type * as sqs from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { ComputeOptions } from '../compute-options'
import { acknowledge } from './acknowledge'
import { LOGIN } from './acknowledged-rules'
import { deliveriesOf } from './deliveries'
import { type FunctionLog, functionLog } from './function-log'
import { type Network, networkOf } from './network'
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
  readonly tracing?: lambda.Tracing | undefined
  readonly deadLetterQueue?: sqs.IQueue | undefined
}

/** A function of the bundle. */
export interface HandlerFunction {
  readonly handler: lambda.Function
  /** May do what the function does, by a policy that the function does not wait for. */
  readonly grantee: iam.IGrantable
  readonly policy: iam.Policy
  readonly log: FunctionLog
  /** Makes another function with the same role, log and network. */
  another(id: string, props: Pick<HandlerFunctionProps, 'description' | 'memorySize' | 'timeout'>): lambda.Function
}

/** Makes the function with its log, its network, and a policy that lets it write the log. */
export function handlerFunction(scope: Construct, props: HandlerFunctionProps): HandlerFunction {
  const { options, role } = props
  const log = functionLog(scope, options)
  const network = networkOf(scope, role, options)
  const deliveries = deliveriesOf(scope, role, props)
  const make = (id: string, own: HandlerFunctionProps, { functionProps }: Pick<Network, 'functionProps'>) => {
    const { description, memorySize, timeout, environment, reservedConcurrency, deadLetterQueue } = own
    const handler = new lambda.Function(scope, id, {
      description,
      runtime: own.runtime ?? new lambda.Runtime(RUNTIME, lambda.RuntimeFamily.NODEJS),
      code: lambda.Code.fromAsset(HANDLERS),
      handler: `index.${own.handler}`,
      architecture: own.architecture ?? lambda.Architecture.ARM_64,
      memorySize,
      timeout,
      role,
      ...(environment && { environment }),
      ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
      ...log.functionProps,
      ...functionProps,
    })
    log.attach(handler)
    network.attach(handler)
    deliveries.attach(handler, deadLetterQueue)
    return handler
  }
  const handler = make('Function', props, network)

  const { policy, grantee } = separatePolicy(scope, 'Policy', role)
  acknowledge(policy, LOGIN, 'Resource::*')
  log.grantWrite(grantee)
  return {
    handler,
    grantee,
    policy,
    log,
    another(id, own) {
      const { environment: _, ...same } = props
      // One that is always free, so that what it does does not wait for the others
      const reservedConcurrency = props.reservedConcurrency === undefined ? undefined : 1
      const { securityGroups } = options.vpc === undefined ? {} : handler.connections
      const functionProps = { ...network.functionProps, ...(securityGroups && { securityGroups }) }
      return make(id, { ...same, ...own, reservedConcurrency }, { functionProps })
    },
  }
}

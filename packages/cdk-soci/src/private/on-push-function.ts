import { Aws, Fn, Stack } from 'aws-cdk-lib'
import * as events from 'aws-cdk-lib/aws-events'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { SociImageOptions, SociIndexOptions } from '../index-options'
import { type SociIndexOnPushProps, SociIndexVersion } from '../soci-index-on-push-options'
import { acknowledge } from './acknowledge'
import { BOUNDED_CONCURRENCY, NO_DEAD_LETTERS, PUSHED_REPOSITORIES } from './acknowledged-rules'
import { MEMORY } from './answering-function'
import { optionProperties } from './checked-options'
import { type HandlerFunction, handlerFunction } from './handler-function'
import { READ, WRITE } from './image-access'
import { stateMachineArn } from './index-state-machine'
import type { OnPushEnvironment } from './on-push-environment'
import type { OnPushOptions } from './on-push-options'
import { MAX_RECEIVE_COUNT, type PushQueue } from './push-queue'

export interface OnPushFunction extends HandlerFunction {
  /** Name of the state machine that takes large images; undefined where there is none. */
  readonly machineName: string | undefined
}

/** The function that reads the queue, with what it may do. */
export function onPushFunction(
  scope: Construct,
  props: SociIndexOnPushProps,
  options: OnPushOptions,
  queues: PushQueue,
  metricsNamespace: string,
): OnPushFunction {
  const bus = props.eventBus ?? events.EventBus.fromEventBusName(scope, 'DefaultBus', 'default')
  const machineName = options.largeImages ? uniqueName(scope) : undefined
  const environment: OnPushEnvironment = {
    SOCI_FILTERS: options.filtersText,
    SOCI_INDEX_VERSION: options.indexVersion,
    SOCI_OUTPUT_TAG: options.outputTag,
    SOCI_EVENT_BUS: bus.eventBusArn,
    SOCI_METRICS_NAMESPACE: metricsNamespace,
    ...(machineName !== undefined && {
      SOCI_STATE_MACHINE: stateMachineArn(scope, machineName),
      SOCI_STATE_MACHINE_ABOVE: String(options.largeImageSize.toKibibytes() * 1024),
    }),
    ...(options.reconcile && { SOCI_RECONCILE_DAYS: String(options.reconcileDays) }),
    SOCI_QUEUE_URL: queues.queue.queueUrl,
    SOCI_DEAD_LETTER_QUEUE_URL: queues.deadLetterQueue.queueUrl,
    SOCI_MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT),
  }
  const made = handlerFunction(scope, {
    description: 'Builds SOCI indexes for images that are pushed to Amazon ECR (cdk-soci)',
    handler: 'onPushHandler',
    options: props,
    role: props.role ?? new iam.Role(scope, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }),
    memorySize: props.memorySize ?? MEMORY.default,
    timeout: options.timeout,
    architecture: props.architecture,
    runtime: props.runtime,
    environment: { ...environment },
    reservedConcurrency: props.reservedConcurrency,
    tracing: props.tracing,
  })
  const grant = (actions: string[], ...resourceArns: string[]): void => {
    iam.Grant.addToPrincipal({ grantee: made.grantee, actions, resourceArns })
  }
  acknowledge(made.handler, NO_DEAD_LETTERS)
  acknowledge(made.handler, BOUNDED_CONCURRENCY)
  setIndexOptions(scope, made, props)
  grantImages(scope, made, options)
  const { queue, deadLetterQueue } = queues
  grant(
    ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage', 'SendMessage'].map(
      (action) => `sqs:${action}`,
    ),
    queue.queueArn,
  )
  grant(['sqs:SendMessage'], deadLetterQueue.queueArn)
  grant(['events:PutEvents'], bus.eventBusArn)
  if (props.encryptionKey !== undefined) grant(['kms:Decrypt', 'kms:GenerateDataKey'], props.encryptionKey.keyArn)
  read(scope, made, queue.queueArn, options.maxConcurrency)
  return { ...made, machineName }
}

/** Tells the function how images are indexed, and lets it read the profile. */
export function setIndexOptions(
  scope: Construct,
  { handler, grantee }: HandlerFunction,
  props: SociImageOptions & Pick<SociIndexOptions, 'profile'>,
): void {
  const options = {
    ...optionProperties(props),
    ...(props.profile !== undefined && { Profile: props.profile._bind(scope, grantee) }),
  }
  const variable: keyof OnPushEnvironment = 'SOCI_OPTIONS'
  if (Object.keys(options).length > 0) handler.addEnvironment(variable, Stack.of(scope).toJsonString(options))
}

/** What pushes need, of the repositories that the filters match. */
export function grantImages(scope: Construct, { grantee, policy }: HandlerFunction, options: OnPushOptions): void {
  const { filters, reconcile, indexVersion } = options
  const arnOf = (repository: string): string =>
    Stack.of(scope).formatArn({ service: 'ecr', resource: 'repository', resourceName: repository })
  const names = filters.map(({ repository }) => repository)
  const arns = [...new Set(names.includes('*') ? ['*'] : names)].map(arnOf)
  const grant = (actions: string[], resourceArns: string[]): void => {
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns })
  }
  grant(['ecr:GetAuthorizationToken'], ['*'])
  const write = WRITE.filter((action) => !unused(indexVersion).includes(action))
  grant([...READ, ...write, ...(reconcile ? ['ecr:DescribeImages'] : [])].sort(), arns)
  // Amazon ECR names all repositories when they are listed
  if (reconcile) grant(['ecr:DescribeRepositories'], [arnOf('*')])
  const wide = [...arns, ...(reconcile ? [arnOf('*')] : [])].filter((arn) => arn.includes('*') || arn.includes('?'))
  if (wide.length > 0) acknowledge(policy, PUSHED_REPOSITORIES, ...[...new Set(wide)].map((arn) => `Resource::${arn}`))
}

/** Of what is done to write an image: nobody is asked who owns the result of a push, and only a tag can be immutable. */
function unused(indexVersion: SociIndexVersion): readonly string[] {
  return ['ecr:ListImages', ...(indexVersion === SociIndexVersion.V1 ? ['ecr:DescribeRepositories'] : [])]
}

/** Lambda reads the queue. By L1, as older releases of the CDK know no concurrency of a queue. */
function read(scope: Construct, { handler, policy }: HandlerFunction, queueArn: string, maxConcurrency: number): void {
  const mapping = new lambda.CfnEventSourceMapping(scope, 'Reader', {
    functionName: handler.functionName,
    eventSourceArn: queueArn,
    batchSize: 1, // an image may need all of the function's time
    functionResponseTypes: ['ReportBatchItemFailures'],
  })
  mapping.addPropertyOverride('ScalingConfig.MaximumConcurrency', maxConcurrency)
  mapping.node.addDependency(policy) // Lambda asks whether the role may read the queue
}

/** Different for each stack, also where names of stacks are cut to fit, and for each construct in it. At most 80 characters. */
function uniqueName(scope: Construct): string {
  const stack = Fn.select(2, Fn.split('/', Aws.STACK_ID)) // its UUID
  return `soci-${scope.node.addr.slice(-8)}-${stack}`
}

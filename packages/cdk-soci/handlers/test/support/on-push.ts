// `SociIndexOnPush`'s function in its asset, with the queue, the registry and the bus around it.
import type { TestContext } from 'node:test'
import type { Descriptor } from '@sociable/oci'
import type { EcrOptions } from '../../../../oci/dist/test/doubles/ecr.js'
import type { BatchAnswer } from '../../src/on-push/batch.js'
import { type Cloud, startCloud } from './cloud.js'
import { SMALL } from './images.js'
import { type Invocation, type Lambda, type LambdaOptions, startLambda } from './lambda.js'
import { ensureNode, LAMBDA_NODES } from './nodes.js'
import { type Queue, type QueueOptions, startQueue } from './sqs.js'

export interface OnPushOptions extends EcrOptions {
  /** Added to the function's environment. */
  readonly environment?: Readonly<Record<string, string>>
  readonly lambda?: Partial<LambdaOptions>
  readonly queue?: QueueOptions
}

export interface OnPush extends Cloud {
  readonly lambda: Lambda
  /** What further ones are started with. */
  readonly function: { readonly node: string; readonly environment: Readonly<Record<string, string>> }
  readonly queue: Queue
  /** Sends the events, and lets the function work until the queue is empty. Gives what it printed, as JSON by line. */
  deliver(...events: unknown[]): Promise<LogLine[]>
  /** One invocation for one batch of messages. */
  invoke(count: number): Promise<Invocation>
}

export type LogLine = Readonly<Record<string, unknown>>

/** Undefined, the test skipped, where there is no such Node. */
export async function startOnPush(t: TestContext, options: OnPushOptions = {}): Promise<OnPush | undefined> {
  const { environment: added, lambda: lambdaOptions, queue: queueOptions, ...ecrOptions } = options
  const node = await ensureNode(t, LAMBDA_NODES[0])
  if (node === undefined) return undefined
  const cloud = await startCloud(t, ecrOptions)
  const queue = await startQueue(t, queueOptions)
  const environment = {
    ...cloud.environment,
    ...queue.environment,
    SOCI_FILTERS: '*:*',
    SOCI_INDEX_VERSION: 'V2',
    SOCI_OUTPUT_TAG: '{tag}-soci',
    SOCI_OPTIONS: JSON.stringify(SMALL),
    ...added,
  }
  const lambda = startLambda(t, {
    node,
    handler: 'index.onPushHandler',
    environment,
    timeout: 900_000,
    killAfter: 120_000,
    ...lambdaOptions,
  })
  const invoke = async (count: number): Promise<Invocation> => {
    const Records = queue.receive(count)
    const invocation = await lambda.invoke({ Records })
    if (invocation.failure === undefined) queue.settle(Records, invocation.value as BatchAnswer)
    return invocation
  }
  return {
    ...cloud,
    lambda,
    function: { node, environment },
    queue,
    invoke,
    async deliver(...events) {
      const from = lambda.log().length
      for (const event of events) queue.send(event)
      for (let Records = queue.receive(10); Records.length > 0; Records = queue.receive(10)) {
        const { value, failure } = await lambda.invoke({ Records })
        if (failure !== undefined) throw new Error(`${failure.errorType}: ${failure.errorMessage}`)
        queue.settle(Records, value as BatchAnswer)
      }
      return linesOf(lambda.log().slice(from))
    },
  }
}

export function linesOf(log: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
}

/** ECR's event of a push ("Amazon ECR events and EventBridge" in its user guide). */
export function pushed(digest: string | Descriptor, tag?: string, repository = 'app', more: object = {}): object {
  return {
    version: '0',
    id: '13cde686-328b-6117-af20-0e5566167482',
    'detail-type': 'ECR Image Action',
    source: 'aws.ecr',
    account: '123456789012',
    time: '2026-11-27T12:00:00Z',
    region: 'eu-west-1',
    resources: [],
    detail: {
      result: 'SUCCESS',
      'repository-name': repository,
      'image-digest': typeof digest === 'string' ? digest : digest.digest,
      'action-type': 'PUSH',
      ...(tag !== undefined && { 'image-tag': tag }),
      ...more,
    },
  }
}

// The shipped asset with a queue's batches: what becomes of one push.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { convert, inspect } from 'sociable'
import { ECR_HOST } from '../support/cloud.js'
import { pushApp, tagsOf } from '../support/images.js'
import { pushed, startOnPush } from '../support/on-push.js'
import type { SentEvent } from '../support/sqs.js'

const OPTIONS = { spanSize: 4096, minLayerSize: 0 }

test('a push is indexed once, and told', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, queue, deliver, ecr } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  const log = await deliver(pushed(image, 'one'))
  const expected = await convert(
    { store: app, reference: 'one' },
    { store: await store('other'), reference: 'v' },
    OPTIONS,
  )
  assert.equal((await app.resolve('one-soci')).digest, expected.digest)
  assert.deepEqual(await tagsOf(app), ['one', 'one-soci'])
  const { seconds, ...detail } = queue.events[0]!.detail
  assert.ok(Number(seconds) > 0)
  assert.deepEqual(queue.events, [
    {
      type: 'SOCI Index Ready',
      source: 'sociable',
      bus: 'default',
      resources: ['arn:aws:ecr:eu-west-1:123456789012:repository/app'],
      detail: { ...detail, seconds },
    },
  ])
  assert.deepEqual(detail, {
    'repository-name': 'app',
    'image-tag': 'one',
    'image-digest': image.digest,
    'output-tag': 'one-soci',
    'output-digest': expected.digest,
    indexed: true,
    reason: '',
    bytes: expected.bytesIndexed,
  })
  const metrics = log.filter((line) => line._aws !== undefined)
  assert.deepEqual(
    metrics.map(({ _aws, AgeOfOldestMessage, Seconds, ...values }) => values),
    [
      { FunctionName: 'indexer', Images: 1, Bytes: expected.bytesIndexed },
      { FunctionName: 'indexer', Retries: 0 },
    ],
  )
  assert.deepEqual((metrics[0]!._aws as { CloudWatchMetrics: unknown }).CloudWatchMetrics, [
    {
      Namespace: 'Soci',
      Dimensions: [['FunctionName']],
      Metrics: [
        { Name: 'Images', Unit: 'Count' },
        { Name: 'Bytes', Unit: 'Bytes' },
        { Name: 'Seconds', Unit: 'Seconds' },
      ],
    },
  ])
  assert.equal(queue.clock(), 0, 'nothing went back to the queue')

  const puts = ecr.requests.filter(({ method }) => method === 'PUT').length
  await deliver(pushed(image, 'one'), pushed(await app.resolve('one-soci'), 'one-soci'))
  assert.equal(ecr.requests.filter(({ method }) => method === 'PUT').length, puts, 'a duplicate writes nothing')
  assert.deepEqual(
    (queue.events as readonly SentEvent[]).slice(1).map(({ detail }) => [detail.seconds, detail.bytes]),
    [[0, 0]],
  )
  assert.deepEqual(queue.deadLetters, [])
  assert.equal((await inspect({ store: app, reference: 'one-soci' })).sociEnabled, true)
  assert.ok(
    ecr.calls.every(({ repository }) => repository === undefined || repository === 'app'),
    ECR_HOST,
  )
})

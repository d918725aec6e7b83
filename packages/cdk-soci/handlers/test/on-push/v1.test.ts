// Indexes beside their images (v1): by digest, with or without a tag.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'sociable'
import { pushApp, tagsOf, wrap } from '../support/images.js'
import { pushed, startOnPush } from '../support/on-push.js'

test('v1 attaches an index to the digest that was pushed, and none to its own', async (t) => {
  const world = await startOnPush(t, { environment: { SOCI_INDEX_VERSION: 'V1' } })
  if (world === undefined) return
  const { store, deliver, queue, ecr } = world
  const app = await store('app')
  const first = await pushApp(app, 'latest', 'first')
  const second = await pushApp(app, 'latest', 'second')
  const index = await wrap(app, second, 'both')
  await deliver(pushed(first, 'latest'), pushed(second), pushed(index, 'both'))
  for (const { digest } of [first, second]) {
    const { images } = await inspect({ store: app, reference: digest })
    assert.equal(images[0]!.version, 'v1')
  }
  assert.deepEqual(
    queue.events.map(({ detail }) => [detail['image-tag'], detail['output-digest'], detail.indexed]),
    [
      ['latest', first.digest, true],
      [undefined, second.digest, true],
      ['both', index.digest, true],
    ],
  )
  assert.ok(queue.events.every(({ detail }) => !('output-tag' in detail)))
  assert.deepEqual(await tagsOf(app), ['both', 'latest'])
  const { images } = await inspect({ store: app, reference: first.digest })
  const puts = ecr.requests.filter(({ method }) => method === 'PUT').length
  const log = await deliver(pushed(images[0]!.index!.digest), pushed(first, 'latest'))
  assert.equal(log.find(({ message }) => message === 'left')!.reason, 'it is a SOCI index')
  assert.equal(ecr.requests.filter(({ method }) => method === 'PUT').length, puts)
  assert.deepEqual([queue.events.at(-1)!.detail.seconds, queue.deadLetters.length], [0, 0])
})

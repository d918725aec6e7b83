// The reconcile run, which finds pushes whose event was lost.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Store } from '@sociable/oci'
import { inspect } from 'sociable'
import { pushApp, pushSmall, tagsOf, wrap } from '../support/images.js'
import { linesOf, type OnPush, type OnPushOptions, pushed, startOnPush } from '../support/on-push.js'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

interface World extends OnPush {
  /** Says when an image was pushed: so many milliseconds ago. */
  age(repository: string, reference: string, milliseconds: number): Promise<void>
  /** One run, as the schedule begins it. @param time milliseconds that the function has */
  run(time?: number): Promise<ReturnType<typeof linesOf>>
}

async function start(t: TestContext, options: OnPushOptions = {}): Promise<World | undefined> {
  const world = await startOnPush(t, options)
  if (world === undefined) return undefined
  const { ecr, store, lambda } = world
  return {
    ...world,
    async age(repository, reference, milliseconds) {
      const { digest } = await (await store(repository)).resolve(reference)
      ecr.setPushedAt(repository, digest, new Date(Date.now() - milliseconds))
    },
    async run(time) {
      const { failure, log } = await lambda.invoke({ reconcile: true }, time)
      assert.equal(failure, undefined, log)
      return linesOf(log)
    },
  }
}

const ready = ({ queue }: OnPush) =>
  queue.events.map(({ type, detail }) => [type, `${detail['repository-name']}:${detail['image-tag']}`])
const isReady = (...images: string[]) => images.map((image) => ['SOCI Index Ready', image])

test('what was pushed between half an hour and three days ago and has no result is indexed', async (t) => {
  const world = await start(t, { existing: ['app', 'other'], environment: { SOCI_FILTERS: 'app:v*,other:*' } })
  if (world === undefined) return
  const { store, age, run, deliver, ecr, queue } = world
  const [app, other] = [await store('app'), await store('other')]
  const ages = { 'v-lost': 60, 'v-young': 5, 'v-old': 4 * 24 * 60, 'v-done': 60, 'v-archived': 60, unwanted: 60 }
  for (const [tag, minutes] of Object.entries(ages)) {
    await pushApp(app, tag)
    await age('app', tag, minutes * MINUTE)
  }
  await pushApp(other, 'lost')
  await age('other', 'lost', 2 * DAY)
  await deliver(pushed(await app.resolve('v-done'), 'v-done'))
  await age('app', 'v-done-soci', 30 * MINUTE)
  ecr.archive('app', (await app.resolve('v-archived')).digest)
  queue.events.length = 0
  const calls = ecr.calls.length

  const log = await run()
  assert.deepEqual(log.at(-1), { message: 'reconciled', after: '', repositories: 2, sent: 2 })
  assert.deepEqual(
    ecr.calls.slice(calls).map(({ action, repository }) => [action, repository]),
    [
      ['ecr:DescribeRepositories', undefined],
      ['ecr:DescribeImages', 'app'],
      ['ecr:DescribeImages', 'other'],
    ],
  )
  await deliver()
  assert.deepEqual(ready(world), isReady('app:v-lost', 'other:lost'))
  assert.deepEqual(
    (await tagsOf(app)).filter((tag) => tag.endsWith('-soci')),
    ['v-done-soci', 'v-lost-soci'],
  )
  // What is made now is younger than what it was made of
  for (const [repository, tag] of [
    ['app', 'v-lost-soci'],
    ['other', 'lost-soci'],
  ] as const)
    await age(repository, tag, 0)
  assert.equal((await run()).at(-1)!.sent, 0)

  // A tag that was pushed again has an output tag that is older
  await pushApp(app, 'v-lost', 'another')
  await age('app', 'v-lost', 40 * MINUTE)
  await age('app', 'v-lost-soci', 50 * MINUTE)
  assert.equal((await run()).at(-1)!.sent, 1)
  await deliver()
  assert.deepEqual(ready(world).at(-1), ['SOCI Index Ready', 'app:v-lost'])
})

test('many repositories and images, page by page; a run whose time is short goes on where it stopped', async (t) => {
  const names = Array.from({ length: 7 }, (_, i) => `lots${i}`)
  const world = await start(t, { existing: names, pageSize: 2, environment: { SOCI_FILTERS: 'lots*:*' } })
  if (world === undefined) return
  const { store, age, run, deliver, ecr, queue } = world
  const images: string[] = []
  for (const name of names)
    for (let i = 0; i < 5; i++) {
      await pushSmall(await store(name), `t${i}`)
      await age(name, `t${i}`, 60 * MINUTE)
      images.push(`${name}:t${i}`)
    }
  const log = await run(30_000)
  assert.deepEqual(log.at(-1), { message: 'reconciled in part', after: '', last: 'lots0', sent: 5 })
  const asked = (action: string) => ecr.calls.filter((call) => call.action === `ecr:${action}`).length
  assert.deepEqual([asked('DescribeRepositories'), asked('DescribeImages')], [5, 3])
  await deliver()
  assert.deepEqual(ready(world).sort(), isReady(...images).sort())
  assert.deepEqual([queue.deadLetters, queue.clock()], [[], 0])
})

/** Whether the image has an index of its own (v1). */
async function hasIndex(store: Store, reference: string): Promise<boolean> {
  const { images } = await inspect({ store, reference })
  return images.every(({ version }) => version === 'v1')
}

test('v1: images without an index beside them, those of several platforms by their first', async (t) => {
  const world = await start(t, { environment: { SOCI_INDEX_VERSION: 'V1' } })
  if (world === undefined) return
  const { store, age, run, deliver, queue } = world
  const app = await store('app')
  await pushApp(app, 'lost')
  const done = await pushApp(app, 'done')
  const several = await wrap(app, await pushApp(app, 'arm'), 'several')
  await app.untag!('arm')
  for (const tag of ['lost', 'done', 'several']) await age('app', tag, 60 * MINUTE)
  await deliver(pushed(done, 'done'))
  queue.events.length = 0
  assert.equal((await run()).at(-1)!.sent, 2)
  await deliver()
  assert.deepEqual(ready(world), isReady('app:lost', 'app:several'))
  for (const reference of ['lost', 'done', several.digest]) assert.ok(await hasIndex(app, reference), reference)
  assert.equal((await run()).at(-1)!.sent, 0)
})

test('a repository that is deleted during the run, and refusals', async (t) => {
  const world = await start(t, { existing: ['app', 'gone'] })
  if (world === undefined) return
  const { store, age, run, ecr, lambda, queue } = world
  await pushApp(await store('app'), 'one')
  await age('app', 'one', 60 * MINUTE)
  // It is listed, and then it is not there: its store never was
  assert.equal((await run()).at(-1)!.sent, 1)
  ecr.setPolicy((action) => action !== 'ecr:DescribeImages')
  const { failure } = await lambda.invoke({ reconcile: true })
  assert.match(failure!.errorMessage, /ecr:DescribeImages/)
  assert.equal(queue.receive(10).length, 1, 'what was sent before stays')
})

// What happens around a push: tags that move, images that go, refusals that pass and those that do not, and time that is over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_MANIFEST, readContent, type Store } from '@sociable/oci'
import { inspect } from 'sociable'
import { STORAGE_HOST } from '../support/cloud.js'
import { pushApp, pushBlob, pushDocument, tagsOf } from '../support/images.js'
import { type OnPush, pushed, startOnPush } from '../support/on-push.js'
import { startSilence } from '../support/silence.js'

/** Reason and type of the events, by the tag that was pushed. */
const told = ({ queue }: OnPush) =>
  queue.events.map(({ type, detail }) => [type, detail['image-tag'], detail['image-digest']])

/** The digest of the config that both an image and its SOCI-enabled twin have. */
async function configOf(store: Store, reference: string): Promise<string> {
  const { images } = await inspect({ store, reference })
  const { digest } = images[0]!.manifest
  const manifest = await readContent(store, await store.resolve(digest))
  return JSON.parse(new TextDecoder().decode(manifest)).config.digest
}

const READY = 'SOCI Index Ready'
const FAILED = 'SOCI Index Failed'

test('the newest push has the output tag, in whichever order events come', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, ecr } = world
  const app = await store('app')
  const first = await pushApp(app, 'latest', 'first')
  const second = await pushApp(app, 'latest', 'second')
  const log = await deliver(pushed(second, 'latest'), pushed(first, 'latest'))
  assert.deepEqual(told(world), [[READY, 'latest', second.digest]])
  const left = log.find(({ message }) => message === 'left')
  assert.equal(left!.reason, `the tag latest names ${second.digest} by now, which has a push of its own`)
  assert.equal(await configOf(app, 'latest-soci'), await configOf(app, 'latest'))

  // It moves while its image is indexed: the older one does not get the output tag
  const before = (await app.resolve('latest-soci')).digest
  const third = await pushApp(app, 'latest', 'third')
  const fourth = await pushApp(app, 'fourth')
  ecr.setPolicy((action) => {
    if (action === 'ecr:PutImage') void app.tag(fourth, 'latest')
    return true
  })
  await deliver(pushed(third, 'latest'))
  assert.equal((await app.resolve('latest-soci')).digest, before)
  ecr.setPolicy(undefined)
  await deliver(pushed(fourth, 'latest'))
  assert.equal(await configOf(app, 'latest-soci'), await configOf(app, 'fourth'))

  // It moves when the output tag is about to be written: the newer image is indexed in the same run
  const fifth = await pushApp(app, 'latest', 'fifth')
  const sixth = await pushApp(app, 'sixth')
  let heads = 0
  ecr.setPolicy((action) => {
    const last = ecr.requests.at(-1)!
    // The last look at the tag before the output's is written
    if (action === 'ecr:PutImage' && last.path.endsWith('/manifests/latest-soci') && heads++ === 0)
      void app.tag(sixth, 'latest')
    return true
  })
  const end = await deliver(pushed(fifth, 'latest'))
  assert.ok(end.some(({ message }) => message === 'the tag has moved while its image was indexed'))
  assert.equal(await configOf(app, 'latest-soci'), await configOf(app, 'sixth'))
  assert.deepEqual(told(world).slice(-2), [
    [READY, 'latest', fifth.digest],
    [READY, 'latest', sixth.digest],
  ])
})

test('an image or a tag that was deleted is no failure', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, queue, ecr } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  const other = await pushApp(app, 'two')
  const remove = async (digest: string): Promise<void> => {
    const descriptor = await app.resolve(digest)
    for (const tag of await tagsOf(app)) if ((await app.resolve(tag)).digest === digest) await app.untag!(tag)
    await app.delete!(descriptor)
  }
  await remove(image.digest)
  const deleted: Promise<void>[] = []
  ecr.setPolicy((action) => {
    if (action === 'ecr:InitiateLayerUpload' && deleted.length === 0) deleted.push(remove(other.digest))
    return true
  })
  const log = await deliver(pushed(image, 'one'), pushed(image, 'one', 'nowhere'), pushed(other, 'two'))
  const removed = (tag: string, { digest }: { digest: string }) =>
    `the tag ${tag} was removed after the push of ${digest}`
  assert.deepEqual(
    log.filter(({ message }) => message === 'left').map(({ reason }) => reason),
    [removed('one', image), removed('one', image), removed('two', other)],
  )
  assert.deepEqual([queue.events, queue.deadLetters, queue.clock(), await tagsOf(app)], [[], [], 0, []])
})

test('what no retry can mend fails once: it is told, and goes to the dead-letter queue', async (t) => {
  const world = await startOnPush(t, { immutable: ['other'] })
  if (world === undefined) return
  const { store, deliver, queue, ecr } = world
  const [app, other] = [await store('app'), await store('other')]
  const long = 'x'.repeat(124)
  const image = await pushApp(app, long, 'one')
  await pushApp(other, 'one-soci', 'another')
  const immutable = await pushApp(other, 'one')
  const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip'
  const layers = [await pushBlob(app, gzip, new Uint8Array(1000).fill(7))]
  const config = await pushBlob(
    app,
    'application/vnd.oci.image.config.v1+json',
    '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}',
  )
  const corrupt = await pushDocument(app, OCI_MANIFEST, { config, layers }, 'corrupt')
  const events = [pushed(image, long), pushed(immutable, 'one', 'other'), pushed(corrupt, 'corrupt')]
  const log = await deliver(...events)
  assert.deepEqual(
    queue.deadLetters.map(({ body }) => JSON.parse(body)),
    events,
  )
  assert.deepEqual(told(world), [
    [FAILED, long, image.digest],
    [FAILED, 'one', immutable.digest],
    [FAILED, 'corrupt', corrupt.digest],
  ])
  const reasons = [
    /^the tag has 124 characters, and \{tag\}-soci would have 129: tags have at most 128 \(log group/,
    /other:one-soci exists with other content .*tags of this repository are immutable/,
    /layer sha256:\w+ of .*gzip/,
  ]
  for (const [i, reason] of reasons.entries()) {
    assert.match(queue.deadLetters[i]!.reason!, reason)
    assert.match(String(queue.events[i]!.detail.reason), reason)
  }
  assert.equal(queue.events[0]!.detail['output-tag'], undefined)
  assert.equal(log.filter(({ Failures }) => Failures === 1).length, 3)
  assert.equal(queue.clock(), 0, 'nothing was tried again')
  assert.deepEqual(await tagsOf(app), ['corrupt', long])
  // The own result under an immutable tag is what was wanted
  const own = await pushApp(other, 'two')
  await deliver(pushed(own, 'two', 'other'), pushed(own, 'two', 'other'))
  assert.equal(queue.deadLetters.length, 3)
  assert.ok(ecr.calls.length > 0)
})

test('refusals go back to the queue with growing pauses, and the last try is told', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, queue, ecr } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  let refusals = 2
  ecr.setPolicy((action) => action !== 'ecr:InitiateLayerUpload' || refusals-- <= 0)
  const log = await deliver(pushed(image, 'one'))
  assert.deepEqual(told(world), [[READY, 'one', image.digest]])
  assert.ok(queue.clock() >= 0.75 * (20 + 60) && queue.clock() <= 80, `${queue.clock()} s`)
  assert.equal(log.filter(({ Retries }) => Retries === 1).length, 2)
  assert.match(String(log.find(({ message }) => message === 'not done')!.error), /ecr:InitiateLayerUpload|403/)

  // Nothing is lost where the event cannot be sent
  const two = await pushApp(app, 'two')
  queue.refused.add('PutEvents')
  queue.send(pushed(two, 'two'))
  await world.invoke(1)
  assert.ok((await tagsOf(app)).includes('two-soci'))
  queue.refused.clear()
  await deliver()
  assert.deepEqual(told(world).slice(1), [[READY, 'two', two.digest]])

  const three = await pushApp(app, 'three')
  ecr.setPolicy((action) => action !== 'ecr:PutImage')
  await deliver(pushed(three, 'three'))
  assert.deepEqual(told(world).slice(2), [[FAILED, 'three', three.digest]])
  assert.match(
    String(queue.events[2]!.detail.reason),
    /is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository\/app/,
  )
  assert.deepEqual(
    queue.deadLetters.map(({ body }) => JSON.parse(body)),
    [pushed(three, 'three')],
  )
  assert.ok(!(await tagsOf(app)).includes('three-soci'))
})

test('a function whose time is nearly over gives back what it has not done', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, queue, lambda, names } = world
  const app = await store('app')
  const images = [await pushApp(app, 'one'), await pushApp(app, 'two')] as const
  const storage = names.get(STORAGE_HOST)!
  names.set(STORAGE_HOST, await startSilence(t))
  for (const [i, tag] of ['one', 'two'].entries()) queue.send(pushed(images[i]!, tag))
  const messages = queue.receive(2)
  const { value, log } = await lambda.invoke({ Records: messages }, 3_000)
  assert.deepEqual(value, { batchItemFailures: messages.map(({ messageId }) => ({ itemIdentifier: messageId })) })
  assert.match(log, /the work did not end in the \d seconds that the function has/)
  queue.settle(messages, value as Parameters<typeof queue.settle>[1])
  names.set(STORAGE_HOST, storage)
  await deliver()
  assert.deepEqual(
    told(world).map(([type]) => type),
    [READY, READY],
  )
})

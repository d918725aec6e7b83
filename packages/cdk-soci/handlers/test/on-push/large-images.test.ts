// Images at the limits of what people push, and images that come from elsewhere.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decodeIndex, encodeIndex, OCI_INDEX, readContent } from '@sociable/oci'
import { inspect } from 'sociable'
import { doubles } from '../support/cloud.js'
import { pushApp, tagsOf } from '../support/images.js'
import { pushed, startOnPush } from '../support/on-push.js'

const LAYERS = 127 // as many as Docker and overlayfs allow
const PLATFORMS = 30

test(`an image of ${LAYERS} layers`, async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, queue } = world
  const app = await store('app')
  const { noise, pushImage, smallImage } = await doubles()
  const image = smallImage(...Array.from({ length: LAYERS }, (_, i) => [{ name: `f${i}`, data: noise(300, `${i}`) }]))
  await pushImage(app, image)
  await app.tag(image.manifest, 'many')
  await deliver(pushed(image.manifest, 'many'))
  assert.deepEqual(
    queue.events.map(({ type, detail }) => [type, detail['image-tag'], detail.indexed]),
    [['SOCI Index Ready', 'many', true]],
  )
  const { images } = await inspect({ store: app, reference: 'many-soci' })
  assert.equal(images[0]!.layers.filter(({ lazy }) => lazy).length, LAYERS)
  assert.deepEqual([images[0]!.problems, queue.deadLetters, queue.clock()], [[], [], 0])
})

test(`an image of ${PLATFORMS} platforms, whose children are pushed without a tag, too`, async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, queue } = world
  const app = await store('app')
  const { describe } = await doubles()
  const manifests = []
  for (let i = 0; i < PLATFORMS; i++) {
    const child = await pushApp(app, `child-${i}`)
    await app.untag!(`child-${i}`)
    manifests.push({ ...child, platform: { architecture: `arch${i}`, os: 'linux' } })
  }
  const bytes = encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })
  const index = describe(OCI_INDEX, bytes)
  await app.push(index, bytes)
  await app.tag(index, 'all')
  const log = await deliver(...manifests.map((child) => pushed(child)), pushed(index, 'all'))
  const left = log.filter(({ message }) => message === 'left')
  assert.equal(left.length, PLATFORMS)
  assert.deepEqual(new Set(left.map(({ reason }) => reason)), new Set(['it was pushed without a tag']))
  const { images } = await inspect({ store: app, reference: 'all-soci' })
  assert.deepEqual(
    images.map(({ platform, version }) => [platform, version]),
    manifests.map(({ platform }) => [platform, 'v2']),
  )
  const made = await app.resolve('all-soci')
  // The images, and a SOCI index for each
  assert.equal(decodeIndex(await readContent(app, made), made.digest).manifests!.length, 2 * PLATFORMS)
  assert.equal(queue.events.length, 1)
  assert.deepEqual([await tagsOf(app), queue.deadLetters], [['all', 'all-soci'], []])
})

test('a replica is indexed where it arrives, by the event of its replication', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { store, deliver, queue } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  const file = new URL('../../../../test/fixtures/ecr-events/replication.json', import.meta.url)
  const event = JSON.parse(readFileSync(file, 'utf8'))
  const detail = { ...event.detail, 'repository-name': 'app', 'image-digest': image.digest, 'image-tag': 'one' }
  const replica = { ...event, account: '123456789012', region: 'eu-west-1', detail }
  // Its push is no event of this registry; a second copy of the same replica changes nothing
  await deliver(replica, replica)
  assert.deepEqual(
    queue.events.map(({ type, detail }) => [type, detail['image-tag'], Number(detail.seconds) > 0]),
    [
      ['SOCI Index Ready', 'one', true],
      ['SOCI Index Ready', 'one', false],
    ],
  )
  const failed = { ...replica, detail: { ...detail, result: 'FAILED' } }
  const log = await deliver(failed)
  assert.ok(log.some(({ message, reason }) => message === 'ignored' && /FAILED/.test(`${reason}`)))
  assert.deepEqual([await tagsOf(app), queue.deadLetters], [['one', 'one-soci'], []])
})

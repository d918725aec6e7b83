// 1,000 pushes at once, with duplicates, poison, throttling and refusals: every image is indexed once, poison is in the dead-letter queue, and nothing is lost.
// Eight small images under many names in twenty repositories stand for as many images, so that the test's own work is little.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '@sociable/oci'
import { inspect } from 'sociable'
import type { BatchAnswer } from '../../src/on-push/batch.js'
import { doubles } from '../support/cloud.js'
import { pushBlob, pushDocument } from '../support/images.js'
import { startLambda } from '../support/lambda.js'
import { linesOf, pushed, startOnPush } from '../support/on-push.js'

const EVENTS = 1_000
const DUPLICATES = 100
const POISON = 10
const REPOSITORIES = Array.from({ length: 20 }, (_, i) => `team/app-${i}`)
const IMAGES = 8
const WORKERS = 3
const BATCH = 10

async function pushSmall(store: Store, seed: number) {
  const { noise, pushImage, smallImage } = await doubles()
  const image = smallImage([{ name: 'own', data: noise(6_000, `storm ${seed}`) }])
  await pushImage(store, image)
  return image.manifest
}

/** An image that is none when its layer is read. */
async function pushCorrupt(store: Store, tag: string) {
  const layers = [await pushBlob(store, 'application/vnd.oci.image.layer.v1.tar+gzip', `not gzip ${tag}`)]
  const type = 'application/vnd.oci.image.config.v1+json'
  const config = await pushBlob(store, type, '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers"}}')
  return await pushDocument(store, 'application/vnd.oci.image.manifest.v1+json', { config, layers }, tag)
}

// The function runs on Lambda's Node, whichever runs the test
test('a storm of pushes', async (t) => {
  const world = await startOnPush(t, { existing: REPOSITORIES, throttleEvery: 40 })
  if (world === undefined) return
  const { store, queue, ecr } = world
  const events: { readonly event: unknown; readonly name: string }[] = []
  const wanted = new Map<string, string>()
  const stores = new Map<string, Store>()
  const distinct = EVENTS - DUPLICATES - POISON
  for (const name of REPOSITORIES) stores.set(name, await store(name))
  for (let i = 0; i < distinct; i++) {
    const repository = REPOSITORIES[i % REPOSITORIES.length]!
    const manifest = await pushSmall(stores.get(repository)!, i % IMAGES)
    const tag = `build-${i}`
    await stores.get(repository)!.tag(manifest, tag)
    wanted.set(`${repository}:${tag}`, manifest.digest)
    events.push({ event: pushed(manifest, tag, repository), name: `${repository}:${tag}` })
  }
  // Duplicates come later than their events, of the second half of the repositories: the first half is where refusals are
  const isRefusing = (name: string) => Number(/app-(\d+)/.exec(name)?.[1]) < REPOSITORIES.length / 2
  const candidates = events.slice(0, distinct / 2).filter(({ name }) => !isRefusing(name))
  for (let i = 0; i < DUPLICATES; i++) events.push(candidates[(i * 7) % candidates.length]!)
  const poison: unknown[] = ['{"source":', '[]', pushed('latest', 'x'), pushed('latest', 'y')]
  const [first] = REPOSITORIES as [string]
  for (const tag of ['corrupt-1', 'corrupt-2', 'corrupt-3'])
    poison.push(pushed(await pushCorrupt(stores.get(first)!, tag), tag, first))
  for (const letter of ['a', 'b', 'c']) {
    const tag = letter.repeat(125)
    const manifest = await pushSmall(stores.get(first)!, 0)
    await stores.get(first)!.tag(manifest, tag)
    poison.push(pushed(manifest, tag, first))
  }
  poison.forEach((event, i) => void events.splice(i * 90, 0, { event, name: 'poison' }))
  assert.equal(events.length, EVENTS)

  let puts = 0
  ecr.setPolicy((action, repository) => action !== 'ecr:PutImage' || !isRefusing(repository!) || ++puts % 50 !== 0)
  for (const { event } of events) queue.send(event)
  const { node, environment } = world.function
  const workers = Array.from({ length: WORKERS }, () =>
    startLambda(t, { node, handler: 'index.onPushHandler', environment, timeout: 900_000, killAfter: 200_000 }),
  )
  await Promise.all(
    workers.map(async (worker) => {
      for (let Records = await queue.next(BATCH); Records.length > 0; Records = await queue.next(BATCH)) {
        const { value, failure } = await worker.invoke({ Records })
        assert.equal(failure, undefined)
        queue.settle(Records, value as BatchAnswer)
      }
    }),
  )

  const log = workers.flatMap((worker) => linesOf(worker.log()))
  const bodies = (list: readonly unknown[]) =>
    list.map((body) => (typeof body === 'string' ? body : JSON.stringify(body))).sort()
  assert.deepEqual(bodies(queue.deadLetters.map(({ body }) => body)), bodies(poison))
  const made = log.filter(({ message }) => message === 'ready')
  const names = made.map((line) => `${line['repository-name']}:${line['image-tag']}`)
  assert.deepEqual(names.sort(), [...wanted.keys()].sort(), 'each is indexed, and once')
  assert.equal(log.filter(({ message }) => message === 'ready before').length, DUPLICATES)
  const ready = queue.events.filter(({ type }) => type === 'SOCI Index Ready')
  assert.equal(ready.length, distinct + DUPLICATES)
  assert.equal(queue.events.length - ready.length, 6, 'what is poison by its content is told')
  const outputs = new Map(ready.map(({ detail }) => [String(detail['image-digest']), String(detail['output-digest'])]))
  assert.equal(outputs.size, IMAGES, 'the same image gives the same result')
  for (const [name, digest] of wanted) {
    const [repository = '', tag = ''] = name.split(':')
    assert.equal((await stores.get(repository)!.resolve(`${tag}-soci`)).digest, outputs.get(digest), name)
  }
  const some = { store: stores.get(REPOSITORIES[3]!)!, reference: outputs.get([...wanted.values()][3]!)! }
  assert.equal((await inspect(some)).sociEnabled, true)
  const refused = ecr.calls.filter(({ allowed }) => !allowed).length
  const throttled = ecr.requests.filter(({ status }) => status() === 429).length
  assert.ok(refused >= 10 && throttled >= 10, `${refused} refused, ${throttled} throttled`)
  t.diagnostic(
    `${refused} refused, ${throttled} throttled, ${ecr.requests.length} requests, ${queue.clock()} s of the queue's`,
  )
})

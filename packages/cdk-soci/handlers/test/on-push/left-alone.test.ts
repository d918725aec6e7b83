// What is pushed and is not an image to index ends in one cheap look, and nothing is told of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, type Store } from '@sociable/oci'
import { convert, createIndex } from 'sociable'
import { pushApp, pushBlob, pushDocument, tagsOf, wrap } from '../support/images.js'
import { pushed, startOnPush } from '../support/on-push.js'

const OPTIONS = { spanSize: 4096, minLayerSize: 0 }
const EMPTY = 'application/vnd.oci.empty.v1+json'

/** A manifest with one layer. */
async function manifest(store: Store, tag: string, configType: string, layerType: string, config = '{}') {
  const layers = [await pushBlob(store, layerType, `layer of ${tag}`)]
  return await pushDocument(store, OCI_MANIFEST, { config: await pushBlob(store, configType, config), layers }, tag)
}

test('own results, SOCI indexes, signatures, attestations, charts and images of Windows are left alone', async (t) => {
  const world = await startOnPush(t, { environment: { SOCI_FILTERS: 'app:*' } })
  if (world === undefined) return
  const { store, deliver, queue, ecr } = world
  const app = await store('app')
  const image = await pushApp(app, 'one')
  const enabled = await convert({ store: app, reference: 'one' }, { store: app, reference: 'enabled' }, OPTIONS)
  const { images } = await createIndex({ store: app, reference: 'one' }, OPTIONS)
  const attached = images[0]!.index!.digest
  const cosign = 'application/vnd.dev.cosign.simplesigning.v1+json'
  const inToto = 'application/vnd.in-toto+json'
  const helm = 'application/vnd.cncf.helm.config.v1+json'
  const windows = '{"os":"windows","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}'
  const windowsImage = await manifest(app, 'windows', OCI_CONFIG, OCI_LAYER_GZIP, windows)
  const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.1' }
  const attestation = await manifest(app, 'attestation', OCI_CONFIG, inToto)
  const unknown = { os: 'unknown', architecture: 'unknown' }
  const cases: [name: string, event: object, reason: RegExp, reads: number][] = [
    ['own tag', pushed(enabled.digest, 'one-soci'), /its tag is one that is made here \(\{tag\}-soci\)/, 0],
    ['no tag', pushed(image), /it was pushed without a tag/, 0],
    ['no filter', pushed(image, 'one', 'other'), /no filter matches/, 0],
    ['SOCI-enabled', pushed(enabled.digest, 'enabled'), /holds a SOCI index already/, 1],
    ['signature', pushed(await manifest(app, 'sig', OCI_CONFIG, cosign), 'sig'), /its layers are of type .*cosign/, 1],
    ['attestation', pushed(attestation, 'attestation'), /its layers are of type application\/vnd.in-toto/, 1],
    ['chart', pushed(await manifest(app, 'chart', helm, EMPTY), 'chart'), /an artifact whose config is .*helm/, 1],
    ['Windows', pushed(windowsImage, 'windows'), /a Windows image/, 1],
    [
      'Windows only',
      pushed(await pushDocument(app, OCI_INDEX, { manifests: [{ ...windowsImage, platform }] }, 'w'), 'w'),
      /its images are of Windows/,
      1,
    ],
    [
      'no image',
      pushed(await pushDocument(app, OCI_INDEX, { manifests: [{ ...attestation, platform: unknown }] }, 'a'), 'a'),
      /an index without images/,
      1,
    ],
  ]
  await app.tag(await app.resolve(attached), 'attached')
  cases.push(['SOCI index', pushed(attached, 'attached'), /it is a SOCI index/, 1])
  const tags = await tagsOf(app)
  for (const [name, event, reason, reads] of cases) {
    const from = ecr.requests.length
    const log = await deliver(event)
    const lines = log.filter((line) => line._aws === undefined)
    assert.equal(lines.length, 1, `${name}: ${JSON.stringify(lines)}`)
    assert.equal(lines[0]!.message, 'left', name)
    assert.match(String(lines[0]!.reason), reason, name)
    const asked = ecr.requests.slice(from).filter(({ path }) => path.includes('/v2/app/'))
    const gets = asked.filter(({ method, path }) => method === 'GET' && path.includes('/manifests/'))
    assert.equal(gets.length, reads, name)
    assert.ok(
      asked.every(({ method }) => method === 'GET' || method === 'HEAD'),
      name,
    )
  }
  assert.deepEqual([await tagsOf(app), queue.events, queue.deadLetters, queue.clock()], [tags, [], [], 0])
})

test('events that are none end at once: others with a line in the log, malformed ones in the dead-letter queue', async (t) => {
  const world = await startOnPush(t)
  if (world === undefined) return
  const { deliver, queue, ecr } = world
  const digest = `sha256:${'0'.repeat(64)}`
  const others = [
    { source: 'aws.s3', 'detail-type': 'Object Created', detail: {} },
    { Service: 'Amazon S3', Event: 's3:TestEvent' },
    pushed(digest, 'one', 'app', { 'action-type': 'DELETE' }),
    pushed(digest, 'one', 'app', { result: 'FAILURE' }),
  ]
  const log = await deliver(...others)
  assert.deepEqual(
    log.filter((line) => line._aws === undefined).map(({ message }) => message),
    others.map(() => 'ignored'),
  )
  assert.equal(queue.deadLetters.length, 0)
  const malformed = ['{"source":"aws.ecr"', '"text"', pushed('latest', 'one'), pushed(digest, 'one', '../x')]
  const failed = await deliver(...malformed)
  assert.deepEqual(
    queue.deadLetters.map(({ body }) => body),
    malformed.map((body) => (typeof body === 'string' ? body : JSON.stringify(body))),
  )
  assert.match(queue.deadLetters[0]!.reason!, /^the message is not JSON: .*\(log group \/aws\/lambda\/indexer, stream/)
  assert.match(queue.deadLetters[2]!.reason!, /^the event's image-digest is "latest", not a digest/)
  assert.equal(failed.filter(({ Failures }) => Failures === 1).length, malformed.length)
  assert.deepEqual([queue.events, queue.clock(), ecr.requests], [[], 0, []])
  const { value, log: words } = await world.lambda.invoke({ hello: 'world' })
  assert.equal(value, undefined)
  assert.match(words, /"ignored"/)
})

test('what is pushed with several platforms is indexed as a whole, children and all but the wanted platforms left', async (t) => {
  const Platforms = ['linux/amd64', 'linux/s390x']
  const SOCI_OPTIONS = JSON.stringify({ SpanSize: '4096', MinLayerSize: '0', Platforms })
  const world = await startOnPush(t, { environment: { SOCI_OPTIONS } })
  if (world === undefined) return
  const { store, deliver, queue } = world
  const app = await store('app')
  const child = await pushApp(app, 'child')
  const index = await wrap(app, child, 'both')
  const arm = { os: 'linux', architecture: 'arm64' }
  const other = await pushDocument(app, OCI_INDEX, { manifests: [{ ...child, platform: arm }] }, 'arm')
  const log = await deliver(pushed(child), pushed(index, 'both'), pushed(other, 'arm'))
  assert.deepEqual(
    log.filter(({ message }) => message === 'left').map(({ reason }) => reason),
    ['it was pushed without a tag', 'it has none of the platforms linux/amd64, linux/s390x'],
  )
  assert.deepEqual(await tagsOf(app), ['arm', 'both', 'both-soci', 'child'])
  assert.deepEqual(
    queue.events.map(({ detail }) => [detail['image-tag'], detail.indexed]),
    [['both', true]],
  )
})

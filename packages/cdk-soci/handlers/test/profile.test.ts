// Images that are made with a profile from Amazon S3, by the function as it ships: in one go, and in steps.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { convert, inspect } from 'sociable'
import { doubles, ECR_HOST, startCloud } from './support/cloud.js'
import { pushApp, SMALL } from './support/images.js'
import { type Lambda, startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'
import { pushed, startOnPush } from './support/on-push.js'

const PROFILE = { version: 1, files: [{ path: '/common' }, { path: '/none' }] } as const
const PROPERTIES = {
  Format: 'v2',
  Repository: `${ECR_HOST}/app`,
  InputTag: 'one',
  OutputTag: 'one-soci',
  Profile: 's3://assets/key/start.json',
  ...SMALL,
}

/** Amazon S3, as far as one object is read (Amazon S3 API reference, GetObject). */
async function startS3(t: TestContext, objects: ReadonlyMap<string, string>) {
  const { listen } = await doubles()
  const s3 = await listen((request, response) => {
    const content = objects.get(new URL(request.url!, 'http://s3').pathname)
    if (content !== undefined) {
      response.writeHead(200).end(content)
      return
    }
    response.writeHead(404, { 'content-type': 'application/xml', 'x-amz-request-id': 'EXAMPLE' })
    response.end('<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>')
  })
  t.after(() => s3.close())
  return s3
}

async function start(t: TestContext, handler: string, objects: ReadonlyMap<string, string>) {
  const node = await ensureNode(t, LAMBDA_NODES[0])
  if (node === undefined) return undefined
  const cloud = await startCloud(t)
  const s3 = await startS3(t, objects)
  const environment = { ...cloud.environment, AWS_ENDPOINT_URL_S3: s3.url }
  const lambda: Lambda = startLambda(t, { node, environment, handler })
  const app = await cloud.store('app')
  await pushApp(app, 'one')
  const expected = await convert(
    { store: app, reference: 'one' },
    { store: app, reference: 'expected' },
    { profile: PROFILE, spanSize: 4096, minLayerSize: 0 },
  )
  assert.ok(expected.images[0]!.startLayer !== undefined)
  return { ...cloud, lambda, app, expected }
}

const OBJECTS = new Map([['/assets/key/start.json', JSON.stringify(PROFILE)]])

test('the image is the one that sociable convert makes with the profile; made again, it is found', async (t) => {
  const world = await start(t, 'index.handler', OBJECTS)
  if (world === undefined) return
  const { cloudFormation, lambda, app, expected } = world
  for (const _ of ['first', 'again']) {
    const event = cloudFormation.event('Create', PROPERTIES)
    await lambda.invokeAsync(event)
    const { Status, Reason, Data } = cloudFormation.answerTo(event)
    assert.deepEqual([Status, Data?.imageDigest], ['SUCCESS', expected.digest], Reason)
  }
  const { layers } = (await inspect({ store: app, reference: 'one-soci' })).images[0]!
  assert.equal(layers.length, 3)
})

test('a push is made with the profile of its construct', async (t) => {
  const s3 = await startS3(t, OBJECTS)
  const world = await startOnPush(t, {
    environment: {
      SOCI_OPTIONS: JSON.stringify({ ...SMALL, Profile: PROPERTIES.Profile }),
      AWS_ENDPOINT_URL_S3: s3.url,
    },
  })
  if (world === undefined) return
  const app = await world.store('app')
  const image = await pushApp(app, 'one')
  await world.deliver(pushed(image, 'one'))
  const expected = await convert(
    { store: app, reference: 'one' },
    { store: await world.store('other'), reference: 'expected' },
    { profile: PROFILE, spanSize: 4096, minLayerSize: 0 },
  )
  assert.ok(expected.images[0]!.startLayer !== undefined)
  assert.deepEqual(
    world.queue.events.map(({ type, detail }) => [type, detail['output-digest']]),
    [['SOCI Index Ready', expected.digest]],
  )
  // Once more: what is there is what the profile asks for
  await world.deliver(pushed(image, 'one'))
  assert.equal(world.queue.events.at(-1)!.detail.seconds, 0)
})

test('a profile that cannot be read, or is none, fails the deployment with its name', async (t) => {
  const world = await start(t, 'index.handler', new Map([['/assets/broken.json', '{"version":1']]))
  if (world === undefined) return
  const { cloudFormation, lambda, app } = world
  for (const [profile, message] of [
    ['s3://assets/none.json', /^the profile s3:\/\/assets\/none\.json cannot be read: NoSuchKey: The specified key/],
    ['s3://assets/broken.json', /^s3:\/\/assets\/broken\.json is not a profile: /],
    ['https://assets/a.json', /^the property Profile is "https:\/\/assets\/a\.json": it must be s3:\/\/BUCKET\/KEY/],
  ] as const) {
    const event = cloudFormation.event('Create', { ...PROPERTIES, Profile: profile })
    await lambda.invokeAsync(event)
    const { Status, Reason } = cloudFormation.answerTo(event)
    assert.equal(Status, 'FAILED')
    assert.match(Reason!, message)
  }
  await assert.rejects(app.resolve('one-soci'))
})

test('in steps, the image is the same', async (t) => {
  const world = await start(t, 'index.stepFunctionsHandler', OBJECTS)
  if (world === undefined) return
  const { cloudFormation, lambda, expected } = world
  const event = cloudFormation.event('Create', PROPERTIES)
  const step = async <Result>(input: object) => {
    const { value, failure } = await lambda.invoke({ event, ...input })
    assert.equal(failure, undefined)
    return value as Result
  }
  const { plan } = await step<{ readonly plan: { readonly layers: readonly object[] } }>({ step: 'plan' })
  assert.equal(plan.layers.length, 2)
  const layers: object[] = []
  for (const layer of plan.layers) layers.push(await step({ step: 'layer', layer }))
  const { imageDigest } = await step<{ readonly imageDigest: string }>({ step: 'assemble', plan: { ...plan, layers } })
  assert.equal(imageDigest, expected.digest)
})

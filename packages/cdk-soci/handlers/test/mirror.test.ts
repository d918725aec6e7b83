// An image of another registry is copied first: with which logins, and what it brings along.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createMemoryStore, memoryRepositories, type Store, serveRegistry } from '@sociable/oci'
import { convert, createIndex, inspect } from 'sociable'
import type { FaultProxy } from '../../../oci/dist/test/doubles/fault-proxy.js'
import { type Cloud, doubles, ECR_HOST, OTHER_HOST, startCloud } from './support/cloud.js'
import { pushApp, SMALL, tagsOf } from './support/images.js'
import { type LambdaOptions, startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

const APP = `${ECR_HOST}/app`
const SECRET_ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-a1b2c3'
const LOGIN = { username: 'robot', password: 'x-secret-password' }
const PROPERTIES = {
  Format: 'v2',
  Source: `${OTHER_HOST}/team/app:7`,
  Repository: APP,
  InputTag: 'seven',
  OutputTag: 'seven-soci',
  ...SMALL,
}

interface World extends Cloud {
  /** The other registry's repository `team/app`, and what came to that registry. */
  readonly source: Store
  readonly registry: FaultProxy
  ask(...event: Parameters<Cloud['cloudFormation']['event']>): Promise<ReturnType<Cloud['cloudFormation']['answerTo']>>
}

/** @param login what the other registry wants; anyone may in without */
async function start(t: TestContext, login?: typeof LOGIN, options: Partial<LambdaOptions> = {}) {
  const node = await ensureNode(t, LAMBDA_NODES[1])
  if (node === undefined) return undefined
  const { startFaultProxy } = await doubles()
  const cloud = await startCloud(t)
  const source = createMemoryStore()
  const server = await serveRegistry({
    repositories: memoryRepositories(new Map([['team/app', source]])),
    allowedHosts: ['registry.example.com'],
  })
  const expected = `Basic ${Buffer.from(`${login?.username}:${login?.password}`).toString('base64')}`
  const registry = await startFaultProxy({
    target: server.url,
    tls: cloud.tls,
    fault: ({ headers }) =>
      login === undefined || headers.authorization === expected
        ? undefined
        : { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="team"' } },
  })
  cloud.names.set(OTHER_HOST, registry.host)
  const lambda = startLambda(t, { node, environment: cloud.environment, ...options })
  t.after(async () => {
    await registry.close()
    await server.close()
    assert.doesNotMatch(lambda.log(), /x-secret/)
  })
  const world: World = {
    ...cloud,
    source,
    registry,
    async ask(...args) {
      const event = cloud.cloudFormation.event(...args)
      await lambda.invokeAsync(event)
      return cloud.cloudFormation.answerTo(event)
    },
  }
  return world
}

test('a mirror: copied, then indexed; a second time it is all there', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { source, ask, store, registry, ecr } = world
  const { digest } = await pushApp(source, '7')
  const created = await ask('Create', PROPERTIES)
  assert.equal(created.Status, 'SUCCESS', created.Reason)
  const app = await store('app')
  assert.equal((await app.resolve('seven')).digest, digest)
  assert.equal(created.Data!.imageDigest, (await app.resolve('seven-soci')).digest)
  assert.notEqual(created.Data!.imageDigest, digest)
  assert.ok((await inspect({ store: app, reference: 'seven-soci' })).sociEnabled)
  assert.ok(registry.requests.length > 0)
  for (const { headers } of registry.requests) assert.equal(headers.authorization, undefined)
  const puts = () => ecr.requests.filter(({ method }) => method === 'PUT').length
  const before = puts()
  assert.deepEqual((await ask('Create', PROPERTIES)).Data, created.Data)
  assert.equal(puts(), before)
})

test('a mirror: an index that came along is kept, v2 and v1', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { source, ask, store } = world
  const app = await store('app')
  await pushApp(source, 'plain')
  const small = { spanSize: 2048, minLayerSize: 0 }
  const { digest } = await convert({ store: source, reference: 'plain' }, { store: source, reference: '7' }, small)
  const created = await ask('Create', PROPERTIES)
  assert.deepEqual(created.Data, {
    imageDigest: digest,
    imageUri: `${APP}@${digest}`,
    outputImageTag: 'seven-soci',
    indexed: 'true',
    indexReason: '',
  })
  assert.equal((await app.resolve('seven-soci')).digest, digest)
  const properties = { ...PROPERTIES, Removal: 'destroy', OutputTag: 'again' }
  const again = await ask('Create', properties)
  const deleted = await ask('Delete', properties, { PhysicalResourceId: again.PhysicalResourceId })
  assert.equal(deleted.Status, 'SUCCESS', deleted.Reason)
  assert.ok((await inspect({ store: app, reference: 'seven' })).sociEnabled) // what came along stays with the copy
  assert.deepEqual(await tagsOf(app), ['seven', 'seven-soci'])

  await createIndex({ store: source, reference: 'plain' }, small)
  const v1 = { ...PROPERTIES, Format: 'v1', Source: `${OTHER_HOST}/team/app:plain`, InputTag: 'plain' }
  assert.equal((await ask('Create', v1)).Data!.indexed, 'true')
  const [platform] = (await inspect({ store: app, reference: 'plain' })).images
  assert.deepEqual([platform!.version, platform!.layers[0]!.ztoc!.spanSize], ['v1', 2048])
})

test('a mirror: a login goes to its registry, and nowhere else', async (t) => {
  const world = await start(t, LOGIN)
  if (world === undefined) return
  const { source, ask, registry, ecr, secrets } = world
  await pushApp(source, '7')
  const without = await ask('Create', PROPERTIES)
  assert.equal(without.Status, 'FAILED')
  assert.match(without.Reason!, /registry\.example\.com.* answered 401.*there is no login for registry\.example\.com/)
  const properties = { ...PROPERTIES, SourceSecretArn: SECRET_ARN }
  const missing = await ask('Create', properties)
  assert.match(missing.Reason!, /ResourceNotFoundException: Secrets Manager can't find the specified secret/)
  secrets.set(SECRET_ARN, 'x-secret-password')
  const none = await ask('Create', properties)
  assert.match(
    none.Reason!,
    /^the secret arn:aws:secretsmanager:\S+ is not a login: it must be JSON with "username" and "password"/,
  )
  secrets.set(SECRET_ARN, JSON.stringify({ ...LOGIN, password: 'x-secret-wrong' }))
  const wrong = await ask('Create', properties)
  assert.match(wrong.Reason!, /answered 401.*the given login of robot is not accepted/)
  secrets.set(SECRET_ARN, JSON.stringify(LOGIN))
  const created = await ask('Create', properties)
  assert.equal(created.Status, 'SUCCESS', created.Reason)
  for (const { Reason } of [without, missing, none, wrong]) assert.doesNotMatch(Reason!, /x-secret|docker login|--/)
  for (const { headers } of ecr.requests) assert.doesNotMatch(decoded(headers.authorization), /robot/)
  for (const { headers } of registry.requests) assert.doesNotMatch(decoded(headers.authorization), /^AWS/)
})

test('a mirror without a way out', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, names, store } = world
  names.delete(OTHER_HOST)
  const started = performance.now()
  const { Status, Reason } = await ask('Create', PROPERTIES)
  assert.equal(Status, 'FAILED')
  assert.match(Reason!, /registry\.example\.com\/v2\/team\/app\/manifests\/7: .*504/)
  assert.ok(performance.now() - started < 20_000)
  assert.deepEqual(await tagsOf(await store('app')), [])
})

function decoded(authorization = ''): string {
  return Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
}

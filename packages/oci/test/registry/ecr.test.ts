// Amazon ECR, as its double has it: addresses and tokens that end, refusals of its own, and the AWS SDK.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { RegistryOptions } from '../../src/registry/client.js'
import { type Credentials, firstOf } from '../../src/registry/credentials/credential.js'
import { ecrCredentials } from '../../src/registry/credentials/ecr.js'
import { ecrImmutableTags } from '../../src/registry/immutable-tags.js'
import { type Ecr, type EcrOptions, startEcr } from '../doubles/ecr.js'
import { collect, describe, noise, pushImage, smallImage } from '../images.js'
import { chunked, openRepository } from './open.js'

const image = smallImage([{ name: 'a', data: 'first' }])
const other = smallImage([{ name: 'b', data: 'other' }])
const big = noise((5 << 20) + 1000)
const layer = describe('x', big)

async function start(t: TestContext, options: EcrOptions = {}, client: RegistryOptions = {}) {
  const ecr = await startEcr(options)
  t.after(() => ecr.close())
  let tokens = 0
  const open = (repository = 'app') =>
    openRepository(t, ecr.host, repository, {
      memory: 5 << 20,
      credentials: login(ecr, () => tokens++),
      retry: { delay: 20, longestDelay: 300 },
      ...client,
    })
  return { ecr, open, store: await open(), tokens: () => tokens }
}

/** As `ecrCredentials`: a token is kept until it is refused. */
function login(ecr: Ecr, onToken: () => void): Credentials {
  let pair: string | undefined
  return async (_, { refused = [] } = {}) => {
    if (pair === undefined || refused.some((one) => one.kind === 'password' && `AWS:${one.password}` === pair)) {
      onToken()
      pair = Buffer.from(ecr.authorizationToken(), 'base64').toString()
    }
    return {
      kind: 'password',
      username: 'AWS',
      password: pair.slice(4),
      source: 'the test',
      expiresAt: Date.now() + 1e7,
    }
  }
}

test('ECR: an image goes in and comes out, its blobs from another host that gets no login', async (t) => {
  const { ecr, store, tokens } = await start(t, { refuseOpenRanges: true })
  await pushImage(store, image)
  await store.push(layer, chunked(big, 77_777))
  await store.tag(image.manifest, 'v1')
  assert.deepEqual(await collect(store.fetch(layer)), big)
  assert.deepEqual(await collect(store.fetch(await store.resolve('v1'))), image.manifestBytes)
  assert.ok(ecr.storage.requests.length >= 6)
  for (const { headers } of ecr.storage.requests) assert.equal(headers.authorization, undefined)
  // The address is kept: one request to ECR for all parts of the layer, and none for what is read of it later.
  const asked = () => ecr.requests.filter(({ method, path }) => method === 'GET' && path.includes(layer.digest)).length
  assert.equal(asked(), 1)
  assert.deepEqual(await collect(store.fetch(layer, { start: 10, end: 20 })), big.slice(10, 20))
  assert.equal(asked(), 1)
  assert.equal(tokens(), 1)
  assert.ok(!ecr.requests.some(({ method }) => method === 'PATCH'))
})

test('ECR: addresses that end in the middle are renewed, once for all readers', async (t) => {
  const { ecr, store } = await start(t)
  await store.push(layer, big)
  let at = 0
  const chunks: Uint8Array[] = []
  for await (const chunk of store.fetch(layer)) {
    chunks.push(chunk)
    if (at++ === 0) ecr.expireAddresses()
  }
  assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), big)
  ecr.expireAddresses()
  const asked = () => ecr.requests.filter(({ method, path }) => method === 'GET' && path.includes(layer.digest)).length
  const before = asked()
  const ranges = Array.from({ length: 8 }, (_, i) => ({ start: i * 1000, end: i * 1000 + 500 }))
  const read = await Promise.all(ranges.map((range) => collect(store.fetch(layer, range))))
  for (const [i, { start, end }] of ranges.entries()) assert.deepEqual(read[i], big.slice(start, end))
  assert.equal(asked(), before + 1)
})

test('ECR: addresses that end again and again while a blob is read', async (t) => {
  const { ecr, store } = await start(t)
  await store.push(layer, big)
  const chunks: Uint8Array[] = []
  for await (const chunk of store.fetch(layer)) {
    chunks.push(chunk)
    // Three times: a part whose requests are slower than this loop may see them all in a row, and gives up after the fourth
    if (chunks.length % 3 === 0 && chunks.length <= 9) ecr.expireAddresses()
  }
  assert.ok(chunks.length >= 9, 'all three were while it was read')
  assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), big)
})

test('ECR: addresses that have ended before their first use are asked for anew, three times in a row', async (t) => {
  const { ecr, store } = await start(t)
  await store.push(layer, big)
  const asked = () => ecr.requests.filter(({ method, path }) => method === 'GET' && path.includes(layer.digest)).length
  ecr.spoilAddresses(3)
  assert.deepEqual(await collect(store.fetch(layer, { start: 10, end: 20 })), big.slice(10, 20))
  assert.equal(asked(), 4)
  ecr.expireAddresses()
  ecr.spoilAddresses(100)
  const refused = { code: 'DENIED', message: /answered 403 \(AccessDenied\): the storage refuses the address/ }
  await assert.rejects(collect(store.fetch(layer, { start: 10, end: 20 })), refused)
  assert.equal(asked(), 8)
  await assert.rejects(collect(store.fetch(layer)), refused)
})

test('ECR: a token that has ended is answered 403, and renewed', async (t) => {
  const { ecr, store, tokens } = await start(t)
  await pushImage(store, image)
  assert.equal(tokens(), 1)
  for (const [i, call] of [
    () => store.exists(layer),
    () => store.resolve(image.manifest.digest),
    () => store.tag(image.manifest, 'v1'),
    () => collect(store.fetch(image.layers[0]!)),
    () => Promise.all([collect(store.fetch(image.config)), store.exists(image.config), store.exists(layer)]),
    () => store.push(layer, chunked(big, 100_000)),
  ].entries()) {
    ecr.expireTokens()
    ecr.expireAddresses()
    await call()
    assert.equal(tokens(), 2 + i)
  }
})

test('ECR: too many manifests a second', async (t) => {
  const { ecr, store } = await start(t, { putRate: 2 }, { retry: { delay: 200, longestDelay: 600 } })
  await pushImage(store, image)
  for (const name of ['a', 'b', 'c', 'd']) await store.tag(image.manifest, name)
  assert.ok(ecr.requests.some((request) => request.status() === 429))
  for (const name of ['a', 'b', 'c', 'd']) assert.deepEqual(await store.resolve(name), image.manifest)
})

test('ECR: immutable tags', async (t) => {
  const { ecr, store } = await start(t, { immutable: ['app'] })
  await pushImage(store, image)
  await pushImage(store, other)
  await store.tag(image.manifest, 'v1')
  const puts = () => ecr.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/')).length
  const before = puts()
  await store.tag(image.manifest, 'v1') // what it is already
  assert.equal(puts(), before)
  await assert.rejects(store.tag(other.manifest, 'v1'), {
    code: 'TAG_IMMUTABLE',
    message: new RegExp(`app:v1 is an immutable tag of ${image.manifest.digest} .*choose another tag`),
  })
  assert.deepEqual(await store.resolve('v1'), image.manifest)
  // Two that tag the same at once: for both it is done.
  const writers = await Promise.all(
    [1, 2, 3].map(() => openRepository(t, ecr.host, 'app', { credentials: login(ecr, () => {}) })),
  )
  await Promise.all(writers.map((writer) => writer.tag(image.manifest, 'v2')))
  assert.deepEqual(await store.resolve('v2'), image.manifest)
})

test('ECR: what it refuses', async (t) => {
  const { store, open } = await start(t, { existing: ['app'] })
  await assert.rejects(store.push(describe('x', new Uint8Array()), []), { name: 'StoreError', message: /PUT|POST/ })
  const missing = await open('other')
  await assert.rejects(pushImage(missing, image), {
    code: 'NOT_FOUND',
    message: /answered 404.*check the registry, the repository and the tag/,
  })
})

for (const mounts of [true, false])
  test(`ECR: mounts, where the account ${mounts ? 'allows' : 'does not allow'} them`, async (t) => {
    const { store, open, ecr } = await start(t, { mounts })
    await store.push(layer, big)
    const destination = await open('other')
    assert.equal(await destination.mount(layer, store), mounts)
    await destination.push(layer, big)
    assert.deepEqual(await collect(destination.fetch(layer)), big)
    assert.equal(ecr.requests.filter(({ method }) => method === 'PUT').length, mounts ? 1 : 2)
  })

/** The double's name in the world. */
const ECR_HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'

/** Until the test's end the AWS SDK speaks to the double. */
function useAwsSdk(t: TestContext, ecr: Ecr): void {
  const environment = {
    AWS_ENDPOINT_URL_ECR: ecr.url,
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'of no use',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const before = Object.fromEntries(Object.keys(environment).map((name) => [name, process.env[name]]))
  Object.assign(process.env, environment)
  t.after(() => {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  })
}

for (const { rules, immutable } of [
  { rules: {}, immutable: [] },
  { rules: { immutable: ['app'] }, immutable: ['v1', 'dev-1', 'v1.0', 'v1x0'] },
  { rules: { immutable: ['other'] }, immutable: [] },
  { rules: { immutable: ['app'], tagExclusions: ['dev-*', 'v1.0'] }, immutable: ['v1', 'v1x0'] },
  { rules: { tagExclusions: ['v*0'] }, immutable: ['v1.0', 'v1x0'] },
  { rules: { immutable: ['app'], describes: false }, immutable: [] }, // not known
])
  test(`ECR: which tags are immutable is asked by the AWS SDK: ${JSON.stringify(rules)}`, async (t) => {
    const asked = ecrImmutableTags()
    const { ecr, store } = await start(t, rules, {
      immutableTags: (_, repository, tag, options) => asked(ECR_HOST, repository, tag, options),
    })
    useAwsSdk(t, ecr)
    await pushImage(store, image)
    const tags = ['v1', 'dev-1', 'v1.0', 'v1x0']
    for (const tag of tags) assert.equal(await store.isImmutable(tag), false, `${tag} is not there yet`)
    assert.ok(!ecr.requests.some(({ path }) => path === '/'), 'then nothing is asked')
    for (const tag of tags) await store.tag(image.manifest, tag)
    const found: string[] = []
    for (const tag of tags) if (await store.isImmutable(tag)) found.push(tag)
    assert.deepEqual(found, immutable)
  })

test('ECR: an API that gives no answer makes no tag immutable, and an abort ends the question', async (t) => {
  const api = ecrImmutableTags((_, __, { signal }) => setTimeout(20_000, {}, { signal }))
  assert.equal(await ecrImmutableTags(async () => undefined)(ECR_HOST, 'app', 'v1'), false)
  const immutable = async () => ({ imageTagMutability: 'IMMUTABLE' })
  assert.equal(await ecrImmutableTags(immutable)(ECR_HOST, 'app', 'v1'), true)
  assert.equal(await ecrImmutableTags(immutable)('registry.example', 'app', 'v1'), false)
  const rejecting = ecrImmutableTags(async () => assert.fail('no credentials'))
  assert.equal(await rejecting(ECR_HOST, 'app', 'v1'), false)
  const reason = new Error('enough')
  await assert.rejects(api(ECR_HOST, 'app', 'v1', { signal: AbortSignal.abort(reason) }), reason)
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort(new Error('the time is over')))
  assert.equal(await api(ECR_HOST, 'app', 'v1'), false)
})

test('ECR: a token by the AWS SDK', async (t) => {
  const { ecr } = await start(t)
  useAwsSdk(t, ecr)
  const aws = ecrCredentials()
  const named: Credentials = (_, request) => aws(ECR_HOST, request)
  const store = await openRepository(t, ecr.host, 'app', { credentials: firstOf(named) })
  await pushImage(store, image)
  assert.deepEqual(await store.resolve(image.manifest.digest), image.manifest)
  const calls = () => ecr.requests.filter(({ method, path }) => method === 'POST' && path === '/').length
  assert.equal(calls(), 1)
  ecr.expireTokens()
  assert.ok(await store.exists(image.manifest))
  assert.equal(calls(), 2)
})

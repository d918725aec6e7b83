import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { digestOf } from '../../src/document/digest.js'
import { encodeIndex } from '../../src/document/manifest.js'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/document/mediatype.js'
import { createMemoryStore } from '../../src/memory.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { describe, noise, pushImage, smallImage } from '../images.js'
import { type EcrOptions, startEcr } from './ecr.js'

const image = smallImage([{ name: 'a', data: noise(5000) }])
const layer = image.layers[0]!

async function start(t: TestContext, options: EcrOptions = {}) {
  const store = createMemoryStore()
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  const ecr = await startEcr({ repositories: memoryRepositories(new Map([['app', store]])), ...options })
  t.after(() => ecr.close())
  let token = ecr.authorizationToken()
  const call = (path: string, init: RequestInit = {}) =>
    fetch(path.startsWith('http') ? path : `${ecr.url}/v2/${path}`, {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Basic ${token}`, ...init.headers },
    })
  const blob = async (headers: Record<string, string> = {}) => {
    const { headers: answered } = await call(`app/blobs/${layer.digest}`)
    return fetch(answered.get('location')!, { headers })
  }
  const put = (reference: string, bytes: Uint8Array, type = OCI_MANIFEST) =>
    call(`app/manifests/${reference}`, { method: 'PUT', body: bytes, headers: { 'content-type': type } })
  const renew = () => {
    token = ecr.authorizationToken()
  }
  return { ecr, call, blob, put, renew }
}

test('ECR: a blob is at another host, for a while, for GET without a password', async (t) => {
  const { ecr, call, blob } = await start(t)
  const redirect = await call(`app/blobs/${layer.digest}`)
  assert.equal(redirect.status, 307)
  const address = redirect.headers.get('location')!
  assert.equal(new URL(address).host, ecr.storage.host)
  assert.notEqual(ecr.storage.host, ecr.host)
  const got = await fetch(address)
  assert.deepEqual(new Uint8Array(await got.arrayBuffer()), image.layerBytes[0])
  assert.equal((await fetch(address, { headers: { range: 'bytes=0-3' } })).status, 206)
  assert.equal((await blob({ authorization: 'Basic x' })).status, 400)
  assert.equal((await fetch(address, { method: 'HEAD' })).status, 403)
  assert.equal((await call(`app/blobs/${layer.digest}`, { method: 'HEAD' })).status, 200)
  assert.equal((await call(`app/blobs/${digestOf(noise(1))}`)).status, 404)
  ecr.expireAddresses()
  const late = await fetch(address)
  assert.equal(late.status, 403)
  assert.match(await late.text(), /Request has expired/)
  assert.equal((await blob()).status, 200)
})

test('ECR: several ranges bring the whole, and an open one can be refused', async (t) => {
  const { blob } = await start(t, { refuseOpenRanges: true })
  const several = await blob({ range: 'bytes=0-1,4-5' })
  assert.equal(several.status, 200)
  assert.equal((await several.arrayBuffer()).byteLength, layer.size)
  assert.equal((await blob({ range: 'bytes=10-' })).status, 416)
})

test('ECR: tokens, and their end', async (t) => {
  const { ecr, call, renew } = await start(t)
  const none = await fetch(`${ecr.url}/v2/`)
  assert.equal(none.status, 401)
  assert.match(none.headers.get('www-authenticate')!, /^Basic realm="[^"]+",service="ecr.amazonaws.com"$/)
  assert.equal((await call('')).status, 200)
  ecr.expireTokens()
  const late = await call('')
  assert.equal(late.status, 403)
  assert.match(await late.text(), /Your authorization token has expired/)
  renew()
  assert.equal((await call('')).status, 200)
  const target = { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken' }
  const api = await fetch(ecr.url, { method: 'POST', headers: target, body: '{}' })
  const { authorizationData } = (await api.json()) as { authorizationData: { authorizationToken: string }[] }
  const authorization = `Basic ${authorizationData[0]!.authorizationToken}`
  assert.equal((await call('', { headers: { authorization } })).status, 200)
})

test('ECR: chunks are answered with 201 and a range that is behind; nothing is mounted; no blob is empty', async (t) => {
  const { ecr, call } = await start(t)
  const begun = await call(`app/blobs/uploads/?mount=${layer.digest}&from=app`, { method: 'POST' })
  assert.equal(begun.status, 202)
  const place = `${ecr.url}${begun.headers.get('location')}`
  const ranges = []
  for (const chunk of ['abc', 'def']) {
    const patched = await call(place, { method: 'PATCH', body: chunk })
    assert.equal(patched.status, 201)
    ranges.push(patched.headers.get('range'))
  }
  assert.deepEqual(ranges, ['0-0', '0-2'])
  const digest = digestOf(Buffer.from('abcdef'))
  assert.equal((await call(`${place}?digest=${digest}`, { method: 'PUT' })).status, 201)
  const empty = digestOf(new Uint8Array(0))
  assert.equal((await call(`app/blobs/uploads/?digest=${empty}`, { method: 'POST' })).status, 400)
})

test('ECR: immutable tags, and only so many manifests a second', async (t) => {
  const { put } = await start(t, { immutable: ['app'], putRate: 3 })
  const again = await put('v1', image.manifestBytes) // the same digest
  assert.equal(again.status, 400)
  assert.match(await again.text(), /"TAG_INVALID".*already exists.*immutable/)
  assert.equal((await put('v2', image.manifestBytes)).status, 201)
  assert.equal((await put(image.manifest.digest, image.manifestBytes)).status, 201)
  const fourth = await put('v3', image.manifestBytes)
  assert.equal(fourth.status, 429)
  assert.match(await fourth.text(), /Rate exceeded/)
  await new Promise((resolve) => setTimeout(resolve, 1010))
  assert.equal((await put('v3', image.manifestBytes)).status, 201)
})

test('ECR: a lifecycle rule takes what no tag leads to', async (t) => {
  const { ecr, call, put } = await start(t, { existing: ['app'] })
  const child = smallImage([{ name: 'a', data: noise(5000) }], [])
  const upload = (bytes: Uint8Array) =>
    call(`app/blobs/uploads/?digest=${digestOf(bytes)}`, { method: 'POST', body: bytes })
  for (const bytes of [...child.layerBytes, child.configBytes]) assert.equal((await upload(bytes)).status, 201)
  assert.equal((await put(child.manifest.digest, child.manifestBytes)).status, 201)
  const index = encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child.manifest] })
  assert.equal((await put('multi', index, OCI_INDEX)).status, 201)
  const alone = encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
  const { digest } = describe(OCI_INDEX, alone)
  assert.equal((await put(digest, alone, OCI_INDEX)).status, 201)
  assert.deepEqual(await ecr.expireUntagged('app'), [digest])
  assert.equal((await call(`app/manifests/${digest}`)).status, 404)
  assert.equal((await call(`app/manifests/${child.manifest.digest}`)).status, 200)
  assert.equal((await call('other/tags/list')).status, 404)
})

// Registries that are particular (ECR), that lie, or that fail in the middle of a convert.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '@sociable/oci'
import { convert, copyImage, createIndex, inspect, type ProgressEvent } from '../../src/index.js'
import { TestFolder } from '../support/folder.js'
import { doubles, startRegistry } from '../support/registries.js'
import { AMD64, layer, layerBytes, NAMED_APP, SMALL, twoPlatforms } from '../support/samples.js'

const folder = new TestFolder()
const input = () => `oci:${folder.layout(twoPlatforms)}:app`
const otherInput = () =>
  `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'other')], AMD64, NAMED_APP)))}:app`

test('ECR: immutable tags, blobs at another host, rules for untagged images', async (t) => {
  const { startEcr } = await doubles()
  const ecr = await startEcr({ immutable: ['app'] })
  t.after(() => ecr.close())
  const [username, password] = Buffer.from(ecr.authorizationToken(), 'base64').toString().split(':')
  const login = { username, password }
  const options = { ...SMALL, ...login }
  const image = `${ecr.host}/app:1`
  await copyImage(input(), image, login)
  const local = await convert(input(), `oci:${folder.fresh()}:v`, SMALL)
  const result = await convert(image, undefined, options)
  assert.equal(result.digest, local.digest)
  for (const { headers } of ecr.storage.requests) assert.equal(headers.authorization, undefined)
  assert.ok(ecr.storage.requests.length > 0)

  const from = ecr.requests.length
  const stored = ecr.storage.requests.length
  assert.equal((await convert(image, undefined, options)).digest, result.digest)
  const again = ecr.requests.slice(from)
  assert.ok(
    again.every(({ method }) => method === 'GET' || method === 'HEAD'),
    'a tag is not written again',
  )
  assert.equal(ecr.storage.requests.length, stored, 'and no blob is read')

  await assert.rejects(convert(otherInput(), `${image}-soci`, options), { code: 'TAG_IMMUTABLE' })
  assert.equal((await inspect(`${image}-soci`, login)).digest, result.digest)

  await createIndex(image, { ...options, indexTag: 'index' })
  await ecr.expireUntagged('app')
  for (const name of [image, `${image}-soci`]) {
    const { sociEnabled, images } = await inspect(name, login)
    assert.deepEqual([sociEnabled, images.flatMap(({ problems }) => problems)], [true, []], name)
  }
})

test('a registry that lies about a layer, or ends in the middle, leaves the tag as it was', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host, proxy } = registry
  await copyImage(input(), `${host}/app:1`)
  const former = await convert(otherInput(), `${host}/app:1-soci`, SMALL)
  const isLayer = ({ method, path }: { method: string; path: string }) =>
    method === 'GET' && path.endsWith(digestOf(layerBytes('a')))
  proxy.setFault((request) => (isLayer(request) ? { kind: 'wrong-bytes', at: 1500 } : undefined))
  await assert.rejects(convert(`${host}/app:1`, undefined, SMALL), (error: Error & { code?: string }) => {
    assert.match(String(error.code), /DIGEST_MISMATCH|GZIP_CORRUPT/)
    assert.match(error.message, new RegExp(`layer ${digestOf(layerBytes('a'))} of ${host}/app:1`))
    return true
  })
  assert.equal((await inspect(`${host}/app:1-soci`)).digest, former.digest)
  proxy.setFault(({ method, path }) =>
    method === 'PUT' && path.includes('/manifests/') ? { kind: 'answer', status: 403 } : undefined,
  )
  await assert.rejects(convert(`${host}/app:1`, undefined, SMALL), { code: 'DENIED' })
  proxy.setFault(undefined)
  assert.equal((await inspect(`${host}/app:1-soci`)).digest, former.digest)
  const whole = await convert(input(), `oci:${folder.fresh()}:v`, SMALL)
  assert.equal((await convert(`${host}/app:1`, undefined, SMALL)).digest, whole.digest)
})

test('an abort ends a convert at once, whatever the registry does', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host, proxy } = registry
  await copyImage(input(), `${host}/app:1`)
  proxy.setFault(({ method, path }) => (method === 'GET' && path.includes('/blobs/') ? { kind: 'hang' } : undefined))
  const abort = new AbortController()
  const reason = new Error('enough')
  const onProgress = ({ type }: ProgressEvent) => {
    if (type === 'plan') setTimeout(() => abort.abort(reason), 100)
  }
  const started = performance.now()
  await assert.rejects(convert(`${host}/app:1`, undefined, { ...SMALL, signal: abort.signal, onProgress }), reason)
  assert.ok(performance.now() - started < 5000)
  proxy.setFault(undefined)
  await assert.rejects(inspect(`${host}/app:1-soci`), { code: 'NOT_FOUND' })
})

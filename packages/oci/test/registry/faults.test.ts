// What goes wrong between a client and a registry, one fault after another, with the outcome of each.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { OCI_INDEX } from '../../src/document/mediatype.js'
import type { RegistryOptions } from '../../src/registry/client.js'
import type { RegistryStore } from '../../src/registry/registry-store.js'
import { type Fault, tooMany } from '../doubles/fault.js'
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../doubles/fault-proxy.js'
import { startDockerRegistry } from '../doubles/real-registries.js'
import { artifact, collect, describe, noise, pushImage, smallImage } from '../images.js'
import { all, chunked, openRepository } from './open.js'

const image = smallImage([{ name: 'a', data: 'first' }])
/** Of six parts, the last one short. */
const big = noise((5 << 20) + 1000)
const layer = describe('x', big)
/** Parts of 1 MiB, eight at once. */
const SMALL = { memory: 5 << 20 } as const

interface Scene {
  readonly proxy: FaultProxy
  readonly store: RegistryStore
}

/** A registry with an image, behind a proxy. */
async function scene(t: TestContext, options: RegistryOptions = {}): Promise<Scene | undefined> {
  const registry = await startDockerRegistry(t)
  if (registry === undefined) return undefined
  const direct = await openRepository(t, registry.host, 'app')
  await pushImage(direct, image)
  await direct.push(layer, big)
  await direct.tag(image.manifest, 'v1')
  const proxy = await startFaultProxy({ target: registry.url })
  t.after(() => proxy.close())
  return { proxy, store: await openRepository(t, proxy.host, 'app', { ...SMALL, ...options }) }
}

const isLayer = ({ path, method }: SeenRequest) => method === 'GET' && path.endsWith(layer.digest)

/** Faults of a layer's requests that are overcome: name, fault, and how many requests it took. */
const overcome: readonly (readonly [
  string,
  (request: SeenRequest, layerRequest: number) => Fault | undefined,
  number,
])[] = [
  ['nothing goes wrong', () => undefined, 6],
  ['the first answer is cut', (_, n) => (n === 1 ? { kind: 'cut', after: 300_000 } : undefined), 7],
  ['every answer is cut once', (_, n) => (n <= 6 ? { kind: 'cut', after: 700 } : undefined), 12],
  ['the connection breaks before the answer', (_, n) => (n === 3 ? { kind: 'reset', when: 'before' } : undefined), 7],
  ['three times 500', (_, n) => (n >= 2 && n <= 4 ? { kind: 'answer', status: 500 } : undefined), 9],
  ['502 with a page in HTML', (_, n) => (n === 2 ? { kind: 'answer', status: 502, body: '<html>' } : undefined), 7],
  ['429 with Retry-After', (_, n) => (n === 1 ? tooMany(0) : undefined), 7],
  ['an answer that is too short', (_, n) => (n === 4 ? { kind: 'short', after: 5000 } : undefined), 7],
  ['a length that is too long', (_, n) => (n === 4 ? { kind: 'wrong-length', by: 5 } : undefined), 6],
]

for (const [name, fault, requests] of overcome)
  test(`download: ${name}`, async (t) => {
    const made = await scene(t)
    if (made === undefined) return
    const { proxy, store } = made
    await store.exists(layer) // so that the plain HTTP is known
    let count = 0
    proxy.setFault((request) => (isLayer(request) ? fault(request, ++count) : undefined))
    assert.deepEqual(await collect(store.fetch(layer)), big)
    assert.equal(count, requests)
    for (const { headers } of proxy.requests.filter(isLayer)) {
      assert.match(headers.range!, /^bytes=\d+-\d+$/)
      assert.equal(headers['accept-encoding'], 'identity')
    }
  })

test('download: an interrupted range goes on from its byte', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  proxy.setFault((request) =>
    isLayer(request) && request.headers.range === 'bytes=0-1048575' ? { kind: 'cut', after: 1000 } : undefined,
  )
  assert.deepEqual(await collect(store.fetch(layer)), big)
  assert.ok(proxy.requests.some(({ headers }) => headers.range === 'bytes=1000-1048575'))
})

test('download: a registry without ranges is read in one stream', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const without = await openRepository(t, proxy.host, 'app', SMALL)
  // docker-registry behind a proxy that takes the range out of the request.
  proxy.setFault(undefined)
  const stripped = await startFaultProxy({ target: proxy.url })
  t.after(() => stripped.close())
  proxy.setFault((request) => {
    delete request.headers.range
    return undefined
  })
  assert.deepEqual(await collect(without.fetch(layer)), big)
  assert.equal(proxy.requests.filter(isLayer).length, 1)
  assert.deepEqual(await collect(without.fetch(layer, { start: 100, end: 5000 })), big.slice(100, 5000))
  assert.deepEqual(await collect(store.fetch(layer, { start: 3 << 20 })), big.slice(3 << 20))
  // Interrupted, it is read again from its start, and what was given out before is passed over.
  let count = 0
  proxy.setFault((request) => {
    delete request.headers.range
    return isLayer(request) && ++count === 1 ? { kind: 'cut', after: 2_000_000 } : undefined
  })
  assert.deepEqual(await collect(without.fetch(layer)), big)
  assert.equal(count, 2)
})

for (const [name, fault] of [
  ['416', { kind: 'answer', status: 416 }],
  ['206 of other bytes', { kind: 'headers', headers: { 'content-range': 'bytes 7-8/5243880' } }],
  ['206 that does not say which', { kind: 'headers', headers: { 'content-range': undefined } }],
] as const)
  test(`download: ranges answered with ${name}`, async (t) => {
    const made = await scene(t)
    if (made === undefined) return
    const { proxy, store } = made
    proxy.setFault((request) => (isLayer(request) && request.headers.range !== undefined ? fault : undefined))
    assert.deepEqual(await collect(store.fetch(layer)), big)
    assert.equal(proxy.requests.filter(isLayer).length, 2)
  })

test('download: ranges that stop in the middle', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  let count = 0
  proxy.setFault((request) => {
    if (isLayer(request) && ++count > 2) delete request.headers.range
    return undefined
  })
  assert.deepEqual(await collect(store.fetch(layer)), big)
})

/** Faults that end a download, by the code of its error and what its message says. */
const fatal: readonly (readonly [string, Fault, string, RegExp])[] = [
  ['wrong bytes', { kind: 'wrong-bytes', at: 5 }, 'DIGEST_MISMATCH', /has the digest sha256:/],
  ['500 for ever', { kind: 'answer', status: 500 }, 'UNREACHABLE', /GET http:.* answered 500: try again later/],
  ['cut at its start for ever', { kind: 'cut', after: 0 }, 'UNREACHABLE', /^GET http:/],
  ['404', { kind: 'answer', status: 404 }, 'NOT_FOUND', /answered 404.*check the registry, the repository and the tag/],
  ['403', { kind: 'answer', status: 403 }, 'DENIED', /answered 403/],
  ['401 without a way to log in', { kind: 'answer', status: 401 }, 'UNAUTHORIZED', /offers no way to log in/],
  ['a redirect for ever', { kind: 'redirect-loop' }, 'PROTOCOL', /redirected more than 10 times/],
  [
    'a redirect to nowhere',
    { kind: 'answer', status: 307, headers: { location: 'http://[' } },
    'PROTOCOL',
    /redirected to an invalid address/,
  ],
  [
    'a redirect to a file',
    { kind: 'answer', status: 302, headers: { location: 'file:///etc/passwd' } },
    'PROTOCOL',
    /not followed/,
  ],
  ['a pause that is too long', tooMany(3600), 'RATE_LIMITED', /answered 429.*a pause of 3600 seconds/],
  [
    'another size by its range',
    { kind: 'headers', headers: { 'content-range': 'bytes 0-1048575/77' } },
    'SIZE_MISMATCH',
    /GET http.* has 77 bytes, its descriptor says 5243880/,
  ],
]

for (const [name, fault, code, message] of fatal)
  test(`download: ${name}`, async (t) => {
    const made = await scene(t, { retry: { retries: 3 } })
    if (made === undefined) return
    const { proxy, store } = made
    await store.exists(layer)
    let count = 0
    proxy.setFault((request) => (isLayer(request) && ++count > 0 ? fault : undefined))
    await assert.rejects(collect(store.fetch(layer)), (error: Error) => {
      assert.equal((error as { code?: string }).code, code, error.message)
      assert.match(error.message, message)
      return true
    })
    // What is worth it is tried four times in all, the rest once.
    if (name === '500 for ever') assert.equal(count, 4)
    else if (!['wrong-bytes', 'cut', 'redirect-loop'].includes(fault.kind)) assert.equal(count, 1)
  })

test('download: an endless body, and one that is too long', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  proxy.setFault((request) => (request.method === 'GET' ? { kind: 'endless' } : undefined))
  // A blob of one part is asked for whole.
  await assert.rejects(collect(store.fetch(image.layers[0]!)), { code: 'SIZE_MISMATCH' })
  await assert.rejects(collect(store.fetch(image.manifest)), {
    code: 'PROTOCOL',
    message: /more than the limit of 4194304 bytes/,
  })
  await assert.rejects(all(store.tags()), { code: 'PROTOCOL', message: /more than the/ })
})

for (const [name, fault] of [
  ['a stall', { kind: 'stall', after: 1000 }],
  ['a slow drip', { kind: 'drip', bytes: 1, every: 5 }],
  ['no answer', { kind: 'hang' }],
] as const)
  test(`download: ${name} is noticed`, async (t) => {
    const made = await scene(t, { pace: { bytes: 1000, milliseconds: 150 }, answerTimeout: 150 })
    if (made === undefined) return
    const { proxy, store } = made
    await store.exists(layer)
    let count = 0
    proxy.setFault((request) => (isLayer(request) && ++count === 1 ? fault : undefined))
    assert.deepEqual(await collect(store.fetch(layer)), big)
    assert.ok(count > 6)
  })

test('download: a slow reader is not a stall', async (t) => {
  const made = await scene(t, { memory: 1 << 20, pace: { bytes: 1 << 20, milliseconds: 200 } })
  if (made === undefined) return
  const { proxy, store } = made
  const chunks: Uint8Array[] = []
  for await (const chunk of store.fetch(layer)) {
    chunks.push(chunk)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), big)
  assert.equal(proxy.requests.filter(isLayer).length, 6)
})

/** Faults of a small request that all kinds of calls have to overcome. */
for (const [name, fault] of [
  ['500', { kind: 'answer', status: 500 }],
  ['429', tooMany(0)],
  ['503 with Retry-After', tooMany(0, 503)],
  ['a reset before', { kind: 'reset', when: 'before' }],
  ['a reset after', { kind: 'reset', when: 'after' }],
] as const)
  test(`every call overcomes ${name}`, async (t) => {
    const made = await scene(t)
    if (made === undefined) return
    const { proxy, store } = made
    await store.exists(layer)
    proxy.setFault(({ attempt, path }) => (attempt === 1 && !path.includes('_state') ? fault : undefined))
    const other = smallImage([{ name: 'b', data: name }])
    await pushImage(store, other)
    await store.tag(other.manifest, 'v2')
    assert.deepEqual(await store.resolve('v2'), other.manifest)
    assert.deepEqual((await all(store.tags())).sort(), ['v1', 'v2'])
    assert.deepEqual(await all(store.referrers(other.manifest)), [])
    const reader = await openRepository(t, proxy.host, 'app')
    assert.deepEqual(await collect(reader.fetch(other.manifest)), other.manifestBytes)
    assert.deepEqual(await collect(reader.fetch(other.layers[0]!)), other.layerBytes[0])
    await store.delete(other.manifest)
  })

test('upload: the connection breaks in the middle', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const bytes = noise(3 << 20, 'upload')
  const descriptor = describe('x', bytes)
  const upload = ({ method }: SeenRequest) => method === 'PUT'
  let count = 0
  proxy.setFault((request) => (upload(request) && ++count <= 2 ? { kind: 'cut-request', after: 1_000_000 } : undefined))
  await store.push(descriptor, bytes)
  assert.equal(count, 3)
  assert.deepEqual(await collect(store.fetch(descriptor)), bytes)
  // An object that can be read again is; a generator, which cannot, ends the push.
  const again = noise(3 << 20, 'again')
  count = 0
  await store.push(describe('x', again), { [Symbol.asyncIterator]: () => chunked(again, 100_000) })
  assert.equal(count, 3)
  const once = noise(3 << 20, 'once')
  count = 0
  await assert.rejects(store.push(describe('x', once), chunked(once, 100_000)), {
    code: 'UNREACHABLE',
    message: /PUT http.*cannot be read again: start again/,
  })
  assert.equal(count, 1)
})

test('upload: done, and its answer lost', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const bytes = noise(100_000, 'lost')
  let count = 0
  proxy.setFault(({ method }) => (method === 'PUT' && ++count === 1 ? { kind: 'reset', when: 'after' } : undefined))
  await store.push(describe('x', bytes), chunked(bytes, 1000))
  assert.equal(count, 1)
})

test('upload: its place has gone meanwhile', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const bytes = noise(100_000, 'gone')
  const body = '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'
  let count = 0
  proxy.setFault(({ method }) =>
    method === 'PUT' && ++count === 1 ? { kind: 'answer', status: 404, body } : undefined,
  )
  await store.push(describe('x', bytes), bytes)
  assert.deepEqual(await collect(store.fetch(describe('x', bytes))), bytes)
  assert.equal(proxy.requests.filter(({ method }) => method === 'POST').length, 2)
  assert.equal(proxy.requests.filter(({ method }) => method === 'PATCH').length, 0)
})

for (const status of [404, 405, 413, 416])
  test(`upload: in chunks, where a blob in one request is answered ${status}`, async (t) => {
    const made = await scene(t)
    if (made === undefined) return
    const { proxy, store } = made
    const bytes = noise((17 << 20) + 1, 'chunks')
    const descriptor = describe('x', bytes)
    let patches = 0
    proxy.setFault(({ method, headers }) => {
      if (method === 'PUT' && headers['content-length'] !== '0') return { kind: 'answer', status }
      // One chunk never arrives whole, the answer to another is lost.
      if (method === 'PATCH' && ++patches === 2) return { kind: 'cut-request', after: 5_000_000 }
      return patches === 4 && method === 'PATCH' ? { kind: 'reset', when: 'after' } : undefined
    })
    await store.push(descriptor, bytes)
    assert.ok(patches >= 4)
    assert.deepEqual(await collect(store.fetch(descriptor)), bytes)
  })

test('upload: in chunks, where the registry asks for them', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const bytes = noise((9 << 20) + 1, 'asked')
  proxy.setFault(({ method }) =>
    method === 'POST' ? { kind: 'headers', headers: { 'oci-chunk-min-length': '1000' } } : undefined,
  )
  await store.push(describe('x', bytes), chunked(bytes, 99_999))
  const sent = proxy.requests.filter(({ method }) => method === 'PATCH').map(({ headers }) => headers['content-range'])
  assert.deepEqual(sent, [`0-${(8 << 20) - 1}`, `${8 << 20}-${bytes.length - 1}`])
  assert.deepEqual(await collect(store.fetch(describe('x', bytes))), bytes)
  proxy.setFault(({ method }) =>
    method === 'POST' ? { kind: 'headers', headers: { 'oci-chunk-min-length': '999999999999' } } : undefined,
  )
  const more = noise(2000, 'more')
  await assert.rejects(store.push(describe('x', more), more), { code: 'PROTOCOL', message: /asks for chunks of/ })
})

test('upload: a registry that stores something else', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const other = smallImage([{ name: 'b', data: 'other' }])
  const lie = { 'docker-content-digest': image.manifest.digest }
  proxy.setFault(({ method }) => (method === 'PUT' ? { kind: 'headers', headers: lie } : undefined))
  await assert.rejects(store.push(other.layers[0]!, other.layerBytes[0]!), {
    code: 'DIGEST_MISMATCH',
    message: /has stored/,
  })
  await assert.rejects(store.push(other.manifest, other.manifestBytes), { name: 'StoreError' })
})

for (const [name, location] of [
  ['nowhere', undefined],
  ['what is not an address', 'http://['],
  ['a file', 'file:///tmp/x'],
] as const)
  test(`upload: it should go on at ${name}`, async (t) => {
    const made = await scene(t)
    if (made === undefined) return
    const { proxy, store } = made
    const bytes = noise(100, 'location')
    proxy.setFault(({ method }) => (method === 'POST' ? { kind: 'headers', headers: { location } } : undefined))
    await assert.rejects(store.push(describe('x', bytes), bytes), { code: 'PROTOCOL', message: /POST http/ })
  })

test('upload: what goes on elsewhere gets no login', async (t) => {
  const registry = await startDockerRegistry(t)
  if (registry === undefined) return
  const elsewhere = await startFaultProxy({ target: registry.url })
  const front = await startFaultProxy({
    target: registry.url,
    fault: ({ method, headers }) => {
      if (headers.authorization === undefined)
        return { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
      if (method === 'POST') headers.host = elsewhere.host // of the address that the registry gives
      return undefined
    },
  })
  t.after(() => Promise.all([elsewhere.close(), front.close()]))
  const credentials = async () => ({ kind: 'password', username: 'u', password: 'p', source: 'the test' }) as const
  const store = await openRepository(t, front.host, 'app', { credentials })
  await pushImage(store, image)
  assert.equal(elsewhere.requests.filter(({ method }) => method === 'PUT').length, 2)
  for (const { headers } of elsewhere.requests) assert.equal(headers.authorization, undefined)
})

test('referrers: the fallback tag is written under a condition, and again where another was quicker', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  await store.push(describe('application/vnd.test.config', Buffer.from('{}')), Buffer.from('{}'))
  const artifacts = ['1', '2', '3'].map((n) => artifact(image.manifest, new Map([['n', n]])))
  for (const { descriptor, bytes } of artifacts) await store.push(descriptor, bytes)
  await store.attach(artifacts[0]!.descriptor)
  const puts = () => proxy.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/sha256-'))
  assert.equal(puts().at(-1)!.headers['if-match'], undefined)
  let count = 0
  proxy.setFault(({ method }) => (method === 'PUT' && ++count === 1 ? { kind: 'answer', status: 412 } : undefined))
  await store.attach(artifacts[1]!.descriptor)
  assert.equal(count, 2)
  assert.match(puts().at(-1)!.headers['if-match']!, /^"sha256:[0-9a-f]{64}"$/)
  assert.equal((await all(store.referrers(image.manifest))).length, 2)
  // One that is replaced again and again gives up, and says so.
  proxy.setFault(({ method }) => (method === 'PUT' ? { kind: 'answer', status: 412 } : undefined))
  await assert.rejects(store.attach(artifacts[2]!.descriptor), {
    code: 'PROTOCOL',
    message: /replaced by others 12 times/,
  })
})

test('referrers: lists that lie', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy } = made
  const referrers = async (artifactType?: string) =>
    all((await openRepository(t, proxy.host, 'app')).referrers(image.manifest, { artifactType }))
  const list = (body: string, headers: Record<string, string> = {}) =>
    proxy.setFault(({ path }) =>
      path.includes('/referrers/')
        ? { kind: 'answer', status: 200, headers: { 'content-type': OCI_INDEX, ...headers }, body }
        : undefined,
    )
  for (const body of ['<html>', '[]', '{"manifests":7}', '{"manifests":[{"size":"x"}]}']) {
    list(body)
    assert.deepEqual(await referrers(), [], body)
  }
  list('{"manifests":[{"mediaType":"x","digest":"../../x","size":1}]}')
  assert.deepEqual(await referrers(), [])
  // Each once, of the type asked for, though the registry filters nothing.
  const entry = (digest: string, artifactType: string) => ({ mediaType: 'x', digest, size: 1, artifactType })
  const entries = [entry(layer.digest, 'a/b'), entry(layer.digest, 'a/b'), entry(image.config.digest, 'c/d')]
  list(JSON.stringify({ manifests: entries }))
  assert.deepEqual(await referrers('a/b'), [entries[0]])
  list('{"manifests":[]}', { link: `</v2/app/referrers/${image.manifest.digest}>; rel="next"` })
  assert.deepEqual(await referrers(), [])
  // A page in HTML for everything is not a referrers API.
  list('<html>', { 'content-type': 'text/html' })
  assert.deepEqual(await referrers(), [])
})

test('nothing listens there', async (t) => {
  const server = await startFaultProxy({ target: 'http://127.0.0.1:1' })
  await server.close()
  const store = await openRepository(t, server.host, 'app')
  await assert.rejects(store.resolve('v1'), {
    code: 'UNREACHABLE',
    message: /nothing listens at 127.*is the registry running/,
  })
})

test('manifests: lies are noticed', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy } = made
  const fresh = () => openRepository(t, proxy.host, 'app')
  const lie = (headers: Record<string, string | undefined>) =>
    proxy.setFault(({ path }) => (path.includes('/manifests/') ? { kind: 'headers', headers } : undefined))
  lie({ 'docker-content-digest': layer.digest })
  await assert.rejects((await fresh()).resolve(image.manifest.digest), { code: 'DIGEST_MISMATCH' })
  // By a tag it is believed, and what it names is then not there.
  await assert.rejects(collect((await fresh()).fetch(await (await fresh()).resolve('v1'))), { name: 'StoreError' })
  lie({ 'docker-content-digest': undefined })
  assert.deepEqual(await (await fresh()).resolve('v1'), image.manifest) // it is read, and hashed
  lie({ 'content-type': 'text/html' })
  assert.deepEqual(await (await fresh()).resolve('v1'), image.manifest) // its own word
  lie({ 'content-length': String(5 << 20) })
  await assert.rejects((await fresh()).resolve('v1'), { code: 'PROTOCOL', message: /more than the limit of 4 MiB/ })
  proxy.setFault(({ path, method }) =>
    path.includes('/manifests/') && method === 'GET' ? { kind: 'wrong-bytes', at: 3 } : undefined,
  )
  await assert.rejects(collect((await fresh()).fetch(image.manifest)), { code: 'DIGEST_MISMATCH' })
  await assert.rejects(collect((await fresh()).fetch({ ...image.manifest, size: 5 << 20 })), { code: 'PROTOCOL' })
  proxy.setFault(({ method }) => (method === 'HEAD' ? { kind: 'answer', status: 405 } : undefined))
  assert.deepEqual(await (await fresh()).resolve('v1'), image.manifest)
})

test('tags: a listing without an end', async (t) => {
  const made = await scene(t)
  if (made === undefined) return
  const { proxy, store } = made
  const page = (link: string): Fault => ({ kind: 'answer', status: 200, headers: { link }, body: '{"tags":["a","b"]}' })
  const next = '</v2/app/tags/list?n=1000&last=b>; rel="next"'
  proxy.setFault(() => page(next))
  await assert.rejects(all(store.tags()), { code: 'PROTOCOL', message: /the listing has no end: 2 pages were read/ })
  let count = 0
  proxy.setFault(() => page(`<?last=${++count}>; rel=next`))
  await assert.rejects(all(store.tags()), { code: 'PROTOCOL', message: /1000 pages were read/ })
  assert.equal(count, 1000)
  proxy.setFault(() => page('<http://other.test/v2/app/tags/list>; rel="next"'))
  await assert.rejects(all(store.tags()), { code: 'PROTOCOL', message: /not in this registry/ })
  // In pages that do end, each tag is given once.
  proxy.setFault(({ path }) => (path.includes('last=') ? undefined : page(next)))
  assert.deepEqual((await all(store.tags())).sort(), ['a', 'b', 'v1'].sort())
  for (const body of ['[', '{"tags":7}', '{"tags":[1]}', '']) {
    proxy.setFault(() => ({ kind: 'answer', status: 200, body }))
    await assert.rejects(all(store.tags()), { code: 'PROTOCOL', message: /did not return a list of tags/ }, body)
  }
  for (const body of ['{"tags":null}', '{}']) {
    proxy.setFault(() => ({ kind: 'answer', status: 200, body }))
    assert.deepEqual(await all(store.tags()), [])
  }
})

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestOf } from '../../src/document/digest.js'
import { encodeIndex, encodeManifest, type Index } from '../../src/document/manifest.js'
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST } from '../../src/document/mediatype.js'
import { createMemoryStore } from '../../src/memory.js'
import { openStore } from '../../src/open.js'
import { layoutRepositories } from '../../src/server/layout-repositories.js'
import { memoryRepositories, type ServedStore } from '../../src/server/repositories.js'
import { artifact, describe, encodeJson, noise, pushImage, smallImage } from '../images.js'
import { temporaryFolder } from '../tools.js'
import { startRegistry } from './client.js'

const image = smallImage([{ name: 'a', data: noise(3000) }])

test('version, and paths that are none', async (t) => {
  const { call, refused } = await startRegistry(t)
  for (const path of ['/v2/', '/v2']) {
    const response = await call(path)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('docker-distribution-api-version'), 'registry/2.0')
  }
  assert.equal(await refused(404, '/'), 'NAME_UNKNOWN')
  assert.equal(await refused(404, '/v2/app'), 'NAME_UNKNOWN')
  assert.equal(await refused(404, '/v2/%zz/tags/list'), 'NAME_UNKNOWN')
  assert.equal(await refused(400, '/v2/App/tags/list'), 'NAME_INVALID')
  assert.equal(await refused(400, '/v2/a%2f..%2fb/tags/list'), 'NAME_INVALID')
  assert.equal(await refused(400, `/v2/${'a/'.repeat(200)}b/tags/list`), 'NAME_INVALID')
  assert.equal(await refused(404, 'app/tags/list'), 'NAME_UNKNOWN')
  assert.equal(await refused(400, 'app/blobs/sha256:abc'), 'DIGEST_INVALID')
  const response = await call('app/tags/list', { method: 'POST' })
  assert.equal(response.status, 405)
  assert.equal(response.headers.get('allow'), 'GET, HEAD')
})

test('blobs: ranges, HEAD, deletion', async (t) => {
  const { call, refused, pushBlob } = await startRegistry(t)
  const blob = noise(3_000_000)
  const digest = await pushBlob('app', blob)
  const path = `app/blobs/${digest}`
  const get = async (range: string, more: Record<string, string> = {}) => {
    const response = await call(path, { headers: { range, ...more } })
    return [
      response.status,
      response.headers.get('content-range'),
      new Uint8Array(await response.arrayBuffer()),
    ] as const
  }
  for (const [range, start, end] of [
    ['bytes=0-0', 0, 1],
    ['bytes=5-1048580', 5, 1_048_581],
    ['bytes=2999999-', 2_999_999, 3_000_000],
    ['bytes=10-99999999', 10, 3_000_000],
    ['bytes=-7', 2_999_993, 3_000_000],
  ] as const)
    assert.deepEqual(await get(range), [206, `bytes ${start}-${end - 1}/3000000`, blob.slice(start, end)], range)
  for (const range of ['bytes=0-1,5-6', 'bytes=-', 'items=0-1', 'bytes=a-b'])
    assert.deepEqual(await get(range), [200, null, blob], range)
  assert.deepEqual((await get('bytes=0-0', { 'if-range': '"other"' }))[0], 200)
  assert.deepEqual((await get('bytes=0-0', { 'if-range': `"${digest}"` }))[0], 206)
  for (const range of ['bytes=3000000-', 'bytes=9-5', 'bytes=-0']) {
    const response = await call(path, { headers: { range } })
    assert.equal(response.status, 416)
    assert.equal(response.headers.get('content-range'), 'bytes */3000000')
  }
  const head = await call(path, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), '3000000')
  assert.equal((await call(path, { method: 'DELETE' })).status, 202)
  assert.equal(await refused(404, path), 'BLOB_UNKNOWN')
  assert.equal(await refused(404, path, { method: 'DELETE' }), 'BLOB_UNKNOWN')
})

test('manifests: by tag and digest, of all types, moved and deleted', async (t) => {
  const { call, refused, pushImage, putManifest } = await startRegistry(t)
  await pushImage('app', 'v1', image)
  const docker = encodeManifest({
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: image.config,
    layers: image.layers,
  })
  const index: Index = { schemaVersion: 2, manifests: [image.manifest] }
  for (const [tag, bytes, type] of [
    ['v1', image.manifestBytes, OCI_MANIFEST],
    ['docker', docker, DOCKER_MANIFEST],
    ['list', encodeIndex({ ...index, mediaType: DOCKER_MANIFEST_LIST }), DOCKER_MANIFEST_LIST],
    ['index', encodeIndex(index), OCI_INDEX], // without a media type of its own
  ] as const) {
    const digest = digestOf(bytes)
    const put = await putManifest('app', tag, bytes, type)
    assert.equal(put.status, 201)
    assert.equal(put.headers.get('location'), `/v2/app/manifests/${digest}`)
    assert.equal(put.headers.get('docker-content-digest'), digest)
    for (const reference of [tag, digest]) {
      const got = await call(`app/manifests/${reference}`)
      assert.equal(got.headers.get('content-type'), type)
      assert.equal(got.headers.get('docker-content-digest'), digest)
      assert.deepEqual(new Uint8Array(await got.arrayBuffer()), bytes)
      const head = await call(`app/manifests/${reference}`, { method: 'HEAD' })
      assert.equal(head.headers.get('content-length'), String(bytes.length))
    }
  }
  assert.equal((await putManifest('app', 'v1', docker, DOCKER_MANIFEST)).status, 201)
  assert.equal((await call('app/manifests/v1')).headers.get('docker-content-digest'), digestOf(docker))
  assert.equal((await call('app/manifests/v1', { method: 'DELETE' })).status, 202)
  assert.equal(await refused(404, 'app/manifests/v1'), 'MANIFEST_UNKNOWN')
  assert.equal((await call('app/manifests/docker')).status, 200)
  assert.equal((await call(`app/manifests/${digestOf(docker)}`, { method: 'DELETE' })).status, 202)
  assert.equal(await refused(404, 'app/manifests/docker'), 'MANIFEST_UNKNOWN')
  assert.equal(await refused(404, 'app/manifests/docker', { method: 'DELETE' }), 'MANIFEST_UNKNOWN')
})

test('manifests: what is refused', async (t) => {
  const { refused, pushImage } = await startRegistry(t)
  await pushImage('app', 'v1', image)
  const put = (reference: string, body: Uint8Array | string, type = OCI_MANIFEST, status = 400) =>
    refused(status, `app/manifests/${reference}`, { method: 'PUT', body, headers: { 'content-type': type } })
  assert.equal(await put('v2', 'no JSON'), 'MANIFEST_INVALID')
  assert.equal(await put('v2', '{"config":[]}'), 'MANIFEST_INVALID')
  assert.equal(await put('v2', image.manifestBytes, OCI_INDEX), 'MANIFEST_INVALID')
  assert.equal(await put('v2', image.manifestBytes, 'text/plain'), 'MANIFEST_INVALID')
  assert.equal(await put(digestOf(noise(1)), image.manifestBytes), 'DIGEST_INVALID')
  assert.equal(await put('sha256:0', image.manifestBytes), 'DIGEST_INVALID')
  assert.equal(await put('-x', image.manifestBytes), 'MANIFEST_INVALID')
  const both = encodeJson({ schemaVersion: 2, config: image.config, layers: [], manifests: [] })
  assert.equal(await put('v2', both), 'MANIFEST_INVALID')
  const missing = describe('x', noise(10))
  const lacking = encodeManifest({ schemaVersion: 2, config: image.config, layers: [missing] })
  assert.equal(await put('v2', lacking), 'MANIFEST_BLOB_UNKNOWN')
  const wrongSize = encodeManifest({ schemaVersion: 2, config: { ...image.config, size: 1 }, layers: [] })
  assert.equal(await put('v2', wrongSize), 'MANIFEST_BLOB_UNKNOWN')
  const childless = encodeIndex({ schemaVersion: 2, manifests: [{ ...missing, mediaType: OCI_MANIFEST }] })
  assert.equal(await put('v2', childless, OCI_INDEX), 'MANIFEST_BLOB_UNKNOWN')
  assert.equal(await put('v2', new Uint8Array((4 << 20) + 1).fill(32), OCI_MANIFEST, 413), 'SIZE_INVALID')
  // A layer and a config have digests, but are not manifests.
  for (const { digest } of [image.layers[0]!, image.config])
    assert.equal(await refused(404, `app/manifests/${digest}`), 'MANIFEST_UNKNOWN')
})

test('tags and repositories come in pages, in order', async (t) => {
  const { call, pushImage, url, refused } = await startRegistry(t, { pageSize: 5 })
  const tags = ['b', 'A', 'c', 'a', 'v10', 'v9', 'B2']
  for (const tag of tags) await pushImage('app', tag, image)
  const pages: string[][] = []
  let next: string | undefined = 'app/tags/list?n=3'
  while (next !== undefined) {
    const response = await call(next)
    const { name, tags } = (await response.json()) as { name: string; tags: string[] }
    assert.equal(name, 'app')
    pages.push(tags)
    const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    next = link && new URL(link, url).href
  }
  assert.deepEqual(pages, [['A', 'a', 'b'], ['B2', 'c', 'v10'], ['v9']])
  const listed = async (query: string) =>
    ((await (await call(`app/tags/list?${query}`)).json()) as { tags: string[] }).tags
  assert.deepEqual(await listed('n=0'), [])
  assert.deepEqual(await listed(''), ['A', 'a', 'b', 'B2', 'c'])
  assert.deepEqual(await listed('n=100&last=bb'), ['c', 'v10', 'v9'])
  assert.equal(await refused(400, 'app/tags/list?n=x'), 'UNSUPPORTED')
  for (const name of ['z/y', 'base']) await pushImage(name, 'v1', image)
  const catalog = await call('_catalog?n=2')
  assert.deepEqual(await catalog.json(), { repositories: ['app', 'base'] })
  assert.equal(catalog.headers.get('link'), '</v2/_catalog?n=2&last=base>; rel="next"')
})

test('referrers: of manifests and indexes, in pages, by type, before their subject and after', async (t) => {
  const { call, pushImage, pushBlob, putManifest, url } = await startRegistry(t, { pageSize: 2 })
  await pushBlob('app', Buffer.from('{}'))
  const first = artifact(image.manifest, new Map([['k', 'v']]))
  const put = await putManifest('app', first.descriptor.digest, first.bytes)
  assert.equal(put.headers.get('oci-subject'), image.manifest.digest)
  await pushImage('app', 'v1', image)
  const second = artifact(image.manifest, new Map([['k', 'w']]))
  assert.equal((await putManifest('app', 'tagged', second.bytes)).status, 201)
  const index = encodeIndex({ schemaVersion: 2, artifactType: 'a/b', manifests: [], subject: image.manifest })
  await putManifest('app', digestOf(index), index, OCI_INDEX)
  const bare = encodeIndex({ schemaVersion: 2, manifests: [], subject: image.manifest })
  await putManifest('app', digestOf(bare), bare, OCI_INDEX)
  await putManifest('app', digestOf(bare), bare, OCI_INDEX) // again
  const path = `app/referrers/${image.manifest.digest}`
  const found: Record<string, unknown>[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const response = await call(next)
    assert.equal(response.headers.get('content-type'), OCI_INDEX)
    const { manifests, mediaType } = (await response.json()) as {
      manifests: Record<string, unknown>[]
      mediaType: string
    }
    assert.equal(mediaType, OCI_INDEX)
    assert.ok(manifests.length <= 2)
    found.push(...manifests)
    const link = /^<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1]
    next = link && new URL(link, url).href
  }
  const { digest, size } = first.descriptor
  assert.deepEqual(found[0], {
    mediaType: OCI_MANIFEST,
    digest,
    size,
    annotations: { k: 'v' },
    artifactType: 'application/vnd.test.config',
  })
  assert.deepEqual(
    found.map(({ digest, artifactType }) => [digest, artifactType]),
    [
      [digest, 'application/vnd.test.config'],
      [second.descriptor.digest, 'application/vnd.test.config'],
      [digestOf(index), 'a/b'],
      [digestOf(bare), undefined],
    ],
  )
  const filtered = await call(`${path}?artifactType=${encodeURIComponent('a/b')}`)
  assert.equal(filtered.headers.get('oci-filters-applied'), 'artifactType')
  assert.equal(((await filtered.json()) as { manifests: unknown[] }).manifests.length, 1)
  await call(`app/manifests/${digestOf(index)}`, { method: 'DELETE' })
  const less = (await (await call(`${path}?artifactType=a/b`)).json()) as { manifests: unknown[] }
  assert.deepEqual(less.manifests, [])
  assert.equal((await call(`nowhere/referrers/${image.manifest.digest}`)).status, 200)
})

test('a read-only registry, a web page, and a store that fails', async (t) => {
  const store = createMemoryStore()
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  const failing: ServedStore = createMemoryStore()
  failing.resolve = () => Promise.reject(new Error('secret of the server'))
  const repositories = () =>
    memoryRepositories(
      new Map<string, ServedStore>([
        ['app', store],
        ['failing', failing],
      ]),
    )
  const readOnly = await startRegistry(t, { repositories: repositories(), readOnly: true })
  assert.equal((await readOnly.call('app/manifests/v1')).status, 200)
  for (const [method, path] of [
    ['POST', 'app/blobs/uploads/'],
    ['PUT', 'app/manifests/v1'],
    ['DELETE', 'app/manifests/v1'],
    ['DELETE', `app/blobs/${image.config.digest}`],
  ] as const)
    assert.equal(await readOnly.refused(405, path, { method }), 'UNSUPPORTED')
  const errors: unknown[] = []
  const open = await startRegistry(t, { repositories: repositories(), onError: (error) => errors.push(error) })
  const headers = { origin: 'http://example.com' }
  assert.equal(await open.refused(403, 'app/blobs/uploads/', { method: 'POST', headers }), 'DENIED')
  const failed = await open.call('failing/manifests/v1')
  assert.equal(failed.status, 500)
  assert.doesNotMatch(await failed.text(), /secret/)
  assert.equal((errors[0] as Error).message, 'secret of the server')
})

test('a store that fails in the middle of a blob breaks the connection', async (t) => {
  const store = createMemoryStore()
  const blob = noise(3_000_000)
  await store.push(describe('x', blob), blob)
  const { fetch: whole } = store
  store.fetch = async function* (...args) {
    let chunks = 0
    for await (const chunk of whole.apply(store, args))
      if (chunks++ === 1) throw new Error('the disk is gone')
      else yield chunk
  }
  const errors: unknown[] = []
  const repositories = memoryRepositories(new Map([['app', store]]))
  const { call } = await startRegistry(t, { repositories, onError: (error) => errors.push(error) })
  const response = await call(`app/blobs/${digestOf(blob)}`)
  assert.equal(response.status, 200)
  await assert.rejects(response.arrayBuffer())
  assert.equal((errors[0] as Error).message, 'the disk is gone')
})

test('a client that goes, or sends rubbish, harms nobody', async (t) => {
  const { call, pushBlob, host } = await startRegistry(t)
  const digest = await pushBlob('app', noise(20 << 20))
  for (let i = 0; i < 5; i++) {
    const gone = new AbortController()
    const response = await call(`app/blobs/${digest}`, { signal: gone.signal })
    await response.body!.getReader().read()
    gone.abort()
  }
  const [hostname, port] = host.split(':')
  for (const text of [
    'rubbish\r\n\r\n',
    'GET /v2/ HTTP/1.1\r\nA: \0\r\n\r\n',
    'PUT /v2/a/manifests/b HTTP/1.1\r\n\r\n',
  ])
    await new Promise<void>((resolve) => {
      const socket = connect({ host: hostname!, port: Number(port) }, () => socket.end(text))
      socket.resume().once('close', () => resolve())
    })
  assert.equal((await call('/v2/')).status, 200)
})

test('layouts on disk: one, several, and names that cannot be', async (t) => {
  const folder = temporaryFolder(t)
  const make = async (path: string, tag: string | undefined) => {
    const store = await openStore({ transport: 'oci', path: join(folder, path) }, { mode: 'write' })
    await pushImage(store, image)
    await store.tag(image.manifest, tag)
    await store.close()
  }
  await make('app', 'v1')
  await make('team/base', undefined)
  mkdirSync(join(folder, 'docs'))
  writeFileSync(join(folder, 'docs', 'readme'), '')
  mkdirSync(join(folder, '.hidden'))
  const repositories = await layoutRepositories(folder, { write: true })
  const { call, refused, pushImage: push } = await startRegistry(t, { repositories })
  assert.deepEqual(await (await call('_catalog')).json(), { repositories: ['app', 'team/base'] })
  // One without a name is found as latest.
  assert.deepEqual(await (await call('team/base/tags/list')).json(), { name: 'team/base', tags: ['latest'] })
  assert.equal((await call('team/base/manifests/latest')).headers.get('docker-content-digest'), image.manifest.digest)
  assert.equal(await refused(404, 'app/manifests/latest'), 'MANIFEST_UNKNOWN')
  assert.equal(await refused(404, 'team/tags/list'), 'NAME_UNKNOWN')
  assert.equal(await refused(404, 'app/blobs/tags/list'), 'NAME_UNKNOWN')
  const post = { method: 'POST', body: image.configBytes }
  const upload = `blobs/uploads/?digest=${image.config.digest}`
  for (const name of ['app/blobs', 'docs', 'team'])
    assert.equal(await refused(403, `${name}/${upload}`, post), 'DENIED')
  await push('new/one', 'v1', image)
  await make('later', 'v1') // by another program
  const { repositories: names } = (await (await call('_catalog')).json()) as { repositories: string[] }
  assert.deepEqual(names, ['app', 'later', 'new/one', 'team/base'])
  const mount = await call(`new/one/blobs/uploads/?mount=${image.layers[0]!.digest}&from=app`, { method: 'POST' })
  assert.equal(mount.status, 201)
  const single = await layoutRepositories(join(folder, 'app'), { write: false })
  for await (const name of single.names()) assert.equal(name, 'app')
  assert.equal(await single.open('other'), undefined)
  await assert.rejects(single.open('other', { create: true }), { code: 'DENIED' })
  await assert.rejects(layoutRepositories(join(folder, 'none')), { code: 'NOT_FOUND' })
  await assert.rejects(layoutRepositories(join(folder, 'docs', 'readme')), { code: 'NOT_FOUND' })
})

test('layouts on disk: a mounted blob is linked, not copied', async (t) => {
  const folder = temporaryFolder(t)
  const repositories = await layoutRepositories(folder, { write: true })
  const { call, pushBlob } = await startRegistry(t, { repositories })
  const digest = await pushBlob('a', noise(1000))
  await call(`b/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' })
  const path = (name: string) => join(folder, name, 'blobs', 'sha256', digest.slice(7))
  assert.equal(statSync(path('a')).ino, statSync(path('b')).ino)
  await call(`a/blobs/${digest}`, { method: 'DELETE' })
  assert.equal((await call(`b/blobs/${digest}`)).status, 200)
  assert.deepEqual(readdirSync(join(folder, 'b', 'blobs', 'sha256')), [digest.slice(7)])
})

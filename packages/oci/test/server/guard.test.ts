// What a registry on somebody's machine does not do: answer web pages, follow links, call anything a page, or keep what nobody reads.
import assert from 'node:assert/strict'
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore } from '../../src/open.js'
import { layoutRepositories } from '../../src/server/layout-repositories.js'
import { encodeJson, noise, pushImage, smallImage } from '../images.js'
import { temporaryFolder } from '../tools.js'
import { startRegistry } from './client.js'

const image = smallImage([{ name: 'a', data: noise(3000) }])

function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
}

test('names that lead here by DNS rebinding, and web pages, are refused', async (t) => {
  const { url } = await startRegistry(t, { allowedHosts: ['registry.test:5000'] })
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:5000',
    'localhost:1',
    'LOCALHOST.',
    'app.localhost',
    '[::1]:80',
    '127.9.9.9',
    'registry.test',
  ])
    assert.equal(await statusOf(`${url}/v2/`, { host }), 200, host)
  for (const host of [
    'evil.test',
    'evil.test:5000',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '10.0.0.1',
    'a@localhost',
    '127.0.0.1@evil.test',
    '[::2]',
    '0.0.0.0',
  ])
    assert.equal(await statusOf(`${url}/v2/`, { host }), 403, host)
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1'])
    assert.equal(await statusOf(`${url}/v2/`, { origin }), 200, origin)
  for (const origin of [
    'http://evil.test',
    'null',
    'https://localhost.evil.test',
    'file://',
    'http://localhost@evil.test',
  ])
    assert.equal(await statusOf(`${url}/v2/`, { origin }), 403, origin)
})

test('a blob that is a link, or below one, is absent, and a push replaces the link', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openStore(`oci:${join(folder, 'app')}`, { mode: 'write' })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  await store.close()
  const blob = join(folder, 'app', 'blobs', 'sha256', image.config.digest.slice(7))
  renameSync(blob, join(folder, 'private'))
  symlinkSync(join(folder, 'private'), blob)
  const { refused, call, pushBlob } = await startRegistry(t, {
    repositories: await layoutRepositories(folder, { write: true }),
  })
  assert.equal(await refused(404, `app/blobs/${image.config.digest}`), 'BLOB_UNKNOWN')
  assert.equal(await refused(404, `app/manifests/${image.config.digest}`), 'MANIFEST_UNKNOWN')
  await pushBlob('app', image.configBytes)
  assert.equal((await call(`app/blobs/${image.config.digest}`)).status, 200)
  renameSync(join(folder, 'app', 'blobs'), join(folder, 'elsewhere'))
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'app', 'blobs'))
  assert.equal(await refused(404, 'app/manifests/v1'), 'MANIFEST_UNKNOWN')
})

test('only types of images are answered as such', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openStore(`oci:${join(folder, 'app')}`, { mode: 'write' })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  await store.close()
  const { digest, size } = image.manifest
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' }
  const manifests = [{ mediaType: 'text/html', digest, size, annotations }]
  writeFileSync(join(folder, 'app', 'index.json'), encodeJson({ schemaVersion: 2, manifests }))
  const { call } = await startRegistry(t, { repositories: await layoutRepositories(folder) })
  const response = await call('app/manifests/v1')
  assert.equal(response.headers.get('content-type'), 'application/octet-stream')
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
})

test('what is pushed by digest is there after the end', async (t) => {
  const folder = temporaryFolder(t)
  const {
    pushImage: push,
    call,
    close,
  } = await startRegistry(t, { repositories: await layoutRepositories(folder, { write: true }) })
  await push('new', image.manifest.digest, image)
  assert.equal((await call(`new/manifests/${image.manifest.digest}`)).status, 200)
  await close()
  const again = await startRegistry(t, { repositories: await layoutRepositories(folder) })
  assert.equal((await again.call(`new/manifests/${image.manifest.digest}`)).status, 200)
  assert.equal((await again.call(`new/blobs/${image.layers[0]!.digest}`)).status, 200)
})

test('uploads that were begun and left give way to new ones', async (t) => {
  const { call, pushImage: push } = await startRegistry(t, { uploadLimit: 10 })
  for (let i = 0; i < 30; i++) assert.equal((await call('app/blobs/uploads/', { method: 'POST' })).status, 202)
  await push('app', 'v1', image)
  assert.equal((await call('app/manifests/v1')).status, 200)
})

test('requests that are sent ahead are answered one after the other, in order', async (t) => {
  const { host, pushImage: push } = await startRegistry(t)
  await push('app', 'v1', image)
  const socket = connect(Number(host.split(':')[1]), '127.0.0.1')
  const one = `HEAD /v2/app/manifests/v1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  socket.write(`${one.repeat(50)}GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += chunk
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 51)
  assert.ok(text.endsWith('{}'))
})

test('a port that is taken', async (t) => {
  const { host } = await startRegistry(t)
  await assert.rejects(startRegistry(t, { port: Number(host.split(':')[1]) }), { code: 'DENIED', message: /is in use/ })
})

test('manifests on their way are bounded in all, and what is given up makes room', async (t) => {
  const { host, url, putManifest, pushImage: push } = await startRegistry(t)
  await push('app', 'v1', image)
  const size = 4 << 20
  const head = `PUT /v2/app/manifests/v2 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\n\r\n`
  const sockets = Array.from({ length: 16 }, () => connect(Number(host.split(':')[1]), '127.0.0.1'))
  for (const socket of sockets) socket.on('error', () => {}).write(head)
  for (const socket of sockets) await new Promise((resolve) => socket.write(Buffer.alloc(1000), resolve))
  const status = async () => (await putManifest('app', 'v2', image.manifestBytes)).status
  for (let tries = 0; (await status()) !== 429; tries++) assert.ok(tries < 500, `no bound at ${url}`)
  for (const socket of sockets) socket.destroy()
  for (let tries = 0; (await status()) !== 201; tries++) assert.ok(tries < 500, `no room at ${url}`)
})

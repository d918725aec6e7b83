import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { digestOf } from '../../src/document/digest.js'
import { layoutRepositories } from '../../src/server/layout-repositories.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { noise } from '../images.js'
import { temporaryFolder } from '../tools.js'
import { type Client, startRegistry } from './client.js'

const blob = noise(100_000)
const digest = digestOf(blob)

async function begin(client: Client, query = ''): Promise<string> {
  const response = await client.call(`app/blobs/uploads/${query}`, { method: 'POST' })
  assert.equal(response.status, 202)
  assert.equal(response.headers.get('range'), '0-0')
  return response.headers.get('location')!
}

async function pulled(client: Client, name: string, what = digest): Promise<Uint8Array> {
  const response = await client.call(`${name}/blobs/${what}`)
  assert.equal(response.status, 200)
  return new Uint8Array(await response.arrayBuffer())
}

const kinds = [
  ['memory', async () => memoryRepositories()],
  ['disk', (t: TestContext) => layoutRepositories(temporaryFolder(t), { write: true })],
] as const

for (const [kind, make] of kinds) {
  const check = (name: string, run: (client: Client, t: TestContext) => Promise<void>) =>
    test(`uploads, ${kind}: ${name}`, async (t) => run(await startRegistry(t, { repositories: await make(t) }), t))

  check('whole by POST, whole by PUT', async (client) => {
    await client.pushBlob('app', blob)
    assert.deepEqual(await pulled(client, 'app'), blob)
    const put = await client.call(`${await begin(client)}?digest=${digest}`, { method: 'PUT', body: blob })
    assert.equal(put.status, 201)
    assert.equal(put.headers.get('location'), `/v2/app/blobs/${digest}`)
    assert.equal(put.headers.get('docker-content-digest'), digest)
    const empty = await client.pushBlob('app', new Uint8Array(0))
    assert.equal((await pulled(client, 'app', empty)).length, 0)
  })

  for (const size of [1, 7, 999, 100_000])
    check(`in chunks of ${size}`, async (client) => {
      const bytes = blob.subarray(0, size === 1 ? 300 : size === 7 ? 2000 : undefined)
      const place = await begin(client)
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = bytes.subarray(at, at + size)
        const range = `${at}-${at + chunk.length - 1}`
        const response = await client.call(place, {
          method: 'PATCH',
          body: chunk,
          headers: { 'content-range': range },
        })
        assert.equal(response.status, 202)
        assert.equal(response.headers.get('range'), `0-${at + chunk.length - 1}`)
      }
      const name = digestOf(bytes)
      assert.equal((await client.call(`${place}?digest=${name}`, { method: 'PUT' })).status, 201)
      assert.deepEqual(await pulled(client, 'app', name), bytes.slice())
    })

  check('a stream without a length, byte by byte', async (client) => {
    const bytes = blob.subarray(0, 500)
    const place = await begin(client)
    await new Promise<void>((resolve, reject) => {
      const patch = request(new URL(place, client.url), { method: 'PATCH' }, (response) => {
        response.resume()
        response.once('end', resolve)
      })
      patch.once('error', reject)
      for (const byte of bytes) patch.write(Uint8Array.of(byte))
      patch.end()
    })
    const name = digestOf(bytes)
    assert.equal((await client.call(`${place}?digest=${name}`, { method: 'PUT' })).status, 201)
    assert.deepEqual(await pulled(client, 'app', name), bytes.slice())
  })

  check('a digest of sha512, told at the end only', async (client) => {
    const place = await begin(client)
    assert.equal((await client.call(place, { method: 'PATCH', body: blob })).status, 202)
    const name = `sha512:${createHash('sha512').update(blob).digest('hex')}`
    assert.equal((await client.call(`${place}?digest=${name}`, { method: 'PUT' })).status, 201)
    assert.deepEqual(await pulled(client, 'app', name), blob)
  })

  check('a chunk out of order is refused, and the upload goes on', async (client) => {
    const place = await begin(client)
    const patch = (from: number, to: number, range = `${from}-${to - 1}`) =>
      client.call(place, { method: 'PATCH', body: blob.subarray(from, to), headers: { 'content-range': range } })
    assert.equal((await patch(0, 1000)).status, 202)
    const refused = await patch(2000, 3000)
    assert.equal(refused.status, 416)
    assert.equal(refused.headers.get('range'), '0-999')
    assert.equal((await patch(0, 1000)).status, 416)
    assert.equal((await patch(1000, 2000, '1000-1500')).status, 400)
    assert.equal((await patch(1000, 2000, 'x')).status, 400)
    const status = await client.call(place)
    assert.equal(status.status, 204)
    assert.equal(status.headers.get('range'), '0-999')
    assert.equal((await patch(1000, 2000)).status, 202)
    const rest = await client.call(`${place}?digest=${digest}`, {
      method: 'PUT',
      body: blob.subarray(2000),
      headers: { 'content-range': '2000-99999' },
    })
    assert.equal(rest.status, 201)
    assert.deepEqual(await pulled(client, 'app'), blob)
  })

  check('a wrong digest leaves nothing', async (client) => {
    const wrong = digestOf(noise(5))
    const post = { method: 'POST', body: blob }
    assert.equal(await client.refused(400, `app/blobs/uploads/?digest=${wrong}`, post), 'DIGEST_INVALID')
    const place = await begin(client)
    assert.equal(await client.refused(400, `${place}?digest=${wrong}`, { method: 'PUT', body: blob }), 'DIGEST_INVALID')
    assert.equal(await client.refused(404, place), 'BLOB_UPLOAD_UNKNOWN')
    assert.equal((await client.call(`app/blobs/${wrong}`)).status, 404)
    assert.equal((await client.call(`app/blobs/${digest}`)).status, 404)
    const none = await begin(client)
    assert.equal(await client.refused(400, none, { method: 'PUT', body: blob }), 'DIGEST_INVALID')
    assert.equal(await client.refused(400, `${none}?digest=md5:0`, { method: 'PUT' }), 'DIGEST_INVALID')
  })

  check('an upload that was cut off goes on from its byte', async (client) => {
    const place = await begin(client)
    await new Promise<void>((resolve) => {
      const patch = request(new URL(place, client.url), { method: 'PATCH', headers: { 'content-length': blob.length } })
      patch.once('error', () => resolve())
      patch.write(blob.subarray(0, 30_000), () => setTimeout(() => patch.destroy(), 50))
    })
    const status = await client.call(place)
    assert.equal(status.headers.get('range'), '0-29999')
    const rest = blob.subarray(30_000)
    assert.equal((await client.call(`${place}?digest=${digest}`, { method: 'PUT', body: rest })).status, 201)
    assert.deepEqual(await pulled(client, 'app'), blob)
  })

  check('cancelled, of another repository, unknown', async (client) => {
    const place = await begin(client)
    assert.equal(await client.refused(404, place.replace('/app/', '/other/')), 'BLOB_UPLOAD_UNKNOWN')
    assert.equal((await client.call(place, { method: 'DELETE' })).status, 204)
    for (const method of ['GET', 'PATCH', 'DELETE'])
      assert.equal(await client.refused(404, place, { method }), 'BLOB_UPLOAD_UNKNOWN')
  })

  check('a blob is mounted from where it is named, from anywhere, or not at all', async (client) => {
    await client.pushBlob('base', blob)
    const mount = (name: string, query: string) =>
      client.call(`${name}/blobs/uploads/?mount=${digest}${query}`, { method: 'POST' })
    const mounted = await mount('app', '&from=base')
    assert.equal(mounted.status, 201)
    assert.equal(mounted.headers.get('location'), `/v2/app/blobs/${digest}`)
    assert.deepEqual(await pulled(client, 'app'), blob)
    assert.equal((await mount('third', '')).status, 201)
    assert.deepEqual(await pulled(client, 'third'), blob)
    assert.equal((await mount('fourth', '&from=nowhere')).status, 202)
    const missing = `fourth/blobs/uploads/?mount=${digestOf(noise(1))}&from=base`
    assert.equal((await client.call(missing, { method: 'POST' })).status, 202)
  })

  check('several at once of the same blob', async (client) => {
    await Promise.all(Array.from({ length: 8 }, () => client.pushBlob('app', blob)))
    assert.deepEqual(await pulled(client, 'app'), blob)
  })
}

test('uploads: too many, and those that nobody goes on with', async (t) => {
  const client = await startRegistry(t, { uploadLimit: 2, uploadExpiry: 100 })
  const place = await begin(client)
  const started = [place, await begin(client)]
  // What has no byte yet would give way
  for (const other of started) await client.call(other, { method: 'PATCH', body: new Uint8Array(9) })
  assert.equal(await client.refused(429, 'app/blobs/uploads/', { method: 'POST' }), 'TOOMANYREQUESTS')
  await new Promise((resolve) => setTimeout(resolve, 350))
  assert.equal(await client.refused(404, place), 'BLOB_UPLOAD_UNKNOWN')
  await begin(client)
})

test('uploads: a blob that is too large, told by its length or not', async (t) => {
  const client = await startRegistry(t, { blobLimit: 50_000 })
  const url = `app/blobs/uploads/?digest=${digest}`
  assert.equal(await client.refused(413, url, { method: 'POST', body: blob }), 'SIZE_INVALID')
  const stream = new Response(blob).body!
  const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit
  assert.equal(await client.refused(413, url, init), 'SIZE_INVALID')
})

test('uploads: one on which nothing moves is cut off', async (t) => {
  const client = await startRegistry(t, { idleTimeout: 200 })
  const place = await begin(client)
  const started = performance.now()
  await new Promise<void>((resolve) => {
    const patch = request(new URL(place, client.url), { method: 'PATCH', headers: { 'content-length': 10 } })
    patch.once('error', () => resolve())
    patch.write('abc')
  })
  assert.ok(performance.now() - started < 5000)
  assert.equal((await client.call(place)).headers.get('range'), '0-2')
})

/** V8's collector, which Node shows only to those who ask. */
const collectGarbage: () => void = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
})()

test('uploads: on disk they are files until they are complete, and memory does not grow with them', async (t) => {
  const folder = temporaryFolder(t)
  const client = await startRegistry(t, { repositories: await layoutRepositories(folder, { write: true }) })
  const place = await begin(client)
  const chunk = noise(1 << 20)
  const hash = createHash('sha256')
  let largest = 0
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  await new Promise<void>((resolve, reject) => {
    const patch = request(new URL(place, client.url), { method: 'PATCH' }, (response) => {
      response.resume()
      response.once('end', resolve)
    })
    patch.once('error', reject)
    let sent = 0
    const next = () => {
      // What is held, not what waits to be collected: when that happens is V8's affair and differs between its versions
      collectGarbage()
      largest = Math.max(largest, process.memoryUsage().arrayBuffers - before)
      if (sent++ === 96) patch.end()
      else {
        hash.update(chunk)
        if (patch.write(chunk)) setImmediate(next)
        else patch.once('drain', next)
      }
    }
    next()
  })
  assert.ok(largest < 48 << 20, `${largest} bytes`)
  const [staging] = readdirSync(folder)
  assert.match(staging!, /^\.uploads-/)
  const [file] = readdirSync(join(folder, staging!))
  assert.equal(statSync(join(folder, staging!, file!)).size, 96 << 20)
  const name = `sha256:${hash.digest('hex')}`
  assert.equal((await client.call(`${place}?digest=${name}`, { method: 'PUT' })).status, 201)
  assert.equal(statSync(join(folder, 'app/blobs/sha256', name.slice(7))).size, 96 << 20)
  assert.deepEqual(readdirSync(join(folder, staging!)), [])
  await begin(client)
  await client.close()
  assert.ok(!existsSync(join(folder, staging!)))
})

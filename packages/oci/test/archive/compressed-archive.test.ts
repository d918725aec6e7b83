import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { uncompressedBytes } from '../../src/archive/compressed-archive.js'
import { digestOf } from '../../src/document/digest.js'
import { openStore } from '../../src/open.js'
import { collect, encodeJson, pushImage, smallImage } from '../images.js'
import { tar } from '../tar-writer.js'
import { temporaryFolder } from '../tools.js'

const layer = tar([{ name: 'a', data: 'a' }])
const saved = tar([
  { name: 'layer.tar', data: layer },
  {
    name: 'c.json',
    data: encodeJson({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  },
  { name: 'manifest.json', data: encodeJson([{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }]) },
])

function file(t: TestContext, bytes: Uint8Array): string {
  const path = join(temporaryFolder(t), 'saved.tar.gz')
  writeFileSync(path, bytes)
  return path
}

async function readLayer(reference: string): Promise<Uint8Array> {
  const store = await openStore(reference)
  try {
    return await collect(store.fetch({ mediaType: '', digest: digestOf(layer), size: layer.length }))
  } finally {
    await store.close()
  }
}

test('docker save | gzip: in one member or several, empty ones among them', async (t) => {
  const half = saved.length >> 1
  const several = [saved.subarray(0, half), new Uint8Array(0), saved.subarray(half)].map((part) => gzipSync(part))
  for (const bytes of [gzipSync(saved), Buffer.concat(several)])
    for (const transport of ['docker-archive', 'oci-archive'])
      assert.deepEqual(Buffer.from(await readLayer(`${transport}:${file(t, bytes)}`)), Buffer.from(layer), transport)
})

test('an OCI archive as .tar.gz is read, and not written over', async (t) => {
  const path = join(temporaryFolder(t), 'image.tar')
  const image = smallImage([{ name: 'a', data: 'first' }])
  const store = await openStore(`oci-archive:${path}`, { mode: 'write' })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  await store.close()
  const compressed = file(t, gzipSync(readFileSync(path)))
  const read = await openStore(`oci-archive:${compressed}`)
  assert.equal((await read.resolve('v1')).digest, image.manifest.digest)
  await read.close()
  await assert.rejects(openStore(`oci-archive:${compressed}`, { mode: 'update' }), {
    message: /unpack it first with gzip -d/,
  })
})

test('standard input: a pipe of gzip, its first bytes in chunks of one', async (t) => {
  const path = file(t, gzipSync(saved))
  const read = `import { openStore } from ${JSON.stringify(new URL('../../src/open.js', import.meta.url).href)}
    const store = await openStore('-')
    console.log((await store.resolve('app:1')).digest)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', read], { stdio: ['pipe', 'pipe', 'inherit'] })
  createReadStream(path, { highWaterMark: 1 }).pipe(child.stdin)
  const store = await openStore(`docker-archive:${path}`)
  t.after(() => store.close())
  assert.equal(
    Buffer.from(await collect(child.stdout))
      .toString()
      .trim(),
    (await store.resolve(undefined)).digest,
  )
})

test('short, empty and uncompressed input passes through as it is', async () => {
  for (const text of ['', '\x1f', 'plain'])
    for (const chunk of [1, 100]) {
      const bytes = Buffer.from(text, 'latin1')
      const pieces = (async function* () {
        for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
      })()
      assert.deepEqual(Buffer.from(await collect(uncompressedBytes(pieces, 'x'))), bytes)
    }
})

test('damaged and truncated gzip is named as that, and leaves no temporary file', async (t) => {
  const whole = gzipSync(saved)
  const damaged = Buffer.from(whole)
  damaged[whole.length - 6]! ^= 1 // its checksum
  const files = [whole.subarray(0, whole.length >> 1), whole.subarray(0, 12), damaged].map((bytes) => file(t, bytes))
  const folder = temporaryFolder(t)
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  for (const path of files)
    await assert.rejects(openStore(`docker-archive:${path}`), {
      code: 'PROTOCOL',
      message: /damaged or cut short: its gzip data cannot be unpacked after \d+ bytes/,
    })
  assert.deepEqual(readdirSync(folder), [])
})

test('an archive that unpacks without end stops at the limit', async () => {
  const member = gzipSync(new Uint8Array(2 ** 26))
  assert.equal(gunzipSync(member).length, 2 ** 26)
  const endless = (async function* () {
    for (;;) yield member
  })()
  let unpacked = 0
  const read = async () => {
    for await (const chunk of uncompressedBytes(endless, 'bomb.tar.gz')) unpacked += chunk.length
  }
  await assert.rejects(read(), { code: 'PROTOCOL', message: /more than 100 times its size.* gzip -d/ })
  assert.ok(unpacked <= 2 ** 30, `${unpacked}`)
})

test('an abort ends the unpacking', async () => {
  const abort = new AbortController()
  const member = gzipSync(new Uint8Array(2 ** 20))
  const endless = (async function* () {
    for (let i = 0; ; i++) {
      if (i === 20) abort.abort(new Error('enough'))
      yield member
    }
  })()
  await assert.rejects(collect(uncompressedBytes(endless, 'x', abort.signal)), { message: /enough/ })
})

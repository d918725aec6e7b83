import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestOf } from '../../src/document/digest.js'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/document/mediatype.js'
import { openStore } from '../../src/open.js'
import { artifact, collect, describe, encodeJson, noise, pushImage, smallImage } from '../images.js'
import { find, temporaryFolder } from '../tools.js'

const image = smallImage([{ name: 'a', data: 'first' }], [{ name: 'b', data: noise(3000) }])
const other = smallImage([{ name: 'c', data: 'other' }])
const entry = (name?: string, of = image) => ({
  mediaType: OCI_MANIFEST,
  digest: of.manifest.digest,
  size: of.manifest.size,
  ...(name !== undefined && { annotations: { 'org.opencontainers.image.ref.name': name } }),
})

/** A layout with both images' blobs and the index.json given. */
async function layout(
  t: TestContext,
  index: unknown,
  version: string | undefined = '{"imageLayoutVersion":"1.0.0"}',
): Promise<string> {
  const folder = join(temporaryFolder(t), 'layout')
  const store = await openStore(`oci:${folder}`, { mode: 'write' })
  await pushImage(store, image)
  await pushImage(store, other)
  await store.tag(image.manifest, 'v1')
  await store.close()
  writeFileSync(join(folder, 'index.json'), typeof index === 'string' ? index : encodeJson(index))
  if (version === undefined) renameSync(join(folder, 'oci-layout'), join(folder, 'gone'))
  else writeFileSync(join(folder, 'oci-layout'), version)
  return folder
}

const read = (folder: string) => readFileSync(join(folder, 'index.json'), 'utf8')
/** All files, but for what may lie about in between. */
const files = (folder: string) =>
  (readdirSync(folder, { recursive: true }) as string[]).filter(
    (name) => name.includes('.partial') || name.includes('.lock'),
  )

test('other images stay exactly as they are, with what is not known here', async (t) => {
  const index = `{"x-first":1e3,"schemaVersion":2,"Manifests":[{"size":${image.manifest.size},"x":{"10":1,"2":[9007199254740993]},"digest":"${image.manifest.digest}","mediaType":"${OCI_MANIFEST}","annotations":{"org.opencontainers.image.ref.name":"v1"}}, {"digest":"unknown","__proto__":"x"}],"annotations":{"z":"1","a":"2"},"x-last":null}`
  const folder = await layout(t, index)
  const store = await openStore(`oci:${folder}`, { mode: 'write' })
  await store.tag(other.manifest, 'v2')
  const added = `{"mediaType":"${OCI_MANIFEST}","digest":"${other.manifest.digest}","size":${other.manifest.size},"annotations":{"org.opencontainers.image.ref.name":"v2"}}`
  const expected = index.replace('}, {', '},{').replace('"x"}],', `"x"},${added}],`)
  assert.equal(read(folder), expected)
  await store.tag(other.manifest, 'v2')
  assert.equal(read(folder), expected)
  assert.deepEqual(files(folder), [])
})

test('what names an image is taken over from its descriptor, its old names are not', async (t) => {
  const folder = await layout(t, { schemaVersion: 2, manifests: [] })
  const store = await openStore(`oci:${folder}`, { mode: 'write' })
  const annotations = new Map([
    ['org.opencontainers.image.ref.name', 'old'],
    ['io.containerd.image.name', 'docker.io/library/old:1'],
    ['b', '1'],
  ])
  await store.tag({ ...image.manifest, annotations, platform: { architecture: 'amd64', os: 'linux' } }, 'new')
  assert.deepEqual(JSON.parse(read(folder)).manifests, [
    {
      ...entry(),
      annotations: { b: '1', 'org.opencontainers.image.ref.name': 'new' },
      platform: { architecture: 'amd64', os: 'linux' },
    },
  ])
})

test('which image is meant where none is named', async (t) => {
  const manifests = [entry(), entry(undefined, other)]
  const whole = encodeJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests, unknown: 1 })
  const attached = { ...entry(undefined, other), artifactType: 'application/x' }
  const inside = { ...attached, platform: { architecture: 'amd64', os: 'linux' } }
  const cases: readonly [string, unknown, string | RegExp][] = [
    ['none', { manifests: [] }, /has no image/],
    ['null', { manifests: null }, /has no image/],
    ['the only one', { manifests: [entry()] }, image.manifest.digest],
    ['the only one, with a name', { manifests: [entry('v1')] }, image.manifest.digest],
    ['one with two names', { manifests: [entry('v1'), entry('v2')] }, image.manifest.digest],
    ['several with names', { manifests: [entry('v1'), entry('v2', other)] }, /say which; it has v1, v2/],
    ['one with a name, one without', { manifests: [entry('v1'), entry(undefined, other)] }, /say which; it has v1$/],
    ['several without names', Buffer.from(whole).toString(), digestOf(whole)],
    ['with an artifact attached', { manifests: [entry(), attached] }, image.manifest.digest],
    ['only an artifact', { manifests: [attached] }, other.manifest.digest],
    [
      'an artifact that is part of the image',
      { manifests: [entry(), inside] },
      digestOf(encodeJson({ manifests: [entry(), inside] })),
    ],
  ]
  for (const [name, index, expected] of cases) {
    const store = await openStore(`oci:${await layout(t, index)}`)
    if (expected instanceof RegExp)
      await assert.rejects(store.resolve(undefined), { code: 'NOT_FOUND', message: expected }, name)
    else {
      const top = await store.resolve(undefined)
      assert.equal(top.digest, expected, name)
      assert.equal(digestOf(await collect(store.fetch(top))), expected) // also where index.json itself is the image
      assert.ok(await store.exists(top))
    }
  }
})

test('several images without names and an artifact: the index has the images', async (t) => {
  const third = smallImage([{ name: 'd', data: 'd' }])
  const attached = artifact(image.manifest)
  const folder = await layout(t, { schemaVersion: 2, manifests: [entry(), entry(undefined, other)] })
  const store = await openStore(`oci:${folder}`, { mode: 'write' })
  const before = await store.resolve(undefined)
  await pushImage(store, third)
  await store.push(attached.descriptor, attached.bytes)
  await store.attach(attached.descriptor)
  const top = await store.resolve(undefined)
  assert.equal(top.mediaType, OCI_INDEX)
  assert.deepEqual(JSON.parse(Buffer.from(await collect(store.fetch(top))).toString()), {
    schemaVersion: 2,
    manifests: [entry(), entry(undefined, other)],
  })
  assert.equal(top.digest, before.digest)
  await assert.rejects(store.tag(top, 'v1'), { code: 'NOT_FOUND' }) // it is nowhere but in index.json
})

test('names in full, as docker knows them', async (t) => {
  const named = (full: string, of: typeof image) => ({
    ...entry('latest', of),
    annotations: { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': 'latest' },
  })
  const folder = await layout(t, {
    manifests: [named('docker.io/library/a:latest', image), named('host.example/b:latest', other)],
  })
  const store = await openStore(`oci:${folder}`)
  for (const name of ['a', 'a:latest', 'docker.io/library/a:latest'])
    assert.equal((await store.resolve(name)).digest, image.manifest.digest, name)
  assert.equal((await store.resolve('host.example/b')).digest, other.manifest.digest)
  await assert.rejects(store.resolve('latest'), {
    message: /several images "latest": say which of docker.io\/library\/a:latest, host.example\/b:latest/,
  })
})

test('what is not a layout, and its version', async (t) => {
  const sound = { manifests: [entry('v1')] }
  const refused: readonly [unknown, string, RegExp][] = [
    [sound, '{"imageLayoutVersion":"1.1.0"}', /version "1.1.0"; only 1.0.0 can be read/],
    [sound, '{"imageLayoutVersion":null}', /version ""/],
    [sound, '{}', /version ""/],
    [sound, '[]', /version ""/],
    [sound, '', /is not valid JSON/],
    [sound, '{"imageLayoutVersion":1}', /imageLayoutVersion is 1, not a string/],
    ['', '{"ImageLayoutVersion":"1.0.0"}', /index.json is not valid JSON/],
    ['[]', '{"imageLayoutVersion":"1.0.0"}', /index.json is malformed: it is an array/],
    [{ manifests: [{ size: '1' }] }, '{"imageLayoutVersion":"1.0.0"}', /manifests\[0\].size is "1"/],
  ]
  for (const [index, version, message] of refused) {
    const folder = await layout(t, index, version)
    await assert.rejects(async () => (await openStore(`oci:${folder}`)).resolve('v1'), { message }, version)
  }
  const withoutVersion = await openStore(`oci:${await layout(t, sound, undefined)}`)
  assert.equal((await withoutVersion.resolve('v1')).digest, image.manifest.digest)

  const folder = temporaryFolder(t)
  await assert.rejects(openStore(`oci:${folder}/nothing`), { code: 'NOT_FOUND', message: /nothing does not exist/ })
  await assert.rejects(openStore(`oci:${folder}`), { code: 'PROTOCOL', message: /has no index.json$/ })
  writeFileSync(join(folder, 'letter.txt'), 'dear')
  await assert.rejects(openStore(`oci:${folder}`, { mode: 'write' }), {
    code: 'PROTOCOL',
    message: /has no index.json, and it is not empty/,
  })
  await assert.rejects(openStore(`oci:${folder}/letter.txt`), { code: 'NOT_FOUND' })
  await assert.rejects(openStore(`oci:${folder}/letter.txt`, { mode: 'write' }), { code: 'NOT_FOUND' })
})

test('an index.json that is too large, or a pipe, is not read', async (t) => {
  const folder = await layout(t, ' '.repeat((32 << 20) + 1))
  await assert.rejects((await openStore(`oci:${folder}`)).resolve('v1'), {
    code: 'PROTOCOL',
    message: /33554433 bytes, more than the limit of 32 MiB/,
  })
  const mkfifo = find('mkfifo')
  if (mkfifo === undefined) return
  const blob = join(folder, 'blobs', 'sha256', digestOf(Buffer.from('pipe')).slice(7))
  execFileSync(mkfifo, [blob])
  const store = await openStore(`oci:${folder}`)
  await assert.rejects(collect(store.fetch(describe('x', Buffer.from('pipe')))), { code: 'NOT_FOUND' })
})

test('an index.json of 100,000 entries', async (t) => {
  const manifests = Array.from({ length: 100_000 }, (_, i) => ({
    mediaType: OCI_MANIFEST,
    digest: digestOf(Buffer.from(`${i}`)),
    size: i,
    annotations: { 'org.opencontainers.image.ref.name': `v${i}` },
  }))
  const folder = await layout(t, { schemaVersion: 2, manifests: [...manifests, entry('real')] })
  const store = await openStore(`oci:${folder}`)
  assert.equal((await store.resolve('real')).digest, image.manifest.digest)
  await assert.rejects(store.resolve('none'), { message: /it has v0, .*, v19 and 99981 more$/ })
})

test('damaged blobs are found when they are read', async (t) => {
  const folder = await layout(t, { manifests: [entry('v1')] })
  const blob = join(folder, 'blobs', 'sha256', image.layers[1]!.digest.slice(7))
  const store = await openStore(`oci:${folder}`)
  const bytes = readFileSync(blob)
  bytes[700]! ^= 1
  writeFileSync(blob, bytes)
  await assert.rejects(collect(store.fetch(image.layers[1]!)), {
    code: 'DIGEST_MISMATCH',
    message: new RegExp(`${image.layers[1]!.digest}.*has the digest sha256:`),
  })
  assert.deepEqual(await collect(store.fetch(image.layers[1]!, { verify: false })), new Uint8Array(bytes))
  writeFileSync(blob, bytes.subarray(0, 900))
  await assert.rejects(collect(store.fetch(image.layers[1]!)), {
    code: 'SIZE_MISMATCH',
    message: new RegExp(`has 900 bytes, its descriptor says ${bytes.length}`),
  })
  await assert.rejects(collect(store.fetch(image.layers[1]!, { start: 0, end: 10 })), { code: 'SIZE_MISMATCH' })
  const writer = await openStore(`oci:${folder}`, { mode: 'write' })
  await writer.push(image.layers[1]!, image.layerBytes[1]!) // a blob that was cut short is mended
  assert.deepEqual(await collect(store.fetch(image.layers[1]!)), image.layerBytes[1])
})

test('blobs may be links to files', async (t) => {
  const folder = await layout(t, { manifests: [entry('v1')] })
  const path = join(folder, 'blobs', 'sha256', image.config.digest.slice(7))
  renameSync(path, join(folder, 'elsewhere'))
  symlinkSync('../../elsewhere', path)
  const store = await openStore(`oci:${folder}`)
  assert.deepEqual(await collect(store.fetch(image.config)), image.configBytes)
})

test('nothing is left of a layout where nothing got a name, and all of one that was there', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openStore(`oci:${folder}/a/b`, { mode: 'write' })
  assert.deepEqual(readdirSync(folder), [])
  await pushImage(store, image)
  assert.ok(existsSync(join(folder, 'a', 'b')))
  assert.ok(!existsSync(join(folder, 'a', 'b', 'blobs'))) // no other process relies on what may be removed
  await store.close()
  assert.deepEqual(readdirSync(folder), [])

  // Also not of what is still on its way, as it is when one of several pushes fails and the rest is given up.
  const busy = await openStore(`oci:${folder}/busy`, { mode: 'write' })
  const slow = async function* () {
    await new Promise((resolve) => setTimeout(resolve, 20))
    yield noise(500)
  }
  const pushes = [
    busy.push(describe('x', noise(500)), slow()),
    busy.push(describe('x', noise(600)), noise(600)),
    busy.push(image.manifest, image.manifestBytes),
  ]
  await busy.close()
  await Promise.all(pushes)
  assert.deepEqual(readdirSync(folder), [])
  await assert.rejects(busy.push(image.config, image.configBytes), { code: 'DENIED', message: /is closed/ })

  mkdirSync(join(folder, 'empty'))
  const inEmpty = await openStore(`oci:${folder}/empty`, { mode: 'write' })
  await pushImage(inEmpty, image)
  await inEmpty.close()
  assert.deepEqual(readdirSync(join(folder, 'empty')), [])

  const there = await layout(t, { manifests: [entry('v1')] })
  const before = read(there)
  const writer = await openStore(`oci:${there}`, { mode: 'write' })
  await assert.rejects(writer.push(describe('x', noise(9)), noise(8)))
  await writer.close()
  assert.equal(read(there), before)
  assert.deepEqual(files(there), [])
})

test('a layout that cannot be written is read', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await layout(t, { manifests: [entry('v1')] })
  chmodSync(folder, 0o555)
  if (process.getuid?.() === 0) {
    chmodSync(join(folder, '..'), 0o755)
    process.seteuid?.('nobody') // root may write everywhere
  }
  try {
    const store = await openStore(`oci:${folder}`)
    assert.equal((await store.resolve('v1')).digest, image.manifest.digest)
    assert.deepEqual(await collect(store.fetch(image.config)), image.configBytes)
    const writer = await openStore(`oci:${folder}`, { mode: 'write' })
    await assert.rejects(writer.tag(image.manifest, 'v2'), { code: 'DENIED' })
  } finally {
    if (process.getuid?.() === 0) process.seteuid?.(0)
    chmodSync(folder, 0o755)
  }
})

test('many processes name images in one layout at once, none is lost', async (t) => {
  const folder = await layout(t, { manifests: [entry('v1')] })
  const stale = join(folder, 'index.json.lock')
  writeFileSync(stale, '')
  utimesSync(stale, new Date(0), new Date(0))
  const script = `
    import { openStore } from ${JSON.stringify(new URL('../../src/open.js', import.meta.url).href)}
    const store = await openStore(${JSON.stringify(`oci:${folder}`)}, { mode: 'write' })
    const descriptor = JSON.parse(process.argv[1])
    await Promise.all([1, 2, 3, 4, 5].map((i) => store.tag(descriptor, process.argv[2] + i)))
    await store.close()`
  const { spawn } = await import('node:child_process')
  const processes = ['a', 'b', 'c', 'd'].map(
    (name) =>
      new Promise<number | null>((resolve) => {
        const child = spawn(
          process.execPath,
          ['--input-type=module', '-e', script, JSON.stringify(image.manifest), name],
          { stdio: 'inherit' },
        )
        child.on('exit', resolve)
      }),
  )
  assert.deepEqual(await Promise.all(processes), [0, 0, 0, 0])
  assert.equal(JSON.parse(read(folder)).manifests.length, 21)
  assert.deepEqual(files(folder), [])
})

test('a referrer that cannot be read is another image’s trouble', async (t) => {
  const folder = await layout(t, { manifests: [] })
  const store = await openStore(`oci:${folder}`, { mode: 'write' })
  const broken = Buffer.from('{"layers":5}')
  await store.push(describe(OCI_MANIFEST, broken), broken)
  const good = artifact(image.manifest)
  await store.push(good.descriptor, good.bytes)
  const index = {
    manifests: [
      describe(OCI_MANIFEST, broken),
      { mediaType: OCI_MANIFEST, digest: 'none', size: 1 },
      { ...entry(), digest: `sha512:${createHash('sha512').digest('hex')}` },
      good.descriptor,
      good.descriptor,
    ],
  }
  writeFileSync(join(folder, 'index.json'), encodeJson(index))
  const found: string[] = []
  for await (const { digest } of store.referrers(image.manifest)) found.push(digest)
  assert.deepEqual(found, [good.descriptor.digest])
})

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { streamSink } from '../../src/archive/archive-sink.js'
import { ArchiveWriter } from '../../src/archive/archive-writer.js'
import { digestOf } from '../../src/document/digest.js'
import { encodeManifest } from '../../src/document/manifest.js'
import { OCI_MANIFEST } from '../../src/document/mediatype.js'
import { RandomAccessFile } from '../../src/file/random-access.js'
import { openStore } from '../../src/open.js'
import type { Store } from '../../src/store.js'
import { artifact, collect, describe, encodeJson, noise, pushImage, type SmallImage, smallImage } from '../images.js'
import { type TarEntry, tar } from '../tar-writer.js'
import { find, temporaryFolder } from '../tools.js'

const image = smallImage([{ name: 'a', data: 'first' }], [{ name: 'b', data: noise(3000) }])
const other = smallImage([{ name: 'c', data: 'other' }])

async function writeImage(path: string, from: SmallImage = image, tag: string | undefined = 'v1'): Promise<void> {
  const store = await openStore(`oci-archive:${path}`, { mode: 'write' })
  await pushImage(store, from)
  await store.tag(from.manifest, tag)
  await store.close()
}

const blob = (of: { digest: string }, data: Uint8Array): TarEntry => ({
  name: `blobs/${of.digest.replace(':', '/')}`,
  data,
})
const manifestEntry = { mediaType: OCI_MANIFEST, digest: image.manifest.digest, size: image.manifest.size }

async function open(t: TestContext, entries: readonly TarEntry[]): Promise<Store> {
  const path = join(temporaryFolder(t), 'image.tar')
  writeFileSync(path, tar(entries))
  const store = await openStore(`oci-archive:${path}`)
  t.after(() => store.close())
  return store
}

test('the bytes follow from the order of the calls, not from how long each takes', async (t) => {
  const folder = temporaryFolder(t)
  const slow = async function* (bytes: Uint8Array, pause: number) {
    for (let at = 0; at < bytes.length; at += 1000) {
      await new Promise((resolve) => setTimeout(resolve, pause))
      yield bytes.subarray(at, at + 1000)
    }
  }
  const blobs = [noise(9000, 'a'), noise(5000, 'b'), noise(1, 'c')]
  const manifest = encodeManifest({ schemaVersion: 2, config: describe('x', blobs[2]!), layers: [] })
  const written: Buffer[] = []
  for (const pauses of [
    [0, 0, 0],
    [5, 1, 0],
    [0, 1, 9],
  ]) {
    const path = join(folder, `${pauses}.tar`)
    const store = await openStore(`oci-archive:${path}`, { mode: 'write' })
    await Promise.all(blobs.map((bytes, i) => store.push(describe('x', bytes), slow(bytes, pauses[i]!))))
    await store.push(describe(OCI_MANIFEST, manifest), manifest)
    await store.tag(describe(OCI_MANIFEST, manifest), 'v1')
    await store.close()
    written.push(readFileSync(path))
  }
  const streamed: Buffer[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      streamed.push(Buffer.from(chunk))
      setTimeout(done, 1)
    },
  })
  const store = new ArchiveWriter('a stream', streamSink(stream, 'a stream', true))
  await Promise.all(blobs.map((bytes, i) => store.push(describe('x', bytes), slow(bytes, [0, 1, 9][i]!))))
  await assert.rejects(collect(store.fetch(describe('x', blobs[0]!))), {
    code: 'DENIED',
    message: /while it is written/,
  })
  await store.push(describe(OCI_MANIFEST, manifest), manifest)
  await store.tag(describe(OCI_MANIFEST, manifest), 'v1')
  await store.close()
  written.push(Buffer.concat(streamed))
  assert.equal(new Set(written.map(digestOf)).size, 1)
  assert.equal(digestOf(written[0]!), 'sha256:dd98276b0452472f51890348c8f56f81212bcd535f99ff273c7fc8b7726e6ffe')
})

test('a file appears when it is finished, and only if something was named in it', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'image.tar')
  const store = await openStore(`oci-archive:${path}`, { mode: 'write' })
  assert.deepEqual(readdirSync(folder), [])
  await pushImage(store, image)
  assert.equal(readdirSync(folder).length, 1)
  assert.ok(!existsSync(path))
  assert.deepEqual(await collect(store.fetch(image.layers[1]!)), image.layerBytes[1]) // what was written can be read
  await store.close()
  await store.close()
  assert.deepEqual(readdirSync(folder), [])
  await assert.rejects(store.push(image.config, image.configBytes), { code: 'DENIED' })

  await writeImage(path)
  const before = readFileSync(path)
  const failing = await openStore(`oci-archive:${path}`, { mode: 'write' })
  await pushImage(failing, image)
  await assert.rejects(failing.push({ ...describe('x', noise(9)), size: 10 }, noise(9)), { code: 'SIZE_MISMATCH' })
  await assert.rejects(failing.tag(image.manifest, 'v2'), { code: 'SIZE_MISMATCH' })
  await failing.close()
  assert.deepEqual(readdirSync(folder), ['image.tar'])

  const late = await openStore(`oci-archive:${path}`, { mode: 'write' })
  await pushImage(late, image)
  await late.tag(image.manifest, 'v2')
  await assert.rejects(late.push({ ...describe('x', noise(9)), size: 10 }, noise(9)))
  await assert.rejects(late.close(), { code: 'SIZE_MISMATCH' }) // else a half-made archive would be taken for a whole one
  assert.deepEqual(readdirSync(folder), ['image.tar'])
  assert.deepEqual(readFileSync(path), before)
})

test('an archive is replaced while it is read', async (t) => {
  const path = join(temporaryFolder(t), 'image.tar')
  await writeImage(path)
  const reader = await openStore(`oci-archive:${path}`)
  await writeImage(path, other)
  assert.deepEqual(await collect(reader.fetch(image.layers[1]!)), image.layerBytes[1])
  await reader.close()
  const replaced = await openStore(`oci-archive:${path}:v1`)
  assert.equal((await replaced.resolve('v1')).digest, other.manifest.digest)
  await replaced.close()
})

test('an update keeps what is there', async (t) => {
  const path = join(temporaryFolder(t), 'image.tar')
  for (const [i, added] of [image, other].entries()) {
    const store = await openStore(`oci-archive:${path}`, { mode: 'update' })
    await pushImage(store, added)
    await pushImage(store, image) // there already, at the second time
    await store.tag(added.manifest, `v${i}`)
    await store.close()
  }
  const attached = artifact(image.manifest)
  const update = await openStore(`oci-archive:${path}`, { mode: 'update' })
  assert.deepEqual(await collect(update.fetch(image.layers[1]!)), image.layerBytes[1])
  await update.push(attached.descriptor, attached.bytes)
  await update.attach(attached.descriptor)
  await update.close()
  const store = await openStore(`oci-archive:${path}`)
  for (const [i, kept] of [image, other].entries()) {
    const top = await store.resolve(`v${i}`)
    assert.equal(top.digest, kept.manifest.digest)
    for (const [j, layer] of kept.layers.entries())
      assert.deepEqual(await collect(store.fetch(layer)), kept.layerBytes[j])
  }
  for await (const { digest } of store.referrers(image.manifest)) assert.equal(digest, attached.descriptor.digest)
  await store.close()

  const before = readFileSync(path)
  const idle = await openStore(`oci-archive:${path}`, { mode: 'update' })
  await idle.attach(attached.descriptor)
  await idle.close()
  assert.deepEqual(readFileSync(path), before)
})

test('where an archive cannot be written', async (t) => {
  const folder = temporaryFolder(t)
  const refused: readonly [string, 'write' | 'update', { code: string; message: RegExp }][] = [
    [`oci-archive:${folder}`, 'write', { code: 'DENIED', message: /is a folder/ }],
    [`oci-archive:${folder}/no/image.tar`, 'write', { code: 'NOT_FOUND', message: /no does not exist/ }],
    [`docker-archive:${folder}/image.tar`, 'write', { code: 'DENIED', message: /write an oci-archive/ }],
    ['-', 'update', { code: 'DENIED', message: /name a file/ }],
  ]
  for (const [name, mode, error] of refused) await assert.rejects(openStore(name, { mode }), error, name)
  writeFileSync(join(folder, 'old.tar'), tar([{ name: 'manifest.json', data: '[]' }]))
  await assert.rejects(openStore(`oci-archive:${folder}/old.tar`, { mode: 'update' }), { code: 'PROTOCOL' })
  mkdirSync(join(folder, 'real'))
  writeFileSync(join(folder, 'real', 'image.tar'), '')
  symlinkSync('real/image.tar', join(folder, 'link.tar'))
  await writeImage(join(folder, 'link.tar'))
  assert.ok(statSync(join(folder, 'real', 'image.tar')).size > 1000) // the link stays one
})

test('what docker save makes since version 25: a layout with manifest.json beside it, and images that are absent', async (t) => {
  const absent = describe(OCI_MANIFEST, noise(9))
  const annotations = {
    'io.containerd.image.name': 'docker.io/library/app:1',
    'org.opencontainers.image.ref.name': '1',
  }
  const top = encodeJson({ schemaVersion: 2, manifests: [manifestEntry, absent] })
  const topEntry = describe('application/vnd.oci.image.index.v1+json', top)
  const store = await open(t, [
    { name: 'blobs/', type: '5' },
    blob(topEntry, top),
    blob(image.manifest, image.manifestBytes),
    blob(image.config, image.configBytes),
    ...image.layers.map((layer, i) => blob(layer, image.layerBytes[i]!)),
    { name: 'index.json', data: encodeJson({ schemaVersion: 2, manifests: [{ ...topEntry, annotations }] }) },
    { name: 'manifest.json', data: '[{"Config":"blobs/sha256/x","RepoTags":["app:1"],"Layers":null}]' },
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'repositories', data: '{}' },
  ])
  for (const name of [undefined, '1', 'app:1']) assert.equal((await store.resolve(name)).digest, topEntry.digest)
  assert.ok(await store.exists(image.manifest))
  assert.ok(!(await store.exists(absent)))
  await assert.rejects(collect(store.fetch(absent)), { code: 'NOT_FOUND' })
})

test('hostile archives', async (t) => {
  const version = { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' }
  const index = { name: 'index.json', data: encodeJson({ manifests: [manifestEntry] }) }
  await assert.rejects(open(t, [{ name: 'oci-layout', data: '{"imageLayoutVersion":"2"}' }, index]), {
    code: 'PROTOCOL',
    message: /version "2"/,
  })
  await assert.rejects(open(t, [version, { name: 'index.json', data: '{' }]), { code: 'JSON_INVALID' })
  await assert.rejects(open(t, [version, { name: 'index.json', data: ' '.repeat((32 << 20) + 1) }]), {
    code: 'PROTOCOL',
    message: /33554433 bytes/,
  })
  await assert.rejects(open(t, [version, { name: 'index.json', type: '2', linkName: '/etc/passwd' }]), {
    code: 'PROTOCOL',
  })

  // A blob that leads out of the archive is not there; one that is another's content does not verify.
  const away = await open(t, [
    version,
    index,
    { ...blob(image.manifest, new Uint8Array()), type: '2', linkName: '../../../etc/passwd' },
  ])
  await assert.rejects(collect(away.fetch(image.manifest)), { code: 'NOT_FOUND' })
  const swapped = await open(t, [version, index, blob(image.manifest, noise(image.manifest.size))])
  await assert.rejects(collect(swapped.fetch(await swapped.resolve(undefined))), { code: 'DIGEST_MISMATCH' })
  const longer = await open(t, [version, index, blob(image.manifest, noise(image.manifest.size + 1))])
  await assert.rejects(collect(longer.fetch(image.manifest)), { code: 'SIZE_MISMATCH' })

  // Of two index.json the last one counts, as it would after unpacking.
  const twice = await open(t, [version, { name: './index.json', data: '{"manifests":[]}' }, index])
  assert.equal((await twice.resolve(undefined)).digest, image.manifest.digest)
})

test('an archive that is cut while it is read', async (t) => {
  const path = join(temporaryFolder(t), 'image.tar')
  await writeImage(path)
  const store = await openStore(`oci-archive:${path}`)
  t.after(() => store.close())
  const { offset } = (await store.locate?.(image.layers[1]!))!
  writeFileSync(path, readFileSync(path).subarray(0, offset + 100))
  await assert.rejects(collect(store.fetch(image.layers[1]!)), {
    code: 'SIZE_MISMATCH',
    message: new RegExp(`ends at ${offset + 100}, before`),
  })
})

const openUrl = JSON.stringify(new URL('../../src/open.js', import.meta.url).href)
const readStandardInput = `
  import { openStore } from ${openUrl}
  const store = await openStore('-')
  const top = await store.resolve(undefined)
  let size = 0
  for await (const chunk of store.fetch(top)) size += chunk.length
  console.log(top.digest, size, await store.locate(top) === undefined)
  await store.close()`

test('standard input: a file and a pipe', async (t) => {
  const path = join(temporaryFolder(t), 'image.tar')
  await writeImage(path)
  const expected = `${image.manifest.digest} ${image.manifest.size} true\n`
  const sh = find('sh')
  if (sh !== undefined) {
    const { stdout } = spawnSync(
      sh,
      ['-c', '"$0" --input-type=module -e "$1" < "$2"', process.execPath, readStandardInput, path],
      { encoding: 'utf8' },
    )
    assert.equal(stdout, expected)
  }
  const child = spawn(process.execPath, ['--input-type=module', '-e', readStandardInput], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  createReadStream(path, { highWaterMark: 1000 }).pipe(child.stdin)
  assert.equal(Buffer.from(await collect(child.stdout)).toString(), expected)
})

test('a pipe that says nothing can be given up', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => stop.abort(reason), 20)
  await assert.rejects(RandomAccessFile.openStandardInput(new PassThrough(), stop.signal), reason)
})

test('standard output, and one that closes early', async (t) => {
  const path = join(temporaryFolder(t), 'image.tar')
  await writeImage(path)
  const copy = `
    import { openStore } from ${openUrl}
    const source = await openStore(${JSON.stringify(`oci-archive:${path}`)})
    const store = await openStore('-', { mode: 'write' })
    const blobs = JSON.parse(process.argv[1])
    try {
      for (const blob of blobs) await store.push(blob, source.fetch(blob))
      await store.tag(blobs.at(-1), 'v1')
      await store.close()
    } catch (error) {
      console.error(error.code, error.message)
    }`
  const blobs = JSON.stringify([...image.layers, image.config, image.manifest])
  const args = ['--input-type=module', '-e', copy, blobs]
  const whole = spawnSync(process.execPath, args)
  assert.equal(whole.stderr.toString(), '')
  assert.equal(digestOf(whole.stdout), digestOf(readFileSync(path)))
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const message = Buffer.from(await collect(child.stderr)).toString()
  assert.match(message, /^UNREACHABLE standard output: .*EPIPE/)
})

// What every store promises, asked of each of them.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readContent } from '../src/content.js'
import type { Descriptor } from '../src/document/descriptor.js'
import { digestOf } from '../src/document/digest.js'
import { encodeManifest } from '../src/document/manifest.js'
import { OCI_MANIFEST } from '../src/document/mediatype.js'
import { formatReference, type ImageReference, parseReference } from '../src/document/reference.js'
import { openStore } from '../src/open.js'
import type { Store } from '../src/store.js'
import { readOnlyStoreChecks, storeChecks } from '../src/testing/store-checks.js'
import { artifact, collect, describe, noise, pushImage, smallImage } from './images.js'
import { temporaryFolder } from './tools.js'

/** How a store is made, and how what was written is read: archives are closed in between. */
interface Kind {
  readonly name: string
  open(t: TestContext): Promise<{ store: Store; reread(): Promise<Store> }>
}

function onDisk(name: string, reference: (folder: string) => ImageReference): Kind {
  return {
    name,
    async open(t) {
      let store: Store | undefined
      t.after(() => store?.close()) // before its folder goes
      const place = reference(temporaryFolder(t))
      store = await openStore(place, { mode: 'write' })
      const reread = async () => {
        await store?.close()
        const reader = await openStore(formatReference(place))
        t.after(() => reader.close())
        return reader
      }
      return { store, reread }
    },
  }
}

const kinds: readonly Kind[] = [
  {
    name: 'memory',
    async open() {
      const store = await openStore('memory:')
      return { store, reread: async () => store }
    },
  },
  onDisk('layout', (folder) => ({ transport: 'oci', path: join(folder, 'deep', 'layout') })),
  onDisk('archive', (folder) => ({ transport: 'oci-archive', path: join(folder, 'image.tar') })),
]

const image = smallImage([{ name: 'a', data: 'first' }], [{ name: 'b', data: noise(3000) }])
const other = smallImage([{ name: 'c', data: 'other' }])

async function names(store: Store): Promise<string[]> {
  const found: string[] = []
  for await (const name of store.tags()) found.push(name)
  return found
}

async function all(descriptors: AsyncIterable<Descriptor>): Promise<Descriptor[]> {
  const found: Descriptor[] = []
  for await (const descriptor of descriptors) found.push(descriptor)
  return found
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

for (const kind of kinds) {
  const check = (name: string, run: (t: TestContext) => Promise<void>) => test(`${kind.name}: ${name}`, run)

  check('an image goes in and comes out', async (t) => {
    const { store, reread } = await kind.open(t)
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    const reader = await reread()
    const top = await reader.resolve('v1')
    assert.equal(top.digest, image.manifest.digest)
    assert.equal((await reader.resolve(undefined)).digest, image.manifest.digest)
    assert.equal((await reader.resolve(image.manifest.digest)).digest, image.manifest.digest)
    assert.deepEqual(await collect(reader.fetch(top)), image.manifestBytes)
    assert.deepEqual(await readContent(reader, image.layers[1]!), image.layerBytes[1])
    assert.ok(await reader.exists(image.config))
    assert.ok(!(await reader.exists({ ...image.config, size: 1 })))
    assert.ok(!(await reader.exists(other.config)))
    assert.deepEqual(await names(reader), ['v1'])
  })

  check('content comes whole, in odd chunks and byte by byte', async (t) => {
    const { store, reread } = await kind.open(t)
    const sizes = [1, 7, 511, 512, 513, 5000]
    const blobs = sizes.map((size) => noise(5000, `${size}`))
    for (const [i, size] of sizes.entries()) await store.push(describe('x', blobs[i]!), chunked(blobs[i]!, size))
    const big = noise((3 << 20) + 5)
    await store.push(describe('x', big), chunked(big, 100_000))
    await store.push(image.config, image.configBytes)
    await pushImage(store, image)
    await store.tag(image.manifest, undefined)
    const reader = await reread()
    for (const bytes of [...blobs, big]) assert.deepEqual(await collect(reader.fetch(describe('x', bytes))), bytes)
    for await (const chunk of reader.fetch(describe('x', big))) {
      assert.ok(chunk.length <= 1 << 20)
      assert.equal(chunk.byteLength, chunk.buffer.byteLength) // so it can be transferred
    }
  })

  check('ranges', async (t) => {
    const { store, reread } = await kind.open(t)
    const bytes = noise((2 << 20) + 100)
    const blob = describe('x', bytes)
    await store.push(blob, bytes)
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    const reader = await reread()
    for (const [start, end] of [
      [0, 0],
      [0, 1],
      [5, 5],
      [100, 1 << 20],
      [(1 << 20) - 1, (1 << 20) + 1],
      [bytes.length - 1, bytes.length],
      [bytes.length, bytes.length],
    ] as const)
      assert.deepEqual(await collect(reader.fetch(blob, { start, end })), bytes.slice(start, end), `${start}-${end}`)
    assert.deepEqual(await collect(reader.fetch(blob, { start: 2 << 20 })), bytes.slice(2 << 20))
    for (const range of [
      { start: -1 },
      { end: bytes.length + 1 },
      { start: 5, end: 4 },
      { start: 0.5 },
      { end: Number.NaN },
    ])
      await assert.rejects(collect(reader.fetch(blob, range)), RangeError)
  })

  check('an empty blob', async (t) => {
    const { store, reread } = await kind.open(t)
    const empty = describe('x', new Uint8Array())
    await store.push(empty, [])
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    const reader = await reread()
    assert.ok(await reader.exists(empty))
    assert.deepEqual(await collect(reader.fetch(empty)), new Uint8Array())
  })

  check('sha512', async (t) => {
    const { store, reread } = await kind.open(t)
    const { createHash } = await import('node:crypto')
    const bytes = noise(700)
    const blob = { mediaType: 'x', digest: `sha512:${createHash('sha512').update(bytes).digest('hex')}`, size: 700 }
    await store.push(blob, bytes)
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    const reader = await reread()
    assert.deepEqual(await collect(reader.fetch(blob)), bytes)
  })

  check('content that is not what its descriptor says stays out', async (t) => {
    const bytes = noise(1000)
    const wrong: readonly [Descriptor, string][] = [
      [{ ...describe('x', bytes), digest: digestOf(noise(1000, 'other')) }, 'DIGEST_MISMATCH'],
      [{ ...describe('x', bytes), size: 999 }, 'SIZE_MISMATCH'],
      [{ ...describe('x', bytes), size: 1001 }, 'SIZE_MISMATCH'],
    ]
    for (const [descriptor, code] of wrong) {
      const { store } = await kind.open(t)
      await assert.rejects(store.push(descriptor, chunked(bytes, 300)), { name: 'StoreError', code })
      assert.ok(!(await store.exists(descriptor)))
      await assert.rejects(collect(store.fetch(descriptor)), { code: 'NOT_FOUND' })
    }
  })

  check('what is not a digest, or no size, never becomes a path or an entry', async (t) => {
    const { store } = await kind.open(t)
    for (const digest of [
      'sha256:../../etc/passwd',
      '',
      'sha256:',
      `sha256:${'A'.repeat(64)}`,
      `md5:${'0'.repeat(32)}`,
      `sha256:${'0'.repeat(63)}/`,
    ]) {
      const descriptor = { mediaType: 'x', digest, size: 1 }
      await assert.rejects(store.push(descriptor, Buffer.from('a')), { code: 'REFERENCE_INVALID' })
      await assert.rejects(store.exists(descriptor), { code: 'REFERENCE_INVALID' })
      await assert.rejects(collect(store.fetch(descriptor)), { code: 'REFERENCE_INVALID' })
    }
    for (const size of [-1, 2 ** 53, 1.5]) {
      const descriptor = { mediaType: 'x', digest: digestOf(Buffer.from('a')), size }
      await assert.rejects(store.push(descriptor, Buffer.from('a')))
      assert.ok(!(await store.exists(descriptor)))
    }
  })

  check('pushing what is there reads nothing', async (t) => {
    const { store } = await kind.open(t)
    await pushImage(store, image)
    const unread = (async function* () {
      yield* []
      throw new Error('it was read')
    })()
    await store.push(image.config, unread)
  })

  check('the same content pushed twice at once', async (t) => {
    const { store, reread } = await kind.open(t)
    const bytes = noise(100_000)
    const blob = describe('x', bytes)
    await Promise.all([1, 2, 3].map(() => store.push(blob, chunked(bytes, 1000))))
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    assert.deepEqual(await collect((await reread()).fetch(blob)), bytes)
  })

  check('a signal ends a push and a fetch', async (t) => {
    const { store } = await kind.open(t)
    const bytes = noise(5 << 20)
    const stop = new AbortController()
    const reason = new Error('enough')
    const content = (async function* () {
      for await (const chunk of chunked(bytes, 1 << 20)) {
        yield chunk
        stop.abort(reason)
      }
    })()
    await assert.rejects(store.push(describe('x', bytes), content, { signal: stop.signal }), reason)
    assert.ok(!(await store.exists(describe('x', bytes))))
    await assert.rejects(store.resolve(undefined, { signal: stop.signal }), reason)
    await assert.rejects(collect(store.fetch(describe('x', bytes), { signal: stop.signal })), reason)
  })

  check('a name moves, others stay', async (t) => {
    const { store, reread } = await kind.open(t)
    await pushImage(store, image)
    await pushImage(store, other)
    await store.tag(image.manifest, 'v1')
    await store.tag(image.manifest, 'v2')
    await store.tag(other.manifest, 'v1')
    const reader = await reread()
    assert.equal((await reader.resolve('v1')).digest, other.manifest.digest)
    assert.equal((await reader.resolve('v2')).digest, image.manifest.digest)
    assert.deepEqual((await names(reader)).sort(), ['v1', 'v2'])
    await assert.rejects(reader.resolve(undefined), {
      code: 'NOT_FOUND',
      message: /several images: say which; it has v2, v1/,
    })
    await assert.rejects(reader.resolve('v3'), { code: 'NOT_FOUND', message: /has no image "v3"; it has v2, v1/ })
    await assert.rejects(reader.resolve('a b'), { code: 'REFERENCE_INVALID' })
  })

  check('what was not pushed cannot be named', async (t) => {
    const { store } = await kind.open(t)
    await assert.rejects(store.tag(image.manifest, 'v1'), { code: 'NOT_FOUND' })
    await assert.rejects(store.attach(image.manifest), { code: 'NOT_FOUND' })
  })

  check('several images without a name are one index', async (t) => {
    const { store } = await kind.open(t)
    await pushImage(store, image)
    await pushImage(store, other)
    await store.tag(image.manifest, undefined)
    await store.tag(other.manifest, undefined)
    assert.equal((await store.resolve(undefined)).digest, other.manifest.digest) // the default image was replaced
    await store.tag(other.manifest, 'named')
    await assert.rejects(store.tag(image.manifest, undefined), { code: 'DENIED', message: /give it a tag/ })
  })

  check('artifacts are found by their subject, and are not images', async (t) => {
    const { store, reread } = await kind.open(t)
    await pushImage(store, image)
    await store.tag(image.manifest, undefined)
    const annotations = new Map([
      ['org.opencontainers.image.ref.name', 'not a tag'],
      ['a', 'b'],
    ])
    const first = artifact(image.manifest, annotations)
    const second = artifact(other.manifest)
    await store.push(first.descriptor, first.bytes)
    await store.push(second.descriptor, second.bytes)
    await store.attach(first.descriptor)
    await store.attach(first.descriptor)
    await store.attach(second.descriptor)
    await assert.rejects(store.attach(image.manifest), { code: 'MANIFEST_INVALID', message: /no subject/ })
    const reader = await reread()
    assert.equal((await reader.resolve(undefined)).digest, image.manifest.digest)
    assert.deepEqual(await names(reader), [])
    const found = await all(reader.referrers(image.manifest))
    assert.deepEqual(found, [{ ...first.descriptor, annotations, artifactType: 'application/vnd.test.config' }])
    assert.equal(
      (await all(reader.referrers(image.manifest, { artifactType: 'application/vnd.test.config' }))).length,
      1,
    )
    assert.deepEqual(await all(reader.referrers(image.manifest, { artifactType: 'other' })), [])
    assert.deepEqual(await all(reader.referrers(image.config)), [])
  })

  check('a document that no index lists is described by itself', async (t) => {
    const { store, reread } = await kind.open(t)
    await pushImage(store, image)
    const untyped = encodeManifest({ schemaVersion: 2, config: image.config, layers: image.layers })
    await store.push(describe(OCI_MANIFEST, untyped), untyped)
    await store.tag(image.manifest, 'v1')
    const reader = await reread()
    assert.deepEqual(await reader.resolve(digestOf(untyped)), describe(OCI_MANIFEST, untyped))
    await assert.rejects(reader.resolve(image.config.digest), { code: 'NOT_FOUND' })
    await assert.rejects(reader.resolve(digestOf(noise(9))), { code: 'NOT_FOUND' })
  })
}

for (const kind of kinds) {
  const checks = (t: TestContext) => storeChecks(() => kind.open(t))
  test(`${kind.name}: what is checked of stores that others write`, async (t) => {
    const names = checks(t).map(({ name }) => name)
    assert.ok(names.length > 8)
    for (const [i, name] of names.entries()) await t.test(name, (own) => checks(own)[i]!.run())
  })
}

test('the checks find stores that break their promises', async () => {
  const open = (change: (store: Store) => Partial<Store>) => async () => {
    const store = await openStore('memory:')
    return { store: Object.assign(Object.create(store) as Store, change(store)) }
  }
  const broken: readonly (readonly [string, (store: Store) => Partial<Store>])[] = [
    ['an image is read as', () => ({ tags: async function* () {} })],
    ['ranges are what', (store) => ({ fetch: (descriptor) => store.fetch(descriptor) })],
    [
      'content with another digest',
      (store) => ({ push: (what, content) => store.push(what, content).catch(() => {}) }),
    ],
    ['what is not a digest', () => ({ exists: async () => false })],
    [
      'a tag moves',
      (store) => ({
        tag: async (what, name) => void ((await names(store)).includes(name!) || (await store.tag(what, name))),
      }),
    ],
    ['a manifest that was not', () => ({ tag: async () => {} })],
    ['artifacts are found', (store) => ({ referrers: (subject) => store.referrers(subject) })],
    ['a signal ends', (store) => ({ resolve: (reference) => store.resolve(reference) })],
  ]
  for (const [name, change] of broken) {
    const check = storeChecks(open(change)).find((one) => one.name.startsWith(name))!
    await assert.rejects(check.run(), name)
  }
})

test('a store that is only read', async (t) => {
  const folder = temporaryFolder(t)
  const writer = await openStore(`oci:${folder}/layout:v1`, { mode: 'write' })
  await pushImage(writer, image)
  await writer.tag(image.manifest, 'v1')
  await writer.close()
  for (const { name, run } of readOnlyStoreChecks(() => openStore(`oci:${folder}/layout`))) await t.test(name, run)
  const checks = readOnlyStoreChecks(() => openStore(`oci:${folder}/layout`, { mode: 'write' }))
  await assert.rejects(checks[1]!.run(), /DENIED|Missing expected rejection/)
})

test('a store that was opened for reading refuses to be written', async (t) => {
  const folder = temporaryFolder(t)
  for (const name of [`oci:${folder}/layout`, `oci-archive:${folder}/image.tar`]) {
    const writer = await openStore(`${name}:v1`, { mode: 'write' })
    await pushImage(writer, image)
    await writer.tag(image.manifest, 'v1')
    await writer.close()
    const before = statSync((parseReference(name) as { path: string }).path).mtimeMs
    const reader = await openStore(name)
    await assert.rejects(reader.push(other.config, other.configBytes), { code: 'DENIED' })
    await assert.rejects(reader.tag(image.manifest, 'v2'), { code: 'DENIED' })
    await reader.close()
    await reader.close()
    assert.equal(statSync((parseReference(name) as { path: string }).path).mtimeMs, before)
  }
})

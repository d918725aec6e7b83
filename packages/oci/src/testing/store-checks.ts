// What every `Store` promises, as checks for stores that others write: they need no test runner, and throw where a promise is broken.
import assert from 'node:assert/strict'
import { readContent, resolveIfThere } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { digestOf } from '../document/digest.js'
import { encodeManifest } from '../document/manifest.js'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../document/mediatype.js'
import type { Store } from '../store.js'

/** One promise, and what checks it. */
export interface StoreCheck {
  readonly name: string
  /** Opens stores by itself, and closes them. @throws AssertionError where the store does not keep its promise */
  run(): Promise<void>
}

/** What a check writes to: an empty place. */
export interface OpenedStore {
  readonly store: Store
  /** What was written, as the next reader finds it. Stores that finish at `close` are closed by it. @default the store itself */
  reread?(): Promise<Store>
}

const MIB = 1 << 20
const SOME = Buffer.from('some content')
const WRONG: readonly (readonly [what: string, descriptor: Descriptor, code: string])[] = [
  ['another digest', { ...describe('x', SOME), digest: digestOf(Buffer.from('other')) }, 'DIGEST_MISMATCH'],
  ['another size', { ...describe('x', SOME), size: SOME.length + 1 }, 'SIZE_MISMATCH'],
]

/**
 * Checks for a store that is read and written.
 *
 * ```ts
 * import { test } from 'node:test'
 * import { storeChecks } from '@sociable/oci/testing'
 *
 * for (const { name, run } of storeChecks(async () => ({ store: new BucketStore(emptyBucket()) }))) test(name, run)
 * ```
 *
 * @param open called for each check: a store in a place of its own, with nothing in it
 */
export function storeChecks(open: () => Promise<OpenedStore>): readonly StoreCheck[] {
  const check = (name: string, run: (opened: Required<OpenedStore>) => Promise<void>): StoreCheck => ({
    name,
    async run() {
      const { store, reread } = await open()
      const readers: Store[] = []
      const reopen = async (): Promise<Store> => {
        const reader = (await reread?.()) ?? store
        readers.push(reader)
        return reader
      }
      try {
        await run({ store, reread: reopen })
      } finally {
        for (const one of new Set([...readers, store])) await one.close()
      }
    },
  })
  return [
    check('an image is read as it was written, by tag and by digest', async ({ store, reread }) => {
      const image = await pushImage(store, 'first')
      await store.tag(image.manifest, 'v1')
      const reader = await reread()
      for (const reference of ['v1', image.manifest.digest])
        assert.equal((await reader.resolve(reference)).digest, image.manifest.digest)
      for (const [descriptor, bytes] of image.contents) {
        assert.ok(Buffer.from(await readContent(reader, descriptor)).equals(bytes))
        assert.ok(await reader.exists(descriptor))
      }
      assert.ok(!(await reader.exists(describe('x', Buffer.from('nothing')))))
      assert.deepEqual(await all(reader.tags()), ['v1'])
    }),
    check('ranges are what was asked for, in chunks of at most 1 MiB', async ({ store, reread }) => {
      const bytes = Buffer.alloc(2 * MIB + 100, 'range')
      const image = await pushImage(store, 'ranges', bytes)
      await store.tag(image.manifest, 'v1')
      const reader = await reread()
      const ranges = [
        [0, 0],
        [0, 1],
        [100, MIB],
        [MIB - 1, MIB + 1],
        [bytes.length - 1, bytes.length],
      ] as const
      for (const [start, end] of ranges) {
        const chunks = await all(reader.fetch(image.layer, { start, end }))
        assert.ok(Buffer.concat(chunks).equals(bytes.subarray(start, end)), `bytes ${start} to ${end}`)
        for (const { length } of chunks) assert.ok(length <= MIB, `a chunk of ${length} bytes`)
      }
      for (const range of [{ start: -1 }, { end: bytes.length + 1 }, { start: 5, end: 4 }])
        await assert.rejects(all(reader.fetch(image.layer, range)), RangeError)
    }),
    ...WRONG.map(([what, descriptor, code]) =>
      check(`content with ${what} is refused, and stays out`, async ({ store }) => {
        await assert.rejects(store.push(descriptor, SOME), { name: 'StoreError', code })
        assert.ok(!(await store.exists(descriptor)), 'it can be seen')
        await store.close().catch(() => {}) // an archive says there, too, that it is not whole
      }),
    ),
    check('what is not a digest is refused', async ({ store }) => {
      for (const digest of ['sha256:../../etc/passwd', '', `sha256:${'A'.repeat(64)}`])
        await assert.rejects(store.exists({ mediaType: 'x', digest, size: 1 }), { code: 'REFERENCE_INVALID' })
    }),
    check('content that is there is not read again', async ({ store }) => {
      const { config } = await pushImage(store, 'again')
      // biome-ignore lint/correctness/useYield: it is not to be read
      const unread = (async function* (): AsyncGenerator<Uint8Array> {
        throw new Error('it was read')
      })()
      await store.push(config, unread)
    }),
    check('calls overlap', async ({ store, reread }) => {
      const images = await Promise.all(['a', 'b', 'c'].map((seed) => pushImage(store, seed)))
      for (const [i, { manifest }] of images.entries()) await store.tag(manifest, `v${i}`)
      const reader = await reread()
      const found = await Promise.all(images.map((_, i) => reader.resolve(`v${i}`)))
      assert.deepEqual(
        found.map(({ digest }) => digest),
        images.map(({ manifest }) => manifest.digest),
      )
    }),
    check('a tag moves, and other tags stay', async ({ store, reread }) => {
      const [first, second] = [await pushImage(store, 'first'), await pushImage(store, 'second')]
      await store.tag(first.manifest, 'v1')
      await store.tag(first.manifest, 'v2')
      await store.tag(second.manifest, 'v1')
      const reader = await reread()
      assert.equal((await reader.resolve('v1')).digest, second.manifest.digest)
      assert.equal((await reader.resolve('v2')).digest, first.manifest.digest)
      assert.deepEqual((await all(reader.tags())).sort(), ['v1', 'v2'])
      assert.equal(await resolveIfThere(reader, 'v3'), undefined)
    }),
    check('a manifest that was not pushed cannot be tagged', async ({ store }) => {
      await assert.rejects(store.tag(imageOf('never').manifest, 'v1'), { code: 'NOT_FOUND' })
    }),
    check('artifacts are found by their subject and type', async ({ store, reread }) => {
      const image = await pushImage(store, 'subject')
      await store.tag(image.manifest, 'v1')
      const artifactType = 'application/vnd.example'
      const bytes = encodeManifest({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        artifactType,
        config: image.config,
        layers: [image.layer],
        subject: image.manifest,
      })
      const artifact = describe(OCI_MANIFEST, bytes)
      await store.push(artifact, bytes)
      for (const _ of ['once', 'again']) await store.attach(artifact)
      const reader = await reread()
      const digests = async (type?: string): Promise<string[]> =>
        (await all(reader.referrers(image.manifest, { artifactType: type }))).map(({ digest }) => digest)
      assert.deepEqual(await digests(), [artifact.digest])
      assert.deepEqual(await digests(artifactType), [artifact.digest])
      assert.deepEqual(await digests('application/vnd.other'), [])
      assert.deepEqual(await all(reader.tags()), ['v1'], 'an artifact is not an image')
    }),
    check('a signal ends calls with its reason', async ({ store }) => {
      const { manifest } = await pushImage(store, 'signal')
      const reason = new Error('enough')
      const { signal } = { signal: AbortSignal.abort(reason) }
      await assert.rejects(store.resolve(manifest.digest, { signal }), reason)
      await assert.rejects(all(store.fetch(manifest, { signal })), reason)
      await assert.rejects(store.push(describe('x', Buffer.from('signal')), Buffer.from('signal'), { signal }), reason)
    }),
    check('it can be closed twice', async ({ store }) => {
      await store.close()
    }),
  ]
}

/**
 * Checks for a store that is only read.
 * @param open called for each check: a store that has an image with the tag `v1`
 */
export function readOnlyStoreChecks(open: () => Promise<Store>): readonly StoreCheck[] {
  const check = (name: string, run: (store: Store) => Promise<void>): StoreCheck => ({
    name,
    async run() {
      const store = await open()
      try {
        await run(store)
      } finally {
        await store.close()
      }
    },
  })
  return [
    check('the image is read by tag and by digest, and verified', async (store) => {
      const top = await store.resolve('v1')
      assert.equal((await store.resolve(top.digest)).digest, top.digest)
      assert.ok(await store.exists(top))
      const bytes = await readContent(store, top)
      assert.deepEqual([digestOf(bytes), bytes.length], [top.digest, top.size])
      assert.ok((await all(store.tags())).includes('v1'))
      await assert.rejects(all(store.fetch({ ...top, size: top.size + 1 })), { name: 'StoreError' })
      await assert.rejects(store.resolve('another'), { name: 'StoreError', code: 'NOT_FOUND' })
    }),
    check('push and tag are refused with DENIED, and attach is refused', async (store) => {
      const top = await store.resolve('v1')
      const denied = { name: 'StoreError', code: 'DENIED' }
      await assert.rejects(store.push(describe('x', Buffer.from('new')), Buffer.from('new')), denied)
      await assert.rejects(store.tag(top, 'v2'), denied)
      await assert.rejects(store.attach(top))
    }),
  ]
}

interface CheckedImage {
  readonly manifest: Descriptor
  readonly config: Descriptor
  readonly layer: Descriptor
  /** What it is made of, in the order in which it is pushed. */
  readonly contents: readonly (readonly [Descriptor, Uint8Array])[]
}

function imageOf(seed: string, layerBytes: Uint8Array = Buffer.from(`layer ${seed}`)): CheckedImage {
  const configBytes = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', author: seed }))
  const [config, layer] = [describe(OCI_CONFIG, configBytes), describe(OCI_LAYER, layerBytes)]
  const bytes = encodeManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] })
  const manifest = describe(OCI_MANIFEST, bytes)
  const contents = [
    [layer, layerBytes],
    [config, configBytes],
    [manifest, bytes],
  ] as const
  return { manifest, config, layer, contents }
}

async function pushImage(store: Store, seed: string, layerBytes?: Uint8Array): Promise<CheckedImage> {
  const image = imageOf(seed, layerBytes)
  for (const [descriptor, bytes] of image.contents) await store.push(descriptor, bytes)
  return image
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

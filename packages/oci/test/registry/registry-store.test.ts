// What every store promises, asked of registries of others.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { readContent } from '../../src/content.js'
import { digestOf } from '../../src/document/digest.js'
import { encodeIndex, encodeManifest } from '../../src/document/manifest.js'
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX } from '../../src/document/mediatype.js'
import { fallbackTag } from '../../src/registry/referrers.js'
import { serveRegistry } from '../../src/server/registry-server.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import {
  BASIC_PASSWORD,
  BASIC_USER,
  startCraneRegistry,
  startDockerRegistry,
  startReferrersRegistry,
} from '../doubles/real-registries.js'
import { artifact, collect, describe, noise, pushImage, smallImage } from '../images.js'
import { tool } from '../tools.js'
import { all, chunked, openRepository, run } from './open.js'

interface Kind {
  readonly name: string
  /** Whether it lists referrers by the API; else under tags. */
  readonly api: boolean
  readonly mounts: boolean
  start(t: TestContext): Promise<{ readonly host: string } | undefined>
}

const kinds: readonly Kind[] = [
  { name: 'docker-registry', api: false, mounts: true, start: startDockerRegistry },
  { name: 'crane', api: false, mounts: false, start: startCraneRegistry },
  {
    name: 'ociregistry',
    api: true,
    mounts: true,
    start: (t) => startReferrersRegistry(t, 'ociregistry'),
  },
  {
    name: 'go-containerregistry',
    api: true,
    mounts: false,
    start: (t) => startReferrersRegistry(t, 'go-containerregistry'),
  },
  {
    name: 'our own',
    api: true,
    mounts: true,
    async start(t) {
      const server = await serveRegistry({ repositories: memoryRepositories(), pageSize: 5 })
      t.after(() => server.close())
      return server
    },
  },
]

const image = smallImage([{ name: 'a', data: 'first' }], [{ name: 'b', data: noise(3000) }])
const other = smallImage([{ name: 'c', data: 'other' }])

for (const kind of kinds) {
  const check = (name: string, body: (t: TestContext, registry: { readonly host: string }) => Promise<void>) =>
    test(`${kind.name}: ${name}`, async (t) => {
      const registry = await kind.start(t)
      if (registry !== undefined) await body(t, registry)
    })

  check('an image goes in and comes out, and crane and skopeo see the same', async (t, { host }) => {
    const store = await openRepository(t, host, 'deep/app')
    assert.equal(store.name, `${host}/deep/app`)
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    await store.tag(image.manifest, undefined) // changes nothing
    await store.tag(image.manifest, 'latest')
    const reader = await openRepository(t, host, 'deep/app')
    const top = await reader.resolve('v1')
    assert.deepEqual(top, image.manifest)
    assert.deepEqual(await reader.resolve(undefined), image.manifest)
    assert.deepEqual(await reader.resolve(image.manifest.digest), image.manifest)
    assert.deepEqual(await collect(reader.fetch(top)), image.manifestBytes)
    assert.deepEqual(await collect(reader.fetch(top, { start: 3, end: 9 })), image.manifestBytes.slice(3, 9))
    for (const [i, layer] of image.layers.entries())
      assert.deepEqual(await readContent(reader, layer), image.layerBytes[i])
    assert.ok(await reader.exists(image.config))
    assert.ok(await reader.exists(image.manifest))
    assert.ok(!(await reader.exists({ ...image.config, size: 1 })))
    assert.ok(!(await reader.exists(other.config)))
    assert.ok(!(await reader.exists(other.manifest)))
    assert.deepEqual((await all(reader.tags())).sort(), ['latest', 'v1'])
    const crane = await tool(t, 'crane')
    if (crane !== undefined)
      assert.equal((await run(crane, 'digest', '--insecure', `${host}/deep/app:v1`)).trim(), image.manifest.digest)
    const skopeo = await tool(t, 'skopeo')
    if (skopeo === undefined) return
    const seen = await run(skopeo, 'inspect', '--raw', '--tls-verify=false', `docker://${host}/deep/app:v1`)
    assert.equal(digestOf(Buffer.from(seen)), image.manifest.digest)
  })

  check('content comes whole, in odd chunks and byte by byte', async (t, { host }) => {
    const store = await openRepository(t, host, 'app', { memory: 5 << 20 })
    const sizes = [1, 7, 511, 512, 513, 5000]
    const blobs = sizes.map((size) => noise(5000, `${size}`))
    for (const [i, size] of sizes.entries()) await store.push(describe('x', blobs[i]!), chunked(blobs[i]!, size))
    for (const bytes of blobs) assert.deepEqual(await collect(store.fetch(describe('x', bytes))), bytes)
    const big = noise((5 << 20) + 5) // of parts of 1 MiB
    await store.push(describe('x', big), chunked(big, 100_000))
    assert.deepEqual(await collect(store.fetch(describe('x', big))), big)
    for await (const chunk of store.fetch(describe('x', big))) {
      assert.ok(chunk.length <= 1 << 20)
      assert.equal(chunk.byteLength, chunk.buffer.byteLength) // so it can be transferred
    }
    for (const [start, end] of [
      [0, 0],
      [0, 1],
      [5, 5],
      [100, 4 << 20],
      [(1 << 20) - 1, (1 << 20) + 1],
      [big.length - 1, big.length],
      [big.length, big.length],
    ] as const)
      assert.deepEqual(await collect(store.fetch(describe('x', big), { start, end })), big.slice(start, end))
    for (const range of [{ start: -1 }, { end: big.length + 1 }, { start: 5, end: 4 }, { start: 0.5 }])
      await assert.rejects(collect(store.fetch(describe('x', big), range)), RangeError)
  })

  check('an empty blob', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    const empty = describe('x', new Uint8Array())
    await store.push(empty, [])
    assert.ok(await store.exists(empty))
    assert.deepEqual(await collect(store.fetch(empty)), new Uint8Array())
  })

  check('content that is not what its descriptor says stays out', async (t, { host }) => {
    const bytes = noise(1000)
    const store = await openRepository(t, host, 'app')
    for (const [descriptor, code] of [
      [{ ...describe('x', bytes), digest: digestOf(noise(1000, 'other')) }, 'DIGEST_MISMATCH'],
      [{ ...describe('x', bytes), size: 999 }, 'SIZE_MISMATCH'],
      [{ ...describe('x', bytes), size: 1001 }, 'SIZE_MISMATCH'],
      [{ ...image.manifest, size: image.manifest.size + 1 }, 'SIZE_MISMATCH'],
    ] as const) {
      const content = descriptor.mediaType === 'x' ? chunked(bytes, 300) : image.manifestBytes
      await assert.rejects(store.push(descriptor, content), { name: 'StoreError', code })
      assert.ok(!(await store.exists(descriptor)))
      await assert.rejects(collect(store.fetch(descriptor)), { code: 'NOT_FOUND' })
    }
  })

  check('pushing what is there reads nothing', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    const unreadable = (async function* (): AsyncGenerator<Uint8Array> {
      yield* []
      assert.fail('it was read')
    })()
    for (const descriptor of [image.layers[0]!, image.config, image.manifest]) await store.push(descriptor, unreadable)
  })

  check('every type of manifest', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    const docker = encodeManifest({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { ...image.config, mediaType: 'application/vnd.docker.container.image.v1+json' },
      layers: [],
    })
    for (const [mediaType, bytes] of [
      [DOCKER_MANIFEST, docker],
      [OCI_INDEX, encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [image.manifest] })],
      [
        DOCKER_MANIFEST_LIST,
        encodeIndex({
          schemaVersion: 2,
          mediaType: DOCKER_MANIFEST_LIST,
          manifests: [{ ...image.manifest, platform: { architecture: 'amd64', os: 'linux' } }],
        }),
      ],
    ] as const) {
      const descriptor = describe(mediaType, bytes)
      await store.push(descriptor, bytes)
      await store.tag(descriptor, 'top')
      const reader = await openRepository(t, host, 'app')
      assert.deepEqual(await reader.resolve('top'), descriptor)
      assert.deepEqual(await collect(reader.fetch(descriptor)), bytes)
    }
  })

  check('names that are not there', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    await assert.rejects(store.resolve('v1'), {
      code: 'NOT_FOUND',
      message: /app:v1 is not in the registry; nor is there/,
    })
    await pushImage(store, image)
    await store.tag(image.manifest, 'v2')
    await assert.rejects(store.resolve('v1'), {
      code: 'NOT_FOUND',
      message: /app:v1 is not in the registry; there are v2$/,
    })
    await assert.rejects(store.resolve(other.manifest.digest), { code: 'NOT_FOUND' })
    await assert.rejects(collect(store.fetch(other.manifest)), { code: 'NOT_FOUND' })
    await assert.rejects(store.resolve('../x'), { code: 'REFERENCE_INVALID' })
    await assert.rejects(store.tag(image.manifest, '-v'), { code: 'REFERENCE_INVALID' })
    await assert.rejects(store.exists({ mediaType: 'x', digest: 'sha256:../..', size: 1 }), {
      code: 'REFERENCE_INVALID',
    })
  })

  check('a layer of another repository is mounted', async (t, { host }) => {
    const store = await openRepository(t, host, 'source')
    await pushImage(store, image)
    const destination = await openRepository(t, host, 'destination')
    assert.equal(await destination.mount(image.layers[1]!, store), kind.mounts)
    await destination.push(image.layers[1]!, image.layerBytes[1]!)
    assert.deepEqual(await readContent(destination, image.layers[1]!), image.layerBytes[1])
    // What is not there is uploaded, on the upload that the registry has opened instead.
    const bytes = noise(500, 'new')
    assert.ok(!(await destination.mount(describe('x', bytes), store)))
    await destination.push(describe('x', bytes), bytes)
    assert.deepEqual(await readContent(destination, describe('x', bytes)), bytes)
  })

  check('referrers', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    const first = artifact(image.manifest, new Map([['n', '1']]))
    const second = artifact(image.manifest, new Map([['n', '2']]))
    await store.push(describe('application/vnd.test.config', Buffer.from('{}')), Buffer.from('{}'))
    assert.deepEqual(await all(store.referrers(image.manifest)), [])
    for (const { descriptor, bytes } of [first, second, first]) {
      await store.push(descriptor, bytes)
      await store.attach(descriptor)
    }
    const reader = await openRepository(t, host, 'app')
    const found = await all(reader.referrers(image.manifest))
    assert.deepEqual(
      found.map(({ digest }) => digest).sort(),
      [first.descriptor.digest, second.descriptor.digest].sort(),
    )
    for (const { mediaType, size, artifactType } of found) {
      assert.equal(mediaType, first.descriptor.mediaType)
      assert.equal(size, first.descriptor.size)
      assert.equal(artifactType, 'application/vnd.test.config')
    }
    if (!kind.api) assert.deepEqual(found.map(({ annotations }) => annotations?.get('n')).sort(), ['1', '2'])
    assert.equal(
      (await all(reader.referrers(image.manifest, { artifactType: 'application/vnd.test.config' }))).length,
      2,
    )
    assert.deepEqual(await all(reader.referrers(image.manifest, { artifactType: 'other/type' })), [])
    assert.equal((await all(reader.tags())).includes(fallbackTag(image.manifest.digest)), !kind.api)
    await assert.rejects(store.attach(image.manifest), { code: 'MANIFEST_INVALID' })
    await store.delete(first.descriptor)
    await store.delete(first.descriptor) // again changes nothing
    assert.deepEqual(
      (await all(reader.referrers(image.manifest))).map(({ digest }) => digest),
      [second.descriptor.digest],
    )
    assert.ok(!(await reader.exists(first.descriptor)))
  })

  check('several attach at once, each from a process of its own', async (t, { host }) => {
    const writers = await Promise.all(Array.from({ length: 6 }, () => openRepository(t, host, 'app')))
    await pushImage(writers[0]!, image)
    await writers[0]!.push(describe('application/vnd.test.config', Buffer.from('{}')), Buffer.from('{}'))
    const artifacts = writers.map((_, i) => artifact(image.manifest, new Map([['n', `${i}`]])))
    await Promise.all(
      writers.map(async (store, i) => {
        await store.push(artifacts[i]!.descriptor, artifacts[i]!.bytes)
        await store.attach(artifacts[i]!.descriptor)
      }),
    )
    assert.deepEqual(
      (await all(writers[0]!.referrers(image.manifest))).map(({ digest }) => digest).sort(),
      artifacts.map(({ descriptor }) => descriptor.digest).sort(),
    )
  })

  check('more tags than a page has', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    const names = Array.from({ length: 12 }, (_, i) => `v${String(i).padStart(2, '0')}`)
    for (const name of names) await store.tag(image.manifest, name)
    assert.deepEqual((await all(store.tags())).sort(), names)
  })

  check('an AbortSignal ends a call', async (t, { host }) => {
    const store = await openRepository(t, host, 'app')
    const big = noise(3 << 20)
    await store.push(describe('x', big), big)
    const abort = new AbortController()
    const reason = new Error('enough')
    const reading = (async () => {
      for await (const _ of store.fetch(describe('x', big), { signal: abort.signal })) abort.abort(reason)
    })()
    await assert.rejects(reading, reason)
    for (const call of [
      () => store.exists(image.config, { signal: abort.signal }),
      () => store.push(image.config, image.configBytes, { signal: abort.signal }),
      () => store.resolve('v1', { signal: abort.signal }),
      () => store.tag(image.manifest, 'v1', { signal: abort.signal }),
      () => all(store.tags({ signal: abort.signal })),
      () => all(store.referrers(image.manifest, { signal: abort.signal })),
    ])
      await assert.rejects(call, reason)
  })
}

test('docker-registry: a login', async (t) => {
  const registry = await startDockerRegistry(t, { auth: 'basic' })
  if (registry === undefined) return
  const { host } = registry
  const anonymous = await openRepository(t, host, 'app')
  await assert.rejects(anonymous.resolve('v1'), {
    code: 'UNAUTHORIZED',
    message: /there is no login for .*docker login/s,
  })
  const login = (password: string) => async () =>
    ({ kind: 'password', username: BASIC_USER, password, source: 'the test' }) as const
  const refused = await openRepository(t, host, 'app', { credentials: login('guessed') })
  await assert.rejects(refused.resolve('v1'), (error: Error) => {
    assert.match(error.message, /answered 401.*the test is not accepted/)
    assert.doesNotMatch(error.message, /guessed/)
    return true
  })
  const store = await openRepository(t, host, 'app', { credentials: login(BASIC_PASSWORD) })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  assert.deepEqual(await store.resolve('v1'), image.manifest)
})

test('docker-registry: deletes that are switched off', async (t) => {
  const registry = await startDockerRegistry(t, { delete: false })
  if (registry === undefined) return
  const store = await openRepository(t, registry.host, 'app')
  await pushImage(store, image)
  await assert.rejects(store.delete(image.manifest), { code: 'DENIED', message: /DELETE .* answered 405/ })
})

test('a digest of another algorithm', async (t) => {
  const server = await serveRegistry({ repositories: memoryRepositories() })
  t.after(() => server.close())
  const store = await openRepository(t, server.host, 'app')
  const bytes = noise(700)
  const blob = { mediaType: 'x', digest: `sha512:${createHash('sha512').update(bytes).digest('hex')}`, size: 700 }
  await store.push(blob, bytes)
  assert.ok(await store.exists(blob))
  assert.deepEqual(await collect(store.fetch(blob)), bytes)
})

// Whole images through registries: what is read, what is sent, and what other tools find there.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { type Descriptor, openStore } from '@sociable/oci'
import { convert, copyImage, createIndex, indexOneLayer, inspect, openImage, removeSoci } from '../../src/index.js'
import { TestFolder } from '../support/folder.js'
import type { LayoutBuilder } from '../support/layout.js'
import { type CountedRegistry, doubles, KINDS, sharesBlobs, startRegistry, writes } from '../support/registries.js'
import { AMD64, attestation, layer, NAMED_APP, SMALL, twoManifests, twoPlatforms } from '../support/samples.js'

/** Not synchronous: the proxy that is asked is in this process. */
const execute = promisify(execFile)

const folder = new TestFolder()
const V1 = 'application/vnd.amazon.soci.index.v1+json'

function attested(layout: LayoutBuilder): void {
  const [amd64, arm64] = twoManifests(layout)
  layout.top(layout.imageIndex([amd64, arm64, attestation(layout, amd64)], {}, NAMED_APP))
}

/** The registry with an image, `app:1`. */
async function withImage(
  t: TestContext,
  kind: (typeof KINDS)[number],
  build: (layout: LayoutBuilder) => void = twoPlatforms,
): Promise<(CountedRegistry & { readonly input: string; readonly image: string }) | undefined> {
  const registry = await startRegistry(t, kind)
  if (registry === undefined) return undefined
  const input = `oci:${folder.layout(build)}:app`
  const image = `${registry.host}/team/app:1`
  await copyImage(input, image)
  registry.seen()
  return { ...registry, input, image }
}

for (const kind of KINDS) {
  test(`${kind}: convert where the image lives: layers are read once and never sent`, async (t) => {
    const registry = await withImage(t, kind, attested)
    if (registry === undefined) return
    const { input, image, proxy } = registry
    const local = await convert(input, `oci:${folder.fresh()}:v`, SMALL)
    const before = proxy.bytes.received
    const result = await convert(image, undefined, SMALL)
    assert.equal(result.destination, `${image}-soci`)
    assert.equal(result.digest, local.digest, 'the same image as from a layout')
    assert.deepEqual(
      registry
        .blobsRead()
        .filter((blob) => result.images.some(({ layers }) => layers.some(({ digest }) => blob.endsWith(digest))))
        .length,
      3,
      'each layer once',
    )
    const sizes = result.images.flatMap(({ layers }) => layers.map(({ ztoc }) => ztoc!.size))
    const documents = 40_000
    assert.ok(
      proxy.bytes.received - before < sizes.reduce((a, b) => a + b) + documents,
      'only zTOCs and manifests go up',
    )
    const order = proxy.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)
    assert.ok(order.at(-1)!.endsWith('/manifests/1-soci'), 'the tag comes last')
    const firstManifest = order.findIndex((path) => path.includes('/app/manifests/sha256:'))
    assert.ok(firstManifest > 0)

    registry.seen()
    const again = await convert(image, undefined, SMALL)
    assert.equal(again.digest, result.digest)
    assert.equal(again.bytesIndexed, 0)
    assert.deepEqual(
      again.images.flatMap(({ layers }) => layers.map(({ state }) => state)),
      ['reused', 'reused', 'reused', 'reused'],
    )
    assert.deepEqual(registry.blobsRead(), [], 'a second run reads manifests only')
    assert.deepEqual(writes(registry.seen()), [], 'and sends nothing')

    const { tool } = await doubles()
    const crane = await tool(t, 'crane')
    if (crane === undefined) return
    assert.equal((await execute(crane, ['digest', `${image}-soci`])).stdout.trim(), result.digest)
    await execute(crane, ['pull', '--format=oci', `${image}-soci`, folder.fresh()])
  })

  test(`${kind}: from a layout, to another repository, and to another registry`, async (t) => {
    const registry = await withImage(t, kind)
    const other = await startRegistry(t, 'our own')
    if (registry === undefined || other === undefined) return
    const { input, image, host, proxy } = registry
    const { digest } = await convert(input, `oci:${folder.fresh()}:v`, SMALL)
    assert.equal((await convert(input, `${host}/from-layout:v`, SMALL)).digest, digest)
    registry.seen()
    assert.equal((await convert(image, `${host}/mounted:v`, SMALL)).digest, digest)
    const layers = (await inspect(image)).images.flatMap(({ layers }) => layers.map(({ digest }) => digest))
    const isLayer = (path: string): boolean => layers.some((digest) => path.includes(digest))
    const ofMounted = proxy.requests.filter(({ path }) => path.startsWith('/v2/mounted/blobs/uploads/'))
    const count = (method: string) => ofMounted.filter((seen) => seen.method === method && isLayer(seen.path)).length
    assert.equal(count('POST'), sharesBlobs(kind) ? 0 : 3, 'each layer is mounted')
    assert.equal(count('PUT'), 0, 'and none is sent')
    registry.seen()
    assert.equal((await convert(image, `${other.host}/streamed:v`, SMALL)).digest, digest)
    const read = registry.blobsRead()
    assert.equal(new Set(read).size, read.length, 'what goes two ways is read once')
    assert.equal(
      (await convert(`${other.host}/streamed:v`, `oci-archive:${folder.fresh()}.tar:v`, SMALL)).digest,
      digest,
    )
  })

  test(`${kind}: create attaches an index that others find; rm takes it away`, async (t) => {
    const registry = await withImage(t, kind)
    if (registry === undefined) return
    const { image, host } = registry
    const before = await inspect(image)
    assert.equal(before.sociEnabled, false)
    const result = await createIndex(image, SMALL)
    const store = await openStore(`${host}/team/app`)
    const referrers = async (subject: Descriptor) => {
      const found: string[] = []
      for await (const { digest } of store.referrers(subject, { artifactType: V1 })) found.push(digest)
      return found
    }
    for (const { index, manifest } of result.images) assert.deepEqual(await referrers(manifest), [index!.digest])
    const after = await inspect(image)
    assert.equal(after.digest, before.digest)
    assert.equal(after.sociEnabled, true)
    assert.deepEqual(
      after.images.map(({ version }) => version),
      ['v1', 'v1'],
    )

    registry.seen()
    const again = await createIndex(image, SMALL)
    assert.deepEqual(
      again.images.map(({ index }) => index),
      result.images.map(({ index }) => index),
    )
    assert.deepEqual(registry.blobsRead(), [])
    assert.deepEqual(writes(registry.seen()), [])

    // The same layers in a v2 image: the zTOCs of a v1 index, which anyone can attach, are reused only on request
    const converted = await convert(image, undefined, { ...SMALL, trustZtocs: true })
    assert.equal(converted.bytesIndexed, 0)
    const { bytesIndexed, digest } = await convert(image, `${host}/team/app:untrusting`, SMALL)
    assert.ok(bytesIndexed > 0)
    assert.equal(digest, converted.digest)

    const copied = await copyImage(image, `${host}/copied:1`)
    assert.equal(copied.digest, before.digest)
    assert.deepEqual(
      copied.referrers.map(({ artifactType }) => artifactType),
      [V1, V1],
    )
    assert.deepEqual((await inspect(`${host}/copied:1`)).images, after.images)

    const removed = await removeSoci(image)
    assert.deepEqual(
      removed.removed.map(({ digest, version }) => [digest, version]),
      result.images.map(({ index }) => [index!.digest, 'v1']),
    )
    assert.equal(removed.digest, before.digest)
    assert.deepEqual(await inspect(image), before)
    await store.close()
  })

  test(`${kind}: a file, through its zTOC and a span`, async (t) => {
    const registry = await withImage(t, kind, (layout) =>
      layout.top(layout.manifest([layer(layout, 'big', 400_000), layer(layout, 'a')], AMD64, NAMED_APP)),
    )
    if (registry === undefined) return
    const { image } = registry
    const options = { spanSize: 50_000, minLayerSize: 0 }
    await convert(image, undefined, options)
    registry.seen()
    const opened = await openImage(`${image}-soci`, { platform: 'linux/amd64' })
    assert.equal((await opened.read('a/f')).length, 3000)
    assert.ok(opened.statistics.bytes < 100_000, 'of an image of 400,000')
    await opened.close()
    const digest = (await inspect(image)).images[0]!.layers[0]!.digest
    const one = await indexOneLayer(`${image}@${digest}`, { spanSize: 2000 })
    assert.equal(one.layer.digest, digest)
  })
}

/** Layers that both versions have, and one of their own. */
function version(top: string): (layout: LayoutBuilder) => void {
  return (layout) =>
    layout.top(
      layout.manifest(
        [layer(layout, 'base', 9000), layer(layout, 'middle', 5000), layer(layout, top)],
        AMD64,
        NAMED_APP,
      ),
    )
}

test('a new version that changes its top layer reads that layer only', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host } = registry
  const image = `${host}/app`
  await copyImage(`oci:${folder.layout(version('one'))}`, `${image}:1`)
  const second = folder.layout(version('two'))
  await copyImage(`oci:${second}`, `${image}:2`)
  await convert(`${image}:1`, `${image}:latest-soci`, SMALL)
  const fresh = await convert(`oci:${second}`, `oci:${folder.fresh()}:v`, SMALL)
  const top = fresh.images[0]!.layers[2]!

  const layersRead = () => {
    const digests = new Set(fresh.images[0]!.layers.map(({ digest }) => digest))
    return registry
      .blobsRead()
      .map((blob) => blob.split('@')[1]!)
      .filter((digest) => digests.has(digest))
  }
  registry.seen()
  const moved = await convert(`${image}:2`, `${image}:latest-soci`, SMALL)
  assert.equal(moved.digest, fresh.digest)
  assert.deepEqual(
    moved.images[0]!.layers.map(({ state }) => state),
    ['reused', 'reused', 'indexed'],
  )
  assert.deepEqual(layersRead(), [top.digest], "from the destination's former image")

  await convert(`${image}:1`, `${image}:1-soci`, SMALL)
  registry.seen()
  const named = await convert(`${image}:2`, `${image}:other`, {
    ...SMALL,
    cacheFrom: [`${image}:none`, `${image}:1-soci`],
  })
  assert.equal(named.digest, fresh.digest)
  assert.deepEqual(layersRead(), [top.digest], 'from an image that was named')
  assert.match(named.warnings.join('\n'), /none is not in the registry/)

  const distrusted = await convert(`${image}:2`, `${host}/elsewhere:v`, { ...SMALL, cacheFrom: [`${image}:1-soci`] })
  assert.deepEqual(
    distrusted.images[0]!.layers.map(({ state }) => state),
    ['indexed', 'indexed', 'indexed'],
  )
  assert.match(distrusted.warnings.join('\n'), /not from the destination's own repository: --trust-ztocs takes them/)
  const options = { ...SMALL, cacheFrom: [`${image}:1-soci`], trustZtocs: true }
  const trusted = await convert(`${image}:2`, `${host}/another:v`, options)
  assert.deepEqual(
    trusted.images[0]!.layers.map(({ state }) => state),
    ['reused', 'reused', 'indexed'],
  )
  assert.equal(trusted.digest, fresh.digest)
  const forced = await convert(`${image}:2`, `${host}/another:v`, { ...options, force: true })
  assert.deepEqual(
    forced.images[0]!.layers.map(({ state }) => state),
    ['indexed', 'indexed', 'indexed'],
  )
})

test('a login goes to its registry, and comes with a password', async (t) => {
  const { startDockerRegistry, BASIC_USER, BASIC_PASSWORD } = await doubles()
  const registry = await startDockerRegistry(t, { auth: 'basic' })
  if (registry === undefined) return
  const login = { username: BASIC_USER, password: BASIC_PASSWORD }
  const input = `oci:${folder.layout(twoPlatforms)}:app`
  const { digest } = await convert(input, `${registry.host}/app:v`, { ...SMALL, ...login })
  assert.equal((await inspect(`${registry.host}/app:v`, login)).digest, digest)
  await assert.rejects(inspect(`${registry.host}/app:v`, { ...login, password: 'wrong' }), (error: Error) => {
    assert.match(String('code' in error && error.code), /UNAUTHORIZED|DENIED/)
    assert.ok(!error.message.includes('wrong'))
    return true
  })
  await assert.rejects(inspect(`${registry.host}/app:v`, { username: 'me' }), TypeError)
})

test('an upload that breaks while a layer passes by is made good', async (t) => {
  const source = await startRegistry(t, 'our own')
  const destination = await startRegistry(t, 'our own')
  if (source === undefined || destination === undefined) return
  const input = folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'a', 400_000)], AMD64, NAMED_APP)))
  await copyImage(`oci:${input}`, `${source.host}/app:1`)
  const { digest } = await convert(`oci:${input}`, `oci:${folder.fresh()}:v`, SMALL)
  let broken = 0
  destination.proxy.setFault(({ method, headers }) =>
    method === 'PUT' && Number(headers['content-length']) > 300_000 && broken++ === 0
      ? { kind: 'cut-request', after: 100_000 }
      : undefined,
  )
  assert.equal((await convert(`${source.host}/app:1`, `${destination.host}/app:1`, SMALL)).digest, digest)
  assert.ok(broken >= 2, 'sent again')
  assert.equal((await inspect(`${destination.host}/app:1`)).digest, digest)
})

// Runs that find a result there already: what they read again, and what they learn before they read anything.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openStore } from '@sociable/oci'
import { ecrImmutableTags, RegistryClient } from '@sociable/oci/registry'
import { type ConvertOptions, type ConvertResult, convert, copyImage, createIndex, inspect } from '../src/index.js'
import { TestFolder } from './support/folder.js'
import type { LayoutBuilder, RawDescriptor } from './support/layout.js'
import { doubles, startRegistry, writes } from './support/registries.js'
import { AMD64, layer, NAMED_APP, SMALL, twoPlatforms } from './support/samples.js'
import { noise, tar } from './support/tar.js'

const folder = new TestFolder()
const TAR = 'application/vnd.oci.image.layer.v1.tar'

/** A layer that no runtime would load lazily: its link claims to have content. */
function refused(layout: LayoutBuilder): RawDescriptor {
  const entries = [
    { name: 'link', type: '2', linkname: 'x', size: 5000 },
    { name: 'after', content: noise(5000, 'refused') },
  ]
  return layout.blob(tar(entries), TAR)
}

/** Of one platform, which the index tells: the config need not be read for it. */
const image = (...makers: ((layout: LayoutBuilder) => RawDescriptor)[]): string => {
  const build = (layout: LayoutBuilder) => {
    const layers = makers.map((make) => make(layout))
    layout.top(layout.imageIndex([layout.manifest(layers, AMD64, { platform: AMD64 })], {}, NAMED_APP))
  }
  return `oci:${folder.layout(build)}:app`
}

const states = ({ images }: Pick<ConvertResult, 'images'>) =>
  images.flatMap(({ layers }) => layers.map(({ state }) => state))

/** The image in a registry, as `app:1`. */
async function inRegistry(t: TestContext, input: string) {
  const registry = (await startRegistry(t, 'our own'))!
  const name = `${registry.host}/app:1`
  await copyImage(input, name)
  registry.seen()
  return { ...registry, name }
}

/** Runs twice, and gives the second result with what was read and sent for it. */
async function twice<Result>(registry: Awaited<ReturnType<typeof inRegistry>>, run: () => Promise<Result>) {
  const first = await run()
  registry.seen()
  const second = await run()
  const read = registry.blobsRead().map((blob) => blob.split('@')[1])
  return { first, second, read, sent: writes(registry.seen()) }
}

test('a layer that a runtime would refuse is read by the first run only', async (t) => {
  const registry = await inRegistry(
    t,
    image((layout) => layer(layout, 'a'), refused),
  )
  const { first, second, read, sent } = await twice(registry, () => convert(registry.name, undefined, SMALL))
  assert.deepEqual(states(first), ['indexed', 'skipped'])
  assert.deepEqual(states(second), ['reused', 'skipped'])
  assert.equal(second.images[0]!.layers[1]!.reason, 'a runtime would refuse its zTOC, as an earlier run found')
  assert.equal(second.digest, first.digest)
  assert.deepEqual([read, sent], [[], []])

  // A new version of the image, where a former result cannot be taken as it is
  const attached = await twice(registry, () => createIndex(registry.name, SMALL))
  assert.deepEqual(states(attached.second), ['reused', 'skipped'])
  assert.deepEqual([attached.read, attached.sent], [[], []])
  const forced = await convert(registry.name, undefined, { ...SMALL, force: true })
  assert.deepEqual(states(forced), ['indexed', 'skipped'])
  assert.match(forced.images[0]!.layers[1]!.reason!, /^a runtime would refuse its zTOC: /, 'force reads it again')
})

test('in a layout it is not read again either', async () => {
  const input = image((layout) => layer(layout, 'a'), refused)
  const first = await convert(input, undefined, SMALL)
  const second = await convert(input, undefined, SMALL)
  assert.deepEqual([second.digest, states(second), second.bytesIndexed], [first.digest, ['reused', 'skipped'], 0])
  assert.match(second.images[0]!.layers[1]!.reason!, /as an earlier run found$/)
})

test('a layer that was left out for another reason is indexed', async (t) => {
  const small = (layout: LayoutBuilder) => layer(layout, 'small', 1000)
  const big = (layout: LayoutBuilder) => layer(layout, 'big', 9000)
  const registry = await inRegistry(t, image(big, small))
  const run = (options: ConvertOptions) => convert(registry.name, undefined, { ...SMALL, ...options })
  assert.deepEqual(states(await run({ minLayerSize: 5000 })), ['indexed', 'skipped'])
  assert.deepEqual(states(await run({})), ['reused', 'indexed'], 'it was too small before')
  // Of another tool, and with another span size: nothing is known of either layer
  assert.deepEqual(states(await run({ spanSize: 3000 })), ['indexed', 'indexed'])
  const tool = { buildTool: 'another', trustZtocs: true }
  assert.deepEqual(states(await run({ ...tool, minLayerSize: 5000 })), ['indexed', 'skipped'])
  assert.deepEqual(states(await run(tool)), ['reused', 'indexed'])
})

test('a layer that is smaller than all others may have been too small: it is read again', async (t) => {
  const registry = await inRegistry(
    t,
    image((layout) => layer(layout, 'big', 90_000), refused),
  )
  const { second, read, sent } = await twice(registry, () => convert(registry.name, undefined, SMALL))
  assert.deepEqual(states(second), ['reused', 'skipped'])
  const [big, odd] = second.images[0]!.layers
  assert.ok(read.includes(odd!.digest) && !read.includes(big!.digest))
  assert.deepEqual(sent, [])
})

test('marks for layers without extended attributes do not make a second run read anything', async (t) => {
  const plain = (layout: LayoutBuilder) => layer(layout, 'a')
  const extended = (layout: LayoutBuilder) =>
    layout.blob(tar([{ name: 'f', content: noise(4000, 'extended'), xattrs: { 'user.x': 'y' } }]), TAR)
  const registry = await inRegistry(t, image(plain, extended))
  const options: ConvertOptions = { ...SMALL, optimizations: ['xattr'] }
  const unmarked = await convert(registry.name, undefined, SMALL)
  const { first, second, read, sent } = await twice(registry, () => convert(registry.name, undefined, options))
  assert.notEqual(first.digest, unmarked.digest, 'what nobody had asked for before is found out')
  const fresh = await convert(registry.name, `oci:${folder.fresh()}:v`, options)
  assert.deepEqual([first.digest, second.digest, read, sent], [fresh.digest, fresh.digest, [], []])
})

test('an immutable tag is noticed before a layer is read', async (t) => {
  const { startEcr } = await doubles()
  const ecr = await startEcr({ immutable: ['app'] })
  t.after(() => ecr.close())
  const [username, password] = Buffer.from(ecr.authorizationToken(), 'base64').toString().split(':')
  let asked = 0
  const rules = ecrImmutableTags(async () => {
    asked++
    return { imageTagMutability: 'IMMUTABLE' }
  })
  const registries = new RegistryClient({
    credentials: async () => ({ kind: 'password', username: username!, password: password!, source: 'the test' }),
    immutableTags: (_, ...rest) => rules('123456789012.dkr.ecr.eu-west-1.amazonaws.com', ...rest),
  })
  t.after(() => registries.close())
  const store = await openStore(`${ecr.host}/app`, { registries })
  const at = (reference: string) => ({ store, reference })
  await copyImage(`oci:${folder.layout(twoPlatforms)}:app`, at('1'))
  const other = image((layout) => layer(layout, 'other'))
  const { digest } = await convert(at('1'), at('1-soci'), SMALL)
  await createIndex(at('1'), { ...SMALL, platforms: ['linux/amd64'], indexTag: 'index' })
  assert.equal(asked, 0, 'there was no such tag yet')

  let from = ecr.requests.length
  const isRefused = async (work: Promise<unknown>, tag: string) => {
    await assert.rejects(work, {
      code: 'TAG_IMMUTABLE',
      message: new RegExp(`app:${tag} is an immutable tag of sha256:`),
    })
    const seen = ecr.requests.slice(from)
    const changing = seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')
    const blobs = seen.filter(({ path }) => path.includes('/blobs/'))
    assert.deepEqual([changing.length, blobs.length], [0, 0], 'nothing was sent, and no blob read')
    from = ecr.requests.length
  }
  await isRefused(convert(other, at('1-soci'), SMALL), '1-soci')
  await isRefused(convert(at('1'), at('1-soci'), { ...SMALL, force: true, spanSize: 3000 }), '1-soci')
  await isRefused(convert(at('1'), at('1-soci'), { ...SMALL, platforms: ['linux/arm64'] }), '1-soci')
  await isRefused(convert(at('1'), at('1-soci'), { ...SMALL, buildTool: 'another' }), '1-soci')
  await isRefused(copyImage(other, at('1')), '1')
  await isRefused(createIndex(at('1'), { ...SMALL, platforms: ['linux/arm64'], indexTag: 'index' }), 'index')
  await isRefused(createIndex(at('1'), { ...SMALL, platforms: ['linux/amd64'], indexTag: '1' }), '1')
  assert.equal(asked, 7)

  // What is or may be the same goes on, and comes to the same end
  for (const force of [false, true])
    assert.equal((await convert(at('1'), at('1-soci'), { ...SMALL, force })).digest, digest)
  await copyImage(at('1'), at('1'))
  await createIndex(at('1'), { ...SMALL, platforms: ['linux/amd64'], indexTag: 'index', force: true })
  assert.equal((await inspect(at('1-soci'))).digest, digest)
})

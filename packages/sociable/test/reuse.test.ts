// Which zTOCs of before are taken, and which are not.
import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeManifest, digestOf, encodeManifest, openStore, readContent } from '@sociable/oci'
import { type ConvertResult, convert, createIndex } from '../src/index.js'
import { run } from './cli/run.js'
import { TestFolder } from './support/folder.js'
import { AMD64, layer, NAMED_APP, SMALL, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const states = ({ images }: Pick<ConvertResult, 'images'>) => [
  ...new Set(images.flatMap(({ layers }) => layers.map(({ state }) => state))),
]

test('a v1 index serves convert only on request, and a v2 one serves create where it is named', async () => {
  const input = folder.layout(twoPlatforms)
  const fresh = await convert(`oci:${input}:app`, `oci:${folder.fresh()}:v`, SMALL)
  await createIndex(`oci:${input}:app`, SMALL)
  const result = await convert(`oci:${input}:app`, undefined, SMALL)
  assert.deepEqual([states(result), result.digest], [['indexed'], fresh.digest])
  const cached = await convert(`oci:${input}:app`, `oci:${input}:b`, { ...SMALL, cacheFrom: [`oci:${input}:app`] })
  assert.deepEqual([states(cached), cached.digest], [['indexed'], fresh.digest])
  const trusting = await convert(`oci:${input}:app`, `oci:${input}:c`, { ...SMALL, trustZtocs: true })
  assert.deepEqual([states(trusting), trusting.digest], [['reused'], fresh.digest])
  const other = folder.layout(twoPlatforms)
  await convert(`oci:${other}:app`, undefined, SMALL)
  assert.deepEqual(states(await createIndex(`oci:${other}:app`, { ...SMALL, cacheFrom: [`oci:${other}:app-soci`] })), [
    'reused',
  ])
})

test('a forged v1 index: convert indexes the layer itself, and reading says that the index is not covered', async () => {
  const path = folder.layout((layout) => {
    layout.top(layout.manifest([layer(layout, 'a')], AMD64, NAMED_APP))
  })
  const honest = await convert(`oci:${path}:app`, `oci:${folder.fresh()}:v`, SMALL)
  // The forger's zTOC is that of another layer of the same size, under our build tool's name
  const forger = folder.layout((layout) => {
    layout.top(layout.manifest([layer(layout, 'b')], AMD64, NAMED_APP))
  })
  await createIndex(`oci:${forger}:app`, SMALL)
  const store = await openStore(`oci:${path}`, { mode: 'write' })
  const theirs = await openStore(`oci:${forger}`)
  const image = await store.resolve('app')
  const layerDigest = decodeManifest(await readContent(store, image), 'app').layers![0]!.digest
  for await (const descriptor of theirs.referrers(await theirs.resolve('app'))) {
    const index = decodeManifest(await readContent(theirs, descriptor), 'index')
    const [ztoc] = index.layers!
    const annotations = new Map([...ztoc!.annotations!, ['com.amazon.soci.image-layer-digest', layerDigest]])
    for (const blob of [index.config, ztoc!]) await store.push(blob, await readContent(theirs, blob))
    const { mediaType, digest, size } = image
    const bytes = encodeManifest({
      ...index,
      layers: [{ ...ztoc!, annotations }],
      subject: { mediaType, digest, size },
    })
    const forged = { ...descriptor, digest: digestOf(bytes), size: bytes.length }
    await store.push(forged, bytes)
    await store.attach(forged)
  }
  const shown = await run(['ls', `oci:${path}@${image.digest}`, '-p', 'linux/amd64'])
  assert.equal(shown.out, 'b\n', 'the forged index is in use')
  assert.match(
    shown.err,
    /^warning: reading through SOCI index sha256:\w+ \(v1\), which the image's digest does not cover/,
  )
  const converted = await convert(`oci:${path}:app`, undefined, { ...SMALL, cacheFrom: [`oci:${path}:app`] })
  assert.equal(converted.digest, honest.digest)
  assert.equal((await run(['ls', `oci:${path}:app-soci`, '-p', 'linux/amd64'])).out, 'a\n')
  await theirs.close()
  await store.close()
})

test('zTOCs of another place or of another tool are taken only where that is said', async () => {
  const input = `oci:${folder.layout(twoPlatforms)}:app`
  const cache = `oci:${folder.fresh()}:v`
  const tool = { ...SMALL, buildTool: 'my tool' }
  const { digest } = await convert(input, cache, tool)
  const to = () => `oci:${folder.fresh()}:v`
  const untrusted = await convert(input, to(), { ...tool, cacheFrom: [cache] })
  assert.deepEqual(states(untrusted), ['indexed'])
  assert.match(untrusted.warnings.join(), /the zTOCs of .* are not taken, as they are not from the destination's own/)
  const trusted = await convert(input, to(), { ...tool, cacheFrom: [cache], trustZtocs: true })
  assert.deepEqual([states(trusted), trusted.digest, trusted.warnings], [['reused'], digest, []])
  const inPlace = await convert(input, cache, tool)
  assert.deepEqual(states(inPlace), ['indexed'])
  assert.match(inPlace.warnings.join(), /of a tool that is not known to make sound ones \(my tool\)/)
  assert.deepEqual(states(await convert(input, cache, { ...tool, trustZtocs: true })), ['reused'])
  // What is made must be what these options make, however much is trusted
  const options = { ...SMALL, cacheFrom: [cache], trustZtocs: true }
  assert.deepEqual(states(await convert(input, to(), options)), ['indexed'])
  assert.deepEqual(states(await convert(input, to(), { ...options, ...tool, spanSize: 3000 })), ['indexed'])
})

test('a trusted zTOC is checked all the same', async () => {
  const input = `oci:${folder.layout(twoPlatforms)}:app`
  const cache = folder.fresh()
  const { digest, images } = await convert(input, `oci:${cache}:v`, SMALL)
  for (const { ztoc } of images[0]!.layers) truncateSync(join(cache, 'blobs', 'sha256', ztoc!.digest.slice(7)), 100)
  const options = { ...SMALL, cacheFrom: [`oci:${cache}:v`, `oci:${cache}-none:v`], trustZtocs: true }
  const result = await convert(input, `oci:${folder.fresh()}:v`, options)
  assert.equal(result.digest, digest)
  const [amd64, arm64] = result.images.map(({ layers }) => layers.map(({ state }) => state))
  assert.deepEqual(amd64, ['indexed', 'indexed'])
  assert.deepEqual(arm64, ['reused', 'indexed'], 'the layer that both have was damaged')
})

test('a cache that is not there is a warning, a name that is none an error', async () => {
  const input = `oci:${folder.layout(twoPlatforms)}:app`
  const { warnings } = await convert(input, `oci:${folder.fresh()}:v`, { ...SMALL, cacheFrom: ['oci:/no/such/layout'] })
  assert.match(warnings.join(), /^zTOCs cannot be taken from there: /)
  await assert.rejects(convert(input, `oci:${folder.fresh()}:v`, { ...SMALL, cacheFrom: ['oci:'] }), {
    code: 'REFERENCE_INVALID',
  })
})

// Which zTOCs of before are taken, and which are not.
import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ConvertResult, convert, createIndex } from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { SMALL, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const states = ({ images }: Pick<ConvertResult, 'images'>) => [
  ...new Set(images.flatMap(({ layers }) => layers.map(({ state }) => state))),
]

test("the image's v1 index serves, and a v2 one serves create where it is named", async () => {
  const input = folder.layout(twoPlatforms)
  const fresh = await convert(`oci:${input}:app`, `oci:${folder.fresh()}:v`, SMALL)
  await createIndex(`oci:${input}:app`, SMALL)
  const result = await convert(`oci:${input}:app`, undefined, SMALL)
  assert.deepEqual([states(result), result.digest], [['reused'], fresh.digest])
  const other = folder.layout(twoPlatforms)
  await convert(`oci:${other}:app`, undefined, SMALL)
  assert.deepEqual(states(await createIndex(`oci:${other}:app`, { ...SMALL, cacheFrom: [`oci:${other}:app-soci`] })), [
    'reused',
  ])
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

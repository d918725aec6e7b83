import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { convert, type ProgressEvent } from '../src/index.js'
import { blobJson, snapshot, TestFolder } from './support/folder.js'
import { IMAGES } from './support/images.js'
import { layerBytes, SMALL as small, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const INDEX_DIGEST = 'com.amazon.soci.index-digest'
const IMAGE_DIGEST = 'com.amazon.soci.image-manifest-digest'

describe('what it tells', () => {
  test('the result is plain data, and progress covers every layer and blob', async () => {
    const input = folder.layout(twoPlatforms)
    const output = folder.fresh()
    const events: ProgressEvent[] = []
    const options = { spanSize: 2000, minLayerSize: 4000, onProgress: (event: ProgressEvent) => events.push(event) }
    const result = await convert(`oci:${input}:app`, `oci:${output}:app-soci`, options)
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
    assert.equal(result.source, `oci:${input}:app`)
    assert.equal(result.destination, `oci:${output}:app-soci`)
    assert.equal(result.indexed, true)
    assert.deepEqual(
      result.images.map(({ name, layers }) => [name, ...layers.map(({ state }) => state)]),
      [
        ['linux/amd64', 'indexed', 'skipped'],
        ['linux/arm64/v8', 'indexed', 'skipped'],
      ],
    )
    const [first] = result.images
    assert.equal(first!.layers[1]!.reason, 'smaller than 3.9 KiB')
    assert.equal(first!.layers[0]!.files, 2)
    assert.equal(result.bytesIndexed, layerBytes('a').length + layerBytes('b').length)
    const index = blobJson(output, result.digest)
    assert.deepEqual(index.manifests[0].digest, first!.manifest.digest)
    assert.deepEqual(index.manifests[0].annotations, { [INDEX_DIGEST]: first!.index!.digest })
    assert.deepEqual(index.manifests[2].annotations, { [IMAGE_DIGEST]: first!.manifest.digest })

    const plan = events[0] as Extract<ProgressEvent, { type: 'plan' }>
    assert.deepEqual(
      plan.layers.map(({ platforms }) => platforms),
      [['linux/amd64'], ['linux/arm64/v8']],
    )
    assert.equal(plan.blobs, 3, 'two configs and the tiny layer')
    assert.equal(events.filter(({ type }) => type === 'blob').length, 3)
    assert.equal(events.filter(({ type }) => type === 'layer').length, 2)
    for (const { digest, size } of plan.layers) {
      const last = events.findLast((event) => event.type === 'progress' && event.digest === digest)
      assert.deepEqual(last, { type: 'progress', digest, bytes: size, size })
    }
  })

  test('a failing onProgress fails the call', async () => {
    const input = folder.layout(twoPlatforms)
    const onProgress = ({ type }: ProgressEvent) => assert.notEqual(type, 'layer')
    await assert.rejects(convert(`oci:${input}`, `oci:${folder.fresh()}`, { ...small, onProgress }), {
      code: 'ERR_ASSERTION',
    })
  })

  test('options that are none of their kind are refused', async () => {
    const input = folder.layout(twoPlatforms)
    for (const options of [
      { spanSize: -1 },
      { spanSize: 1.5 },
      { minLayerSize: Number.NaN },
      { concurrency: 0 },
      { memory: -1 },
    ])
      await assert.rejects(convert(`oci:${input}`, `oci:${folder.fresh()}`, options), RangeError)
    await assert.rejects(convert(`oci:${input}`, undefined, { optimizations: ['speed' as 'xattr'] }), TypeError)
    await assert.rejects(convert(`oci:${input}`, undefined, { platforms: ['linux'] }), { code: 'PLATFORM_NOT_FOUND' })
  })
})

describe('doing it again', () => {
  for (const image of IMAGES.filter(({ name }) => !/refused|not there|another platform/.test(name)))
    test(`converting the result gives the same: ${image.name}`, async () => {
      const input = folder.layout(image.build)
      const first = await convert(`oci:${input}`, `oci:${input}-1:v`, image.options)
      const again = await convert(`oci:${input}-1:v`, `oci:${input}-2:v`, image.options)
      assert.equal(again.digest, first.digest)
      const inPlace = await convert(`oci:${input}-1:v`, `oci:${input}-1:v`, image.options)
      assert.equal(inPlace.digest, first.digest)
    })

  test('a second run reuses the zTOCs and writes nothing', async () => {
    const input = folder.layout(twoPlatforms)
    const output = folder.fresh()
    const first = await convert(`oci:${input}`, `oci:${output}:v`, small)
    const before = snapshot(output)
    const second = await convert(`oci:${input}`, `oci:${output}:v`, small)
    assert.deepEqual(snapshot(output), before)
    assert.equal(second.digest, first.digest)
    assert.equal(second.bytesIndexed, 0)
    const states = (result: typeof first) => result.images.flatMap(({ layers }) => layers.map(({ state }) => state))
    assert.deepEqual(states(second), ['reused', 'reused', 'reused', 'reused'])
    const details = (result: typeof first) => result.images[0]!.layers.map(({ state: _, seconds: __, ...rest }) => rest)
    assert.deepEqual(details(second), details(first))
    const forced = await convert(`oci:${input}`, `oci:${output}:v`, { ...small, force: true })
    assert.deepEqual(states(forced), ['indexed', 'indexed', 'indexed', 'indexed'])
    assert.deepEqual(snapshot(output), before)
  })

  test('zTOCs of other settings, of an unknown tool, or that are damaged, are not reused', async () => {
    const input = folder.layout(twoPlatforms)
    const output = folder.fresh()
    const first = await convert(`oci:${input}`, `oci:${output}:v`, small)
    const other = await convert(`oci:${input}`, `oci:${output}:v`, { ...small, spanSize: 3000 })
    assert.equal(other.images[0]!.layers[0]!.state, 'indexed')
    const tool = { ...small, buildTool: 'AWS SOCI CLI v0.2' }
    await convert(`oci:${input}`, `oci:${output}:v`, tool)
    const again = await convert(`oci:${input}`, `oci:${output}:v`, tool)
    assert.equal(again.images[0]!.layers[0]!.state, 'indexed')
    await convert(`oci:${input}`, `oci:${output}:v`, small)
    const ztoc = join(output, 'blobs', 'sha256', first.images[0]!.layers[0]!.ztoc!.digest.slice(7))
    writeFileSync(ztoc, readFileSync(ztoc).fill(0, 100, 200))
    const healed = await convert(`oci:${input}`, `oci:${output}:v`, small)
    assert.equal(healed.images[0]!.layers[0]!.state, 'indexed')
    assert.equal(healed.digest, first.digest)
  })

  test("a former conversion's annotations and index go where nothing is to be indexed any more", async () => {
    const input = folder.layout(twoPlatforms)
    const converted = await convert(`oci:${input}`, `oci:${input}-1:v`, small)
    const nothing = await convert(`oci:${input}-1:v`, `oci:${input}-2:v`)
    const fresh = await convert(`oci:${input}`, `oci:${input}-3:v`)
    assert.notEqual(nothing.digest, converted.digest)
    assert.equal(nothing.digest, fresh.digest)
    assert.doesNotMatch(JSON.stringify(blobJson(`${input}-2`, nothing.digest)), /soci/)
  })
})

test('what is called before the tag is written can keep it from being written', async () => {
  const input = folder.layout(twoPlatforms)
  const output = folder.fresh()
  const options = { spanSize: 2000, minLayerSize: 4000 }
  const { digest } = await convert(`oci:${input}:app`, `oci:${output}:other`, options)
  const refuse = { ...options, beforeTag: () => Promise.reject(new RangeError('not now')) }
  await assert.rejects(convert(`oci:${input}:app`, `oci:${output}:app-soci`, refuse), { message: 'not now' })
  const tags = (): unknown[] =>
    JSON.parse(readFileSync(join(output, 'index.json'), 'utf8')).manifests.map(
      ({ annotations }: { annotations: Record<string, string> }) => annotations['org.opencontainers.image.ref.name'],
    )
  assert.deepEqual(tags(), ['other'])
  let calls = 0
  const allow = { ...options, beforeTag: async () => void calls++ }
  assert.equal((await convert(`oci:${input}:app`, `oci:${output}:app-soci`, allow)).digest, digest)
  assert.deepEqual([calls, tags()], [1, ['other', 'app-soci']])
})

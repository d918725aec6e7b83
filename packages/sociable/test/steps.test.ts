// A conversion in steps, each of which knows of the others only JSON.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createMemoryStore } from '@sociable/oci'
import {
  assembleConversion,
  type ConversionPlan,
  type ConvertOptions,
  type ConvertResult,
  convert,
  copyImage,
  type ImageLocation,
  indexPlannedLayer,
  inspect,
  type LayerResult,
  planConversion,
} from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { IMAGES } from './support/images.js'
import { LayoutBuilder } from './support/layout.js'
import { startRegistry, writes } from './support/registries.js'
import { AMD64, layer, SMALL, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
/** As another machine gets it. */
const sent = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))

async function indexAll(
  source: ImageLocation,
  destination: ImageLocation,
  { layers }: ConversionPlan,
  options: ConvertOptions,
): Promise<LayerResult[]> {
  // The last one first: any order will do
  const indexed = [...layers].reverse().map((layer) => indexPlannedLayer(source, destination, sent(layer), options))
  return await Promise.all(indexed)
}

async function inSteps(source: ImageLocation, destination: ImageLocation, options: ConvertOptions) {
  const plan = sent(await planConversion(source, destination, options))
  const layers = sent(await indexAll(source, destination, plan, options))
  return { plan, layers, result: await assembleConversion(source, destination, plan, layers, options) }
}

/** Without what differs from run to run. */
function facts({ seconds: _, warnings: __, source: ___, destination: ____, images, ...rest }: ConvertResult) {
  const layersOf = (layers: readonly LayerResult[]) => layers.map(({ seconds: _, ...layer }) => layer)
  return { ...rest, images: images.map(({ layers, ...image }) => ({ ...image, layers: layersOf(layers) })) }
}

describe('the same image as in one go', () => {
  let compared = 0
  for (const { name, build, options } of IMAGES)
    test(name, async () => {
      const input = `oci:${folder.layout(build)}`
      const whole = { store: createMemoryStore(), reference: 'v' }
      const parts = { store: createMemoryStore(), reference: 'v' }
      const expected = await convert(input, whole, options).catch((error: Error) => error)
      if (expected instanceof Error) {
        await assert.rejects(inSteps(input, parts, options ?? {}), {
          name: expected.name,
          message: new RegExp(expected.message.slice(-20).replaceAll(/\W/g, '.')),
        })
        return
      }
      const { result } = await inSteps(input, parts, options ?? {})
      assert.deepEqual(facts(result), facts(expected))
      assert.equal((await parts.store.resolve('v')).digest, expected.digest)
      assert.deepEqual((await inspect(parts)).images, (await inspect(whole)).images)
      compared++
    })
  test('many of them', () => assert.ok(compared > 30, `${compared} images compared`))
})

test('in a registry each layer is read once, and nothing is read or sent again when all is done again', async (t) => {
  const registry = (await startRegistry(t, 'our own'))!
  const image = `${registry.host}/team/app:1`
  await copyImage(`oci:${folder.layout(twoPlatforms)}:app`, image)
  const expected = await convert(image, `${registry.host}/team/other:1`, SMALL)
  registry.seen()
  const plan = sent(await planConversion(image, `${image}-soci`, SMALL))
  assert.deepEqual([plan.layers.length, plan.reused], [3, []])
  assert.deepEqual([registry.blobsRead(), writes(registry.seen())], [[], []], 'the plan reads manifests')
  const layers = await indexAll(image, `${image}-soci`, plan, SMALL)
  const read = registry.blobsRead().map((blob) => blob.split('@')[1])
  assert.deepEqual(read.sort(), plan.layers.map(({ digest }) => digest).sort())
  assert.deepEqual(
    writes(registry.seen()).filter((name) => name.endsWith('manifests')),
    [],
  )
  const result = await assembleConversion(image, `${image}-soci`, plan, layers, SMALL)
  assert.equal(result.digest, expected.digest)
  assert.ok(result.bytesIndexed > 0)

  registry.seen()
  const again = await inSteps(image, `${image}-soci`, SMALL)
  assert.deepEqual([again.plan.layers, again.plan.reused.length], [[], 3])
  assert.equal(again.result.digest, expected.digest)
  assert.deepEqual([registry.blobsRead(), writes(registry.seen())], [[], []])
  // The same messages once more, as a queue may deliver them
  const replayed = await assembleConversion(image, `${image}-soci`, plan, layers, SMALL)
  await indexAll(image, `${image}-soci`, plan, SMALL)
  assert.equal(replayed.digest, expected.digest)
  assert.deepEqual(writes(registry.seen()), [])
})

test('another repository gets layers and all else', async (t) => {
  const registry = (await startRegistry(t, 'our own'))!
  const image = `${registry.host}/team/app:1`
  await copyImage(`oci:${folder.layout(twoPlatforms)}:app`, image)
  const { result } = await inSteps(image, `${registry.host}/other/app:soci`, SMALL)
  const { images, sociEnabled } = await inspect(`${registry.host}/other/app:soci`)
  assert.ok(sociEnabled)
  assert.deepEqual(
    images.flatMap(({ problems }) => problems),
    [],
  )
  assert.equal(result.digest, (await convert(image, undefined, SMALL)).digest)
})

test('zTOCs that are there are planned for no machine, and a changed image indexes only what is new', async () => {
  const to = { store: createMemoryStore(), reference: 'v' }
  await inSteps(`oci:${folder.layout((l) => l.top(l.manifest([layer(l, 'a')], AMD64)))}`, to, SMALL)
  const changed = `oci:${folder.layout((l) => l.top(l.manifest([layer(l, 'a'), layer(l, 'new')], AMD64)))}`
  const { plan, result } = await inSteps(changed, to, SMALL)
  const [first, second] = result.images[0]!.layers
  assert.deepEqual([first!.state, second!.state], ['reused', 'indexed'])
  assert.deepEqual(
    plan.layers.map(({ digest }) => digest),
    [second!.digest],
  )
  assert.deepEqual(
    plan.reused.map(({ digest }) => digest),
    [first!.digest],
  )
  const forced = await planConversion(changed, to, { ...SMALL, force: true })
  assert.equal(forced.layers.length, 2)
})

test("the plan's image is taken, whatever its tag names later", async () => {
  const source = { store: createMemoryStore(), reference: 'app' }
  const to = { store: createMemoryStore(), reference: 'v' }
  await copyImage(`oci:${folder.layout(twoPlatforms)}:app`, source)
  const { digest } = await convert(source, { store: createMemoryStore(), reference: 'v' }, SMALL)
  const plan = await planConversion(source, to, SMALL)
  await copyImage(`oci:${folder.layout((l) => l.top(l.manifest([layer(l, 'moved')], AMD64)))}`, source)
  const layers = await indexAll(source, to, plan, SMALL)
  await source.store.untag!('app')
  const result = await assembleConversion(source, to, plan, layers, SMALL)
  assert.equal(result.digest, digest)
})

test('a layer that fails does so by itself, with its name, and the tag is not moved before it is there', async () => {
  const path = folder.layout(twoPlatforms)
  const input = `oci:${path}:app`
  const to = { store: createMemoryStore(), reference: 'v' }
  await copyImage(`oci:${folder.layout((l) => l.top(l.manifest([layer(l, 'former')], AMD64)))}`, to)
  const former = await to.store.resolve('v')
  const plan = await planConversion(input, to, SMALL)
  const { digest } = layer(new LayoutBuilder(), 'b')
  const file = join(path, 'blobs', 'sha256', digest.slice(7))
  const bytes = readFileSync(file)
  const damaged = Buffer.from(bytes)
  damaged[bytes.length >> 1]! ^= 1
  writeFileSync(file, damaged)
  const isBad = (other: { readonly digest: string }): boolean => other.digest === digest
  const good = await indexAll(input, to, { ...plan, layers: plan.layers.filter((other) => !isBad(other)) }, SMALL)
  const bad = plan.layers.find(isBad)!
  await assert.rejects(indexPlannedLayer(input, to, bad, SMALL), {
    code: /^(GZIP_CORRUPT|DIGEST_MISMATCH)$/,
    message: new RegExp(`^layer ${digest} of .* \\(linux/arm64/v8\\): `),
  })
  await assert.rejects(assembleConversion(input, to, plan, good, SMALL), {
    code: 'STEP_INVALID',
    message: new RegExp(`${digest}.*there is no result for it`),
  })
  assert.equal((await to.store.resolve('v')).digest, former.digest)
  writeFileSync(file, bytes)
  const healed = await indexPlannedLayer(input, to, bad, SMALL)
  const { images } = await assembleConversion(input, to, plan, [...good, healed, healed], SMALL)
  assert.ok(images.every(({ index }) => index !== undefined))
})

describe('results that are not true are refused', () => {
  const input = `oci:${folder.layout((l) => l.top(l.manifest([layer(l, 'a'), layer(l, 'c')], AMD64)))}`
  const sizes = ['a', 'c'].map((seed) => layer(new LayoutBuilder(), seed).size)
  assert.equal(sizes[0], sizes[1], 'so that only the bytes tell them apart')
  const DIGEST = `sha256:${'0'.repeat(64)}`
  type Change = (layers: LayerResult[], plan: ConversionPlan) => unknown
  const cases: Record<string, readonly [change: Change, message: RegExp]> = {
    'one is missing': [(layers) => layers.pop(), /there is no result for it/],
    'a zTOC that is not there': [
      (layers) => Object.assign(layers[0]!.ztoc!, { digest: DIGEST }),
      /names a zTOC \(sha256:0+\) that is not in memory/,
    ],
    'a zTOC of another size': [(layers) => Object.assign(layers[0]!.ztoc!, { size: 7 }), /names a zTOC/],
    "the other layer's zTOC": [
      (layers) => Object.assign(layers[0]!, { ztoc: layers[1]!.ztoc }),
      /names a zTOC .* of a layer with other bytes/,
    ],
    'a blob that is not a zTOC': [
      (layers, { layers: [first] }) =>
        Object.assign(layers.find(({ digest }) => digest === first!.digest)!, {
          ztoc: { digest: first!.digest, size: first!.size },
        }),
      /that is not its own/,
    ],
    'a layer that the image does not have': [
      (layers) => layers.push({ ...layers[0]!, digest: DIGEST }),
      /a result of sha256:0+, which is not a layer to index/,
    ],
    'two that differ': [
      (layers) => layers.push({ ...layers[0]!, ztoc: layers[1]!.ztoc! }),
      /of which there is another that differs/,
    ],
    'a skipped layer without a reason': [
      (layers) => layers.splice(0, 1, { ...layers[0]!, state: 'skipped' }),
      /does not say why/,
    ],
    'an unknown state': [(layers) => Object.assign(layers[0]!, { state: 'done' }), /is in the state "done"/],
    'no zTOC': [(layers) => layers.splice(0, 1, sent({ ...layers[0]!, ztoc: undefined })), /names no zTOC/],
    'a digest that is a path': [
      (layers) => Object.assign(layers[0]!.ztoc!, { digest: 'sha256:../../etc/passwd' }),
      /names no zTOC/,
    ],
    'a layer type that is a manifest': [
      (layers) => Object.assign(layers[0]!, { mediaType: 'application/vnd.oci.image.manifest.v1+json' }),
      /is not a layer type/,
    ],
    'null in the list': [(layers) => layers.push(null as unknown as LayerResult), /is not a layer: \{/],
    'no list': [(layers) => Object.assign(layers, { length: 10_001 }), /at most 10000/],
    'a plan without a digest': [
      (_, plan) => Object.assign(plan, { digest: 'latest' }),
      /the plan has no valid image digest/,
    ],
    'a plan without a list': [(_, plan) => Object.assign(plan, { reused: undefined }), /the plan must list/],
  }
  for (const [name, [change, message]] of Object.entries(cases))
    test(name, async () => {
      const to = { store: createMemoryStore(), reference: 'v' }
      const plan = sent(await planConversion(input, to, SMALL))
      const layers = sent(await indexAll(input, to, plan, SMALL))
      change(layers, plan)
      await assert.rejects(assembleConversion(input, to, plan, layers, SMALL), { code: 'STEP_INVALID', message })
      await assert.rejects(to.store.resolve('v'), { code: 'NOT_FOUND' })
    })

  for (const [name, options, message] of [
    ['another span size', { ...SMALL, spanSize: 3000 }, /of span size 2000, not 3000/],
    ['another build tool', { ...SMALL, buildTool: 'other' }, /of the build tool "sociable v1", not "other"/],
    ['another minimum', { ...SMALL, minLayerSize: 1e6 }, /not a layer to index of .* with these options/],
  ] as const)
    test(`made with ${name}`, async () => {
      const to = { store: createMemoryStore(), reference: 'v' }
      const plan = await planConversion(input, to, SMALL)
      const layers = await indexAll(input, to, plan, SMALL)
      await assert.rejects(assembleConversion(input, to, plan, layers, options), { code: 'STEP_INVALID', message })
    })

  test('what is not a layer is not indexed', async () => {
    const to = { store: createMemoryStore(), reference: 'v' }
    const [first] = (await planConversion(input, to, SMALL)).layers
    for (const change of [
      { digest: 'sha256:x' },
      { digest: '../x' },
      { size: -1 },
      { size: '12' as unknown as number },
      { mediaType: 'application/vnd.oci.image.index.v1+json' },
      { mediaType: undefined as unknown as string },
    ])
      await assert.rejects(indexPlannedLayer(input, to, { ...first!, ...change }, SMALL), { code: 'STEP_INVALID' })
    await assert.rejects(indexPlannedLayer(input, to, { ...first!, size: first!.size + 1 }, SMALL), {
      code: 'SIZE_MISMATCH',
    })
    await assert.rejects(indexPlannedLayer(input, to, { ...first!, digest: DIGEST }, SMALL), { code: 'NOT_FOUND' })
  })
})

test('a destination that other machines do not see is refused', async () => {
  await assert.rejects(planConversion('oci:x', `oci:${folder.fresh()}:v`), { code: 'DESTINATION_INVALID' })
})

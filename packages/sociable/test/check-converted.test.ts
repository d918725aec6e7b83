// Whether a name has what a conversion of the image would give, by whichever tool and with whatever bytes.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkConverted, convert, createIndex, type IndexOptions } from '../src/index.js'
import { snapshot, TestFolder } from './support/folder.js'
import type { LayoutBuilder } from './support/layout.js'
import { AMD64, ARM64, layer, NAMED_APP, SMALL, twoManifests, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()

/** A layout with an image `app`, and its conversion as `soci`. */
async function converted(build: (layout: LayoutBuilder) => void = twoPlatforms, options: IndexOptions = SMALL) {
  const path = folder.layout(build)
  const { digest } = await convert(`oci:${path}:app`, `oci:${path}:soci`, options)
  const check = (options?: IndexOptions, image = 'soci') =>
    checkConverted(`oci:${path}:app`, `oci:${path}:${image}`, options)
  return { path, digest, check }
}

test('a conversion matches its image, whoever made it, and nothing is written', async () => {
  const { path, digest, check } = await converted(twoPlatforms, { ...SMALL, buildTool: 'AWS SOCI CLI v0.2' })
  const before = snapshot(path)
  for (const options of [{ minLayerSize: 0 }, { ...SMALL, buildTool: 'AWS SOCI CLI v0.2' }, {}]) {
    const { matches, indexed, problems, digest: found } = await check(options)
    assert.deepEqual([matches, indexed, problems, found], [true, true, [], digest])
  }
  assert.deepEqual(snapshot(path), before)
})

for (const [options, problem] of [
  [{ spanSize: 4096, minLayerSize: 0 }, /has spans of 2000 bytes, not 4096/],
  [{ ...SMALL, minLayerSize: 3000 }, /layer sha256:\w+ of linux\/amd64 has a zTOC/],
  [{ ...SMALL, buildTool: 'other' }, /the SOCI index of linux\/amd64 is made by "sociable v1", not "other"/],
  [{ ...SMALL, optimizations: ['xattr'] }, /is not marked as one without extended attributes/],
  [{ ...SMALL, prefetchFiles: ['a/f'] }, /paths to prefetch does not show/],
] as const)
  test(`options that it was not made with: ${problem.source}`, async () => {
    const { check } = await converted()
    const { matches, indexed, problems } = await check(options)
    assert.deepEqual([matches, indexed], [false, true])
    assert.match(problems.join(), problem)
  })

test('layers that should have a zTOC and have none', async () => {
  const { check } = await converted(twoPlatforms, { ...SMALL, minLayerSize: 3000 })
  assert.equal((await check({ minLayerSize: 3000 })).matches, true)
  const { matches, problems } = await check({ minLayerSize: 0 })
  assert.equal(matches, false)
  assert.match(problems.join(), /layer sha256:\w+ of linux\/amd64 has no zTOC/)
})

test('platforms: those that are wanted count, and all have to be there', async () => {
  const { check } = await converted(twoPlatforms, { ...SMALL, platforms: ['linux/arm64'] })
  assert.equal((await check({ ...SMALL, platforms: ['linux/arm64'] })).matches, true)
  assert.match((await check(SMALL)).problems.join(), /linux\/amd64 has no SOCI index \(v2\)/)
  await assert.rejects(check({ platforms: ['linux/s390x'] }), { code: 'PLATFORM_NOT_FOUND' })
})

test('another image, one with fewer platforms, and one with more', async () => {
  const path = folder.layout((layout) => {
    const [amd64, arm64] = twoManifests(layout)
    const named = (name: string) => ({
      annotations: { ...NAMED_APP.annotations, 'org.opencontainers.image.ref.name': name },
    })
    layout.top(
      layout.imageIndex([amd64, arm64], {}, named('app')),
      layout.imageIndex([amd64], {}, named('less')),
      layout.imageIndex(
        [layout.manifest([layer(layout, 'other')], AMD64, { platform: AMD64 }), arm64],
        {},
        named('other'),
      ),
    )
  })
  const check = async (source: string, other: string) => {
    await convert(`oci:${path}:${other}`, `oci:${path}:${other}-soci`, SMALL)
    return await checkConverted(`oci:${path}:${source}`, `oci:${path}:${other}-soci`, SMALL)
  }
  assert.match(
    (await check('app', 'less')).problems.join(),
    /less-soci does not have the linux\/arm64\/v8 image of .*:app/,
  )
  assert.match((await check('less', 'app')).problems.join(), /has a linux\/arm64\/v8 image that is not of .*:less/)
  const { problems, matches } = await check('app', 'other')
  assert.equal(matches, false)
  assert.match(problems.join('; '), /does not have the linux\/amd64 image .*has a linux\/amd64 image that is not of/)
})

test('the image itself, one with a v1 index, and what is not an image', async () => {
  const { path, check } = await converted()
  await createIndex(`oci:${path}:app`, SMALL)
  const self = await check(SMALL, 'app')
  assert.deepEqual([self.matches, self.indexed], [false, false])
  assert.match(self.problems.join(), /linux\/amd64 has no SOCI index \(v2\)/)
  const none = folder.layout((layout) => {
    layout.top(
      layout.manifest(
        [],
        AMD64,
        { annotations: { 'org.opencontainers.image.ref.name': 'soci' } },
        { config: layout.json('{}', 'application/vnd.x') },
      ),
    )
  })
  const artifact = await checkConverted(`oci:${path}:app`, `oci:${none}:soci`, SMALL)
  assert.deepEqual([artifact.matches, artifact.indexed], [false, false])
  assert.match(artifact.problems.join(), /is an artifact whose config is of type application\/vnd\.x, no image/)
  await assert.rejects(check(SMALL, 'gone'), { code: 'NOT_FOUND' })
})

test('a zTOC that is damaged', async () => {
  const { path, check } = await converted()
  const { images } = await convert(`oci:${path}:app`, `oci:${path}:soci`, SMALL)
  writeFileSync(join(path, 'blobs', 'sha256', images[1]!.layers[0]!.ztoc!.digest.slice(7)), 'x')
  const { matches, problems } = await check(SMALL).catch((error: Error) => ({
    matches: false,
    problems: [error.message],
  }))
  assert.equal(matches, false)
  assert.match(problems.join(), /zTOC/)
})

test('an image with nothing to index matches without an index, and says why', async () => {
  const { path, check } = await converted(twoPlatforms, {})
  const { matches, indexed, reason } = await check({})
  assert.deepEqual(
    [matches, indexed, reason],
    [true, false, (await convert(`oci:${path}:app`, `oci:${path}:soci`)).reason],
  )
  assert.match(reason!, /^linux\/amd64: 2 layers: smaller than|^2 layers: smaller than/)
  assert.equal((await check(SMALL)).matches, false)
  await assert.rejects(check({ requireIndex: true }), { code: 'NOTHING_TO_INDEX' })
})

test('a single manifest, and one of another config', async () => {
  const { path, check } = await converted((layout) =>
    layout.top(layout.manifest([layer(layout, 'a')], ARM64, NAMED_APP)),
  )
  assert.equal((await check(SMALL)).matches, true)
  const other = folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'a')], AMD64, NAMED_APP)))
  const { problems } = await checkConverted(`oci:${other}:app`, `oci:${path}:soci`, SMALL)
  assert.match(problems.join(), /does not have the linux\/amd64 image/)
})

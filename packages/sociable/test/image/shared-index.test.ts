// Platforms that share all indexed layers have one SOCI index, which the image lists once for each of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConverted, convert, inspect, openImage, removeSoci } from '../../src/index.js'
import { TestFolder } from '../support/folder.js'
import { AMD64, ARM64, layer, NAMED_APP, SMALL } from '../support/samples.js'

const folder = new TestFolder()

async function shared() {
  const path = folder.layout((layout) => {
    const layers = [layer(layout, 'a'), layer(layout, 'b')]
    const manifests = [AMD64, ARM64].map((platform) => layout.manifest(layers, platform, { platform }))
    layout.top(layout.imageIndex(manifests, {}, NAMED_APP))
  })
  await convert(`oci:${path}:app`, undefined, SMALL)
  return path
}

test('inspect: both platforms have the index, and nothing is wrong with it', async () => {
  const { images, sociEnabled } = await inspect(`oci:${await shared()}:app-soci`)
  assert.equal(sociEnabled, true)
  assert.equal(images.length, 2)
  assert.equal(images[0]!.index!.digest, images[1]!.index!.digest)
  for (const { problems, version, layers } of images) {
    assert.deepEqual(problems, [])
    assert.equal(version, 'v2')
    assert.deepEqual(
      layers.map(({ lazy }) => lazy),
      [true, true],
    )
  }
})

test('checkConverted: it matches', async () => {
  const path = await shared()
  const { matches, problems } = await checkConverted(`oci:${path}:app`, `oci:${path}:app-soci`, SMALL)
  assert.deepEqual([matches, problems], [true, []])
})

test('both platforms are read through it, and rm reports it once', async () => {
  const path = await shared()
  for (const platform of ['linux/amd64', 'linux/arm64']) {
    const image = await openImage(`oci:${path}:app-soci`, { platform })
    assert.equal((await image.read('a/f')).length, 3000)
    assert.deepEqual(image.statistics.wholeLayers, [])
    await image.close()
  }
  const { removed } = await removeSoci(`oci:${path}:app-soci`)
  assert.equal(removed.length, 1)
  assert.equal((await inspect(`oci:${path}:app-soci`)).sociEnabled, false)
})

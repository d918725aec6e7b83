import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore, openStore } from '@sociable/oci'
import { convert, copyImage, createIndex, inspect, removeSoci } from '../src/index.js'
import { snapshot, TestFolder } from './support/folder.js'
import { attestation, NAMED_APP, SMALL, twoManifests, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()

test('copy keeps every digest: v2, v1 and attestations, through layouts, archives and memory', async () => {
  const input = folder.layout((layout) => {
    const [amd64, arm64] = twoManifests(layout)
    layout.top(layout.imageIndex([amd64, arm64, attestation(layout, amd64)], {}, NAMED_APP))
  })
  await convert(`oci:${input}:app`, undefined, SMALL)
  await createIndex(`oci:${input}:app`, SMALL)
  for (const tag of ['app', 'app-soci']) {
    const before = await inspect(`oci:${input}:${tag}`)
    assert.equal(before.sociEnabled, true)
    const output = folder.fresh()
    const archive = `${folder.fresh()}.tar`
    const memory = { store: createMemoryStore('memory:m'), reference: 'v' }
    const result = await copyImage(`oci:${input}:${tag}`, `oci:${output}:v`)
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
    assert.equal(result.destination, `oci:${output}:v`)
    assert.ok(result.bytesCopied > 0)
    // Of the converted image only the attestation refers to something: to what it attests to
    assert.equal(result.referrers.length, tag === 'app' ? 2 : 0)
    await copyImage(`oci:${output}:v`, `oci-archive:${archive}:v`)
    await copyImage(`oci-archive:${archive}:v`, memory)
    for (const copy of [`oci:${output}:v`, `oci-archive:${archive}:v`, memory]) {
      const after = await inspect(copy)
      assert.deepEqual({ ...after, image: '' }, { ...before, image: '' })
    }
    const files = snapshot(output)
    const again = await copyImage(`oci:${input}:${tag}`, `oci:${output}:v`)
    assert.equal(again.bytesCopied, 0)
    assert.deepEqual(snapshot(output), files)
  }
})

test('copy: no image, no destination', async () => {
  const input = folder.layout(twoPlatforms)
  await assert.rejects(copyImage(`oci:${input}:none`, `oci:${folder.fresh()}`), { code: 'NOT_FOUND' })
  await assert.rejects(copyImage(`oci:${input}`, 'docker-archive:x.tar'), { code: 'DESTINATION_INVALID' })
})

test('rm deletes attached indexes, and takes those that are part of the image out of it', async () => {
  const input = folder.layout(twoPlatforms)
  const before = await inspect(`oci:${input}:app`)
  const v1 = await createIndex(`oci:${input}:app`, SMALL)
  const v2 = await convert(`oci:${input}:app`, undefined, SMALL)
  const removed = await removeSoci(`oci:${input}:app`)
  assert.deepEqual(JSON.parse(JSON.stringify(removed)), removed)
  assert.deepEqual(
    removed.removed.map(({ digest, version, buildTool }) => [digest, version, buildTool]),
    v1.images.map(({ index }) => [index!.digest, 'v1', 'sociable v1']),
  )
  assert.deepEqual(await inspect(`oci:${input}:app`), before)
  const store = await openStore(`oci:${input}`)
  assert.equal(await store.exists(v1.images[0]!.index!), false)
  await store.close()

  const soci = await inspect(`oci:${input}:app-soci`)
  assert.equal(soci.sociEnabled, true, 'another image keeps its own')
  const freed = await removeSoci(`oci:${input}:app-soci`)
  assert.equal(freed.removed.length, 2)
  const after = await inspect(`oci:${input}:app-soci`)
  assert.equal(after.sociEnabled, false)
  assert.equal(after.digest, freed.digest)
  assert.deepEqual(
    after.images.map(({ layers }) => layers.map(({ digest }) => digest)),
    soci.images.map(({ layers }) => layers.map(({ digest }) => digest)),
  )
  assert.deepEqual((await removeSoci(`oci:${input}:app-soci`)).removed, [])
  assert.equal((await convert(`oci:${input}:app-soci`, `oci:${input}:app-soci`, SMALL)).digest, v2.digest)
})

test('rm leaves what other tools made, unless told', async () => {
  const input = folder.layout(twoPlatforms)
  const theirs = { ...SMALL, buildTool: 'AWS SOCI CLI v0.2' }
  await createIndex(`oci:${input}:app`, theirs)
  await convert(`oci:${input}:app`, undefined, theirs)
  for (const tag of ['app', 'app-soci']) {
    const before = await inspect(`oci:${input}:${tag}`)
    const { removed, kept } = await removeSoci(`oci:${input}:${tag}`)
    assert.deepEqual([removed.length, kept.length], [0, 2])
    assert.deepEqual(await inspect(`oci:${input}:${tag}`), before)
    assert.equal((await removeSoci(`oci:${input}:${tag}`, { all: true })).removed.length, 2)
    assert.equal((await inspect(`oci:${input}:${tag}`)).sociEnabled, false)
  }
})

test('rm: what is named by its digest cannot become another image', async () => {
  const input = folder.layout(twoPlatforms)
  const { digest } = await convert(`oci:${input}:app`, undefined, SMALL)
  await assert.rejects(removeSoci(`oci:${input}@${digest}`), { code: 'DESTINATION_INVALID', message: /name its tag/ })
})

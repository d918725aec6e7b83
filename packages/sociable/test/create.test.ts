import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore } from '@sociable/oci'
import { convert, createIndex, inspect, openImage } from '../src/index.js'
import { blobJson, snapshot, TestFolder } from './support/folder.js'
import { SMALL, twoManifests, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const V1 = 'application/vnd.amazon.soci.index.v1+json'

test('indexes are attached to the manifests of an image that stays as it is', async () => {
  const path = folder.layout(twoPlatforms)
  const before = await inspect(`oci:${path}:app`)
  const result = await createIndex(`oci:${path}:app`, SMALL)
  assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
  assert.deepEqual(
    result.images.map(({ name }) => name),
    ['linux/amd64', 'linux/arm64/v8'],
  )
  for (const { index, manifest, source } of result.images) {
    assert.deepEqual(manifest, source)
    const { config, subject, layers } = blobJson(path, index!.digest)
    assert.equal(config.mediaType, V1)
    assert.deepEqual(subject, manifest)
    assert.equal(layers.length, 2)
  }
  const after = await inspect(`oci:${path}:app`)
  assert.equal(after.digest, before.digest)
  assert.deepEqual(
    after.images.map(({ version, index }) => [version, index?.digest]),
    result.images.map(({ index }) => ['v1', index!.digest]),
  )
  const store = await openStore(`oci:${path}`)
  const found: string[] = []
  for await (const { digest } of store.referrers(result.images[0]!.manifest, { artifactType: V1 })) found.push(digest)
  assert.deepEqual(found, [result.images[0]!.index!.digest])
  await store.close()
  const image = await openImage(`oci:${path}:app`, { platform: 'linux/arm64' })
  assert.equal((await image.read('b/f')).length, 3000)
  assert.deepEqual(image.statistics.wholeLayers, [])
  await image.close()
})

test('a second run reuses what is attached and writes nothing', async () => {
  const path = folder.layout(twoPlatforms)
  const first = await createIndex(`oci:${path}`, { ...SMALL, indexTag: 'index' })
  assert.deepEqual(first.tags, { 'linux/amd64': 'index-linux-amd64', 'linux/arm64/v8': 'index-linux-arm64-v8' })
  const before = snapshot(path)
  const second = await createIndex(`oci:${path}:app`, { ...SMALL, indexTag: 'index' })
  assert.deepEqual(snapshot(path), before)
  assert.deepEqual(
    new Set(second.images.flatMap(({ layers }) => layers.map(({ state }) => state))),
    new Set(['reused']),
  )
  assert.deepEqual(
    second.images.map(({ index }) => index),
    first.images.map(({ index }) => index),
  )
  const forced = await createIndex(`oci:${path}:app`, { ...SMALL, force: true })
  assert.equal(forced.images[0]!.layers[0]!.state, 'indexed')
  const one = await createIndex(`oci:${path}:app`, { ...SMALL, platforms: ['linux/amd64'], indexTag: 'one' })
  assert.deepEqual(one.tags, { 'linux/amd64': 'one' })
})

test('nothing to index, and what cannot be indexed', async () => {
  const path = folder.layout(twoPlatforms)
  const before = snapshot(path)
  const result = await createIndex(`oci:${path}`)
  assert.equal(result.indexed, false)
  assert.match(result.reason!, /smaller than/)
  await assert.rejects(createIndex(`oci:${path}`, { requireIndex: true }), { code: 'NOTHING_TO_INDEX' })
  await assert.rejects(createIndex(`oci:${path}`, { platforms: ['linux/s390x'] }), {
    code: 'PLATFORM_NOT_FOUND',
    message: /has no linux\/s390x, only linux\/amd64, linux\/arm64\/v8$/,
  })
  for (const name of [`oci:${folder.fresh()}`, `docker-archive:${folder.fresh()}`])
    await assert.rejects(createIndex(name, SMALL), { name: 'StoreError' })
  assert.deepEqual(snapshot(path), before)
})

test('a damaged layer leaves the image without an index', async () => {
  const path = folder.layout((layout) => layout.top(layout.imageIndex(twoManifests(layout))))
  const digest = blobJson(path, (await inspect(`oci:${path}`)).images[0]!.manifest.digest).layers[0].digest
  const file = join(path, 'blobs', 'sha256', digest.slice(7))
  writeFileSync(file, readFileSync(file).fill(1, 2000, 2100))
  const index = readFileSync(join(path, 'index.json'), 'utf8')
  await assert.rejects(createIndex(`oci:${path}`, SMALL), { name: 'LayerFormatError', message: new RegExp(digest) })
  assert.equal(readFileSync(join(path, 'index.json'), 'utf8'), index)
})

test('v1 beside v2: conversion of an image with an attached index', async () => {
  const path = folder.layout(twoPlatforms)
  const plain = await convert(`oci:${path}:app`, `oci:${path}:before`, SMALL)
  await createIndex(`oci:${path}:app`, SMALL)
  const after = await convert(`oci:${path}:app`, `oci:${path}:after`, SMALL)
  assert.equal(after.digest, plain.digest)
})

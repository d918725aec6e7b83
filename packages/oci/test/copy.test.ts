import assert from 'node:assert/strict'
import { readFileSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readContent } from '../src/content.js'
import { type CopyResult, copyContent } from '../src/copy.js'
import type { Descriptor } from '../src/document/descriptor.js'
import { createMemoryStore } from '../src/memory.js'
import { openStore } from '../src/open.js'
import type { Store } from '../src/store.js'
import { collect, describe, noise, pushImage, smallImage } from './images.js'
import { temporaryFolder } from './tools.js'

const bytes = noise((2 << 20) + 17)
const blob = describe('x', bytes)
const image = smallImage([{ name: 'a', data: 'a' }])

const path = (folder: string, descriptor: Descriptor) => join(folder, 'blobs', 'sha256', descriptor.digest.slice(7))

async function layoutWith(folder: string): Promise<Store> {
  const store = await openStore(`oci:${folder}`, { mode: 'write' })
  await store.push(blob, bytes)
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  return store
}

test('between layouts: a link, not a copy', async (t) => {
  const folder = temporaryFolder(t)
  const source = await layoutWith(join(folder, 'a'))
  const destination = await openStore(`oci:${folder}/b`, { mode: 'write' })
  assert.equal(await copyContent(source, blob, destination), 'linked')
  assert.equal(statSync(path(join(folder, 'a'), blob)).ino, statSync((await destination.locate!(blob))!.path).ino)
  assert.equal(await copyContent(source, blob, destination), 'present')
  assert.equal(await copyContent(source, blob, source), 'present')
  assert.deepEqual(await collect(destination.fetch(blob)), bytes)
})

test('the file is linked, not a symbolic link to it', async (t) => {
  const folder = temporaryFolder(t)
  const source = await layoutWith(join(folder, 'a'))
  const place = path(join(folder, 'a'), blob)
  unlinkSync(place)
  writeFileSync(join(folder, 'elsewhere'), bytes)
  symlinkSync(join(folder, 'elsewhere'), place)
  const destination = await openStore(`oci:${folder}/b`, { mode: 'write' })
  assert.equal(await copyContent(source, blob, destination), 'linked')
  unlinkSync(place)
  assert.deepEqual(await collect(destination.fetch(blob)), bytes)
})

test('every pair of stores', async (t) => {
  const folder = temporaryFolder(t)
  await layoutWith(join(folder, 'layout'))
  const archive = await openStore(`oci-archive:${folder}/source.tar`, { mode: 'write' })
  await archive.push(blob, bytes)
  await pushImage(archive, image)
  await archive.tag(image.manifest, 'v1')
  await archive.close()
  const memory = createMemoryStore()
  await memory.push(blob, bytes)
  const sources = [await openStore(`oci:${folder}/layout`), await openStore(`oci-archive:${folder}/source.tar`), memory]
  t.after(() => Promise.all(sources.map((store) => store.close())))
  const expected: CopyResult[][] = [
    ['linked', 'streamed', 'streamed'],
    ['streamed', 'streamed', 'streamed'],
    ['streamed', 'streamed', 'streamed'],
  ]
  for (const [i, source] of sources.entries())
    for (const verify of [true, false]) {
      const destinations = [
        await openStore(`oci:${folder}/to-${i}-${verify}`, { mode: 'write' }),
        await openStore(`oci-archive:${folder}/to-${i}-${verify}.tar`, { mode: 'write' }),
        createMemoryStore(),
      ]
      for (const [j, destination] of destinations.entries()) {
        assert.equal(
          await copyContent(source, blob, destination, { verify }),
          expected[i]![j],
          `${source.name} → ${destination.name}`,
        )
        assert.deepEqual(await readContent(destination, blob), bytes)
        await destination.close()
      }
    }
})

test('damage is found before the destination has it, by whom it is', async (t) => {
  const folder = temporaryFolder(t)
  const source = await layoutWith(join(folder, 'a'))
  const damaged = readFileSync(path(join(folder, 'a'), blob))
  damaged[5]! ^= 1
  writeFileSync(path(join(folder, 'a'), blob), damaged)
  const destinations = [await openStore(`oci:${folder}/b`, { mode: 'write' }), createMemoryStore('memory:b')]
  for (const destination of destinations) {
    await assert.rejects(copyContent(source, blob, destination), {
      code: 'DIGEST_MISMATCH',
      message: new RegExp(`^oci:${folder}/a: `),
    })
    assert.ok(!(await destination.exists(blob)))
  }
  // A caller that has verified the bytes by itself answers for them.
  assert.equal(await copyContent(source, blob, destinations[0]!, { verify: false }), 'linked')
  // Content that the destination already has is verified, too.
  await assert.rejects(copyContent(source, blob, destinations[0]!), {
    code: 'DIGEST_MISMATCH',
    message: new RegExp(`^oci:${folder}/b: `),
  })

  truncateSync(path(join(folder, 'a'), blob), 100)
  const third = await openStore(`oci:${folder}/c`, { mode: 'write' })
  for (const verify of [true, false])
    await assert.rejects(copyContent(source, blob, third, { verify }), {
      code: 'SIZE_MISMATCH',
      message: /has 100 bytes/,
    })
  assert.ok(!(await third.exists(blob)))
})

test('what the source lacks', async () => {
  await assert.rejects(copyContent(createMemoryStore('memory:a'), blob, createMemoryStore('memory:b')), {
    code: 'NOT_FOUND',
    message: /^memory:a does not have sha256:/,
  })
})

test('a signal ends a copy', async (t) => {
  const folder = temporaryFolder(t)
  const source = await layoutWith(join(folder, 'a'))
  const destination = await openStore(`oci:${folder}/b`, { mode: 'write' })
  await assert.rejects(copyContent(source, blob, destination, { signal: AbortSignal.abort(new Error('enough')) }), {
    message: 'enough',
  })
  assert.ok(!(await destination.exists(blob)))
})

test('documents are not read past their limit', async () => {
  const store = createMemoryStore()
  await store.push(blob, bytes)
  await assert.rejects(readContent(store, blob, { limit: 1000 }), {
    code: 'PROTOCOL',
    message: /has 2097169 bytes, more than the limit of 1000/,
  })
  await assert.rejects(readContent(store, { ...blob, size: 2 ** 60 }), { code: 'PROTOCOL' })
  await assert.rejects(readContent(store, { ...blob, size: -1 }), { code: 'SIZE_MISMATCH' })
})

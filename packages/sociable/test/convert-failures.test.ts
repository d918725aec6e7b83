import assert from 'node:assert/strict'
import { existsSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createMemoryStore, openStore, type Store, StoreError } from '@sociable/oci'
import { convert, type ProgressEvent } from '../src/index.js'
import { snapshot, TestFolder } from './support/folder.js'
import { LayoutBuilder, OCI_GZIP, OCI_INDEX, OCI_MANIFEST, type RawDescriptor } from './support/layout.js'
import { AMD64, ARM64, layer, layerBytes, SMALL, twoManifests, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', 'sha256', digest.slice(7))
}

/** Fails into a destination that has an image of the name already, and into one that is not there: neither shows a trace of it. */
async function failsWithoutTrace(input: string, error: object, options: object = SMALL): Promise<void> {
  const used = folder.fresh()
  const other = folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'other')], ARM64)))
  await convert(`oci:${other}`, `oci:${used}:v`, SMALL)
  const before = readFileSync(join(used, 'index.json'), 'utf8')
  await assert.rejects(convert(`oci:${input}`, `oci:${used}:v`, options), error)
  assert.equal(readFileSync(join(used, 'index.json'), 'utf8'), before)
  assert.ok(!Object.keys(snapshot(used)).some((name) => name.includes('tmp')))
  const fresh = folder.fresh()
  await assert.rejects(convert(`oci:${input}`, `oci:${fresh}:v`, options), error)
  assert.ok(!existsSync(fresh), 'a new layout is not left half-made')
  const archive = `${folder.fresh()}.tar`
  await assert.rejects(convert(`oci:${input}`, `oci-archive:${archive}:v`, options), error)
  assert.ok(!existsSync(archive))
}

describe('contents that are not what they should be', () => {
  /** A layout of two platforms in which one blob is another, of the same size or not. */
  function damaged(
    digestOf: (layout: LayoutBuilder) => string,
    damage: (path: string) => void,
  ): { path: string; digest: string } {
    const digest = digestOf(new LayoutBuilder())
    const path = folder.layout(twoPlatforms)
    damage(blobPath(path, digest))
    return { path, digest }
  }
  const flip = (path: string): void => {
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
  }
  const cut = (path: string): void => truncateSync(path, readFileSync(path).length - 1)
  const blobs = {
    'an indexed layer': { digestOf: (layout: LayoutBuilder) => layer(layout, 'a').digest, options: SMALL },
    'a layer that is not indexed': {
      digestOf: (layout: LayoutBuilder) => layer(layout, 'a').digest,
      options: { minLayerSize: 1e6 },
    },
    'a config': { digestOf: (layout: LayoutBuilder) => layout.config(AMD64).digest, options: SMALL },
    'a manifest': { digestOf: (layout: LayoutBuilder) => twoManifests(layout)[0].digest, options: SMALL },
  }
  for (const [name, { digestOf, options }] of Object.entries(blobs)) {
    test(`${name} with other bytes`, async () => {
      const damage =
        name === 'a config' ? (path: string) => writeFileSync(path, readFileSync(path).fill(32, 1, 2)) : flip
      const { path, digest } = damaged(digestOf, damage)
      // One byte of a stored block may show in the gzip's checksum before the digest is known
      const code = /^(DIGEST_MISMATCH|GZIP_CORRUPT)$/
      await failsWithoutTrace(path, { code, message: new RegExp(digest) }, options)
    })
    test(`${name} of another size`, async () => {
      const { path, digest } = damaged(digestOf, cut)
      const code = /^(SIZE_MISMATCH|NOT_FOUND)$/
      await failsWithoutTrace(path, { code, message: new RegExp(digest) }, options)
    })
  }

  test('the same layout as destination: layers that are not copied are verified all the same', async () => {
    const { path, digest } = damaged(blobs['a layer that is not indexed'].digestOf, flip)
    const before = snapshot(path)
    await assert.rejects(convert(`oci:${path}`, `oci:${path}:new`, { minLayerSize: 1e6 }), {
      code: 'DIGEST_MISMATCH',
      message: new RegExp(digest),
    })
    assert.equal(snapshot(path)['index.json'], before['index.json'])
  })

  test('one bad layer ends the work on the others, and is the error that is told', async () => {
    const path = folder.layout((layout) => {
      const bad = layout.blob(layerBytes('bad').subarray(0, -20), OCI_GZIP)
      const many = Array.from({ length: 20 }, (_, i) => layer(layout, `good${i}`, 5000))
      layout.top(layout.manifest([...many, bad, ...many], AMD64))
    })
    const finished: string[] = []
    const onProgress = (event: ProgressEvent) => event.type === 'layer' && finished.push(event.layer.digest)
    await assert.rejects(convert(`oci:${path}`, `oci:${folder.fresh()}`, { ...SMALL, concurrency: 3, onProgress }), {
      name: 'LayerFormatError',
      message: /^layer sha256:[0-9a-f]{64} of oci:.* \(linux\/amd64\): /,
    })
    const known = finished.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(finished.length, known, 'nothing goes on after the call has failed')
  })
})

describe('aborting', () => {
  for (const when of ['plan', 'progress', 'layer', 'blob'])
    test(`at the first ${when}`, async () => {
      const path = folder.layout(twoPlatforms)
      const controller = new AbortController()
      const reason = new Error('enough')
      const onProgress = ({ type }: ProgressEvent) => type === when && controller.abort(reason)
      const output = folder.fresh()
      await assert.rejects(
        convert(`oci:${path}`, `oci:${output}:v`, { ...SMALL, signal: controller.signal, onProgress }),
        (error) => error === reason,
      )
      assert.ok(!existsSync(output))
    })

  test('before it begins', async () => {
    const path = folder.layout(twoPlatforms)
    await assert.rejects(convert(`oci:${path}`, `oci:${folder.fresh()}`, { ...SMALL, signal: AbortSignal.abort() }), {
      name: 'AbortError',
    })
  })
})

describe('hostile manifests and indexes', () => {
  const cases: Record<string, (layout: LayoutBuilder) => void> = {
    'a manifest that is not JSON': (layout) => layout.top(layout.json('\u0000', OCI_MANIFEST)),
    'a manifest of 0 bytes': (layout) => layout.top(layout.json('', OCI_MANIFEST)),
    'an index that is a number': (layout) => layout.top(layout.json('1', OCI_INDEX)),
    'JSON nested 100,000 deep': (layout) =>
      layout.top(layout.json(`{"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, OCI_MANIFEST)),
    'an index of indexes, 10,001 deep': (layout) => {
      let descriptor = layout.manifest([layer(layout, 'a')], AMD64)
      for (let i = 0; i < 10_001; i++) descriptor = layout.imageIndex([descriptor])
      layout.top(layout.imageIndex([descriptor, layout.manifest([], ARM64, { platform: ARM64 })]))
    },
    'an index that doubles at every level': (layout) => {
      let descriptor = layout.manifest([layer(layout, 'a')], AMD64)
      for (let i = 0; i < 60; i++) descriptor = layout.imageIndex([descriptor, descriptor])
      layout.top(descriptor)
    },
    '100,000 descriptors': (layout) => {
      const descriptor = layout.manifest([layer(layout, 'a')], AMD64, { platform: AMD64 })
      layout.top(layout.imageIndex(Array<RawDescriptor>(100_000).fill(descriptor)))
    },
    'an entry that says it is its own index': (layout) => {
      layout.top({ mediaType: OCI_INDEX, digest: layout.imageIndex([]).digest, size: 12 })
    },
    'a digest that is a path': (layout) => {
      layout.top(layout.manifest([{ ...layer(layout, 'a'), digest: 'sha256:../../../../etc/passwd' }], AMD64))
    },
    'a manifest digest that is a path': (layout) => {
      const manifest = layout.manifest([layer(layout, 'a')], AMD64, { platform: AMD64 })
      layout.top(
        layout.imageIndex([
          { ...manifest, digest: '../../../../etc/passwd' },
          manifest,
          { ...manifest, platform: ARM64 },
        ]),
      )
    },
    'a layer of a size beyond 2^53': (layout) => {
      const { mediaType, digest } = layer(layout, 'a')
      const manifest = { schemaVersion: 2, config: layout.config(AMD64), layers: [{ mediaType, digest, size: 7 }] }
      layout.top(layout.json(JSON.stringify(manifest).replace('"size":7', '"size":9007199254740993'), OCI_MANIFEST))
    },
    'a layer of a negative size': (layout) => layout.top(layout.manifest([{ ...layer(layout, 'a'), size: -1 }], AMD64)),
    'a config of another size': (layout) => {
      const config = layout.config(AMD64)
      layout.top(layout.manifest([layer(layout, 'a')], AMD64, {}, { config: { ...config, size: config.size + 1 } }))
    },
    'a manifest that says it has 2^40 bytes': (layout) => {
      layout.top({ ...layout.manifest([layer(layout, 'a')], AMD64), size: 2 ** 40 })
    },
    'an unknown media type': (layout) => layout.top(layout.json({}, 'application/x.unknown')),
    'no media type': (layout) => layout.top(layout.json({ hello: 'world' }, '')),
    'only a SOCI index': (layout) => {
      const config = layout.blob('{}', 'application/vnd.amazon.soci.index.v2+json')
      layout.top(layout.json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }, OCI_MANIFEST))
    },
  }
  for (const [name, build] of Object.entries(cases))
    test(name, { timeout: 90_000 }, async () => {
      const path = folder.layout(build)
      const output = folder.fresh()
      await assert.rejects(convert(`oci:${path}`, `oci:${output}:v`, SMALL), {
        name: /^(Image|Store|LayerFormat)Error$/,
      })
      assert.ok(!existsSync(output))
    })

  test('what is refused is told with the name of the image and of the content', async () => {
    const path = folder.layout((layout) => layout.top(layout.json('{"schemaVersion":2,', OCI_MANIFEST)))
    await assert.rejects(convert(`oci:${path}`, `oci:${folder.fresh()}`, SMALL), {
      code: 'NOT_AN_IMAGE',
      message: new RegExp(`manifest sha256:[0-9a-f]{64} of oci:${path}`),
    })
  })
})

test('a store that cannot be written fails the call, not the process', async () => {
  const source = createMemoryStore('memory:source')
  await convert(`oci:${folder.layout(twoPlatforms)}`, { store: source, reference: 'app' }, { minLayerSize: 1e6 })
  const path = folder.layout(twoPlatforms)
  const readOnly = await openStore(`oci:${path}`)
  for (const store of [readOnly, failing(createMemoryStore('memory:failing'))])
    await assert.rejects(convert({ store: source, reference: 'app' }, { store, reference: 'v' }, SMALL), {
      code: 'DENIED',
    })
  await readOnly.close()
})

test('what the destination has already need not come from the source, be it damaged there', async () => {
  const input = folder.layout(twoPlatforms)
  const output = folder.fresh()
  const { digest } = await convert(`oci:${input}`, `oci:${output}:v`, SMALL)
  const path = blobPath(input, layer(new LayoutBuilder(), 'a').digest)
  unlinkSync(path) // linked files are one
  writeFileSync(path, 'damaged')
  assert.equal((await convert(`oci:${input}`, `oci:${output}:w`, { ...SMALL, minLayerSize: 1e6 })).indexed, false)
  assert.equal((await convert(`oci:${input}`, `oci:${output}:v`, SMALL)).digest, digest)
})

test('a destination that has other bytes under a digest is not trusted with them', async () => {
  const input = folder.layout(twoPlatforms)
  const output = folder.fresh()
  await convert(`oci:${input}`, `oci:${output}:v`, { minLayerSize: 1e6 })
  const digest = layer(new LayoutBuilder(), 'tiny', 10).digest
  const path = blobPath(output, digest)
  const bytes = Buffer.from(readFileSync(path))
  bytes[20]! ^= 1
  unlinkSync(path)
  writeFileSync(path, bytes)
  await assert.rejects(convert(`oci:${input}`, `oci:${output}:w`, { minLayerSize: 1e6 }), { code: 'DIGEST_MISMATCH' })
})

/** The store, refusing its first push after reading some of it. */
function failing(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'push')
        return async (...[, content]: Parameters<typeof store.push>) => {
          if (!(content instanceof Uint8Array)) for await (const _ of content) break
          throw new StoreError('DENIED', 'no space left')
        }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type ConvertResult, convert, inspect } from '../src/index.js'
import { blobJson, TestFolder } from './support/folder.js'
import { type LayoutBuilder, OCI_GZIP, OCI_INDEX } from './support/layout.js'
import { AMD64, attestation, layer, layerBytes, SMALL, twoManifests, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()

test('a SOCI-enabled image: what is lazy, by what, in how many spans', async () => {
  const path = folder.layout(twoPlatforms)
  const options = { spanSize: 2000, minLayerSize: 4000, prefetchFiles: ['a/f'], optimizations: ['xattr'] as const }
  const converted = await convert(`oci:${path}:app`, undefined, options)
  const result = await inspect(`oci:${path}:app-soci`)
  assert.deepEqual(JSON.parse(JSON.stringify(result)), result)
  assert.equal(result.sociEnabled, true)
  assert.equal(result.digest, converted.digest)
  assert.deepEqual(result.others, [])
  const [amd64] = result.images
  assert.equal(amd64!.version, 'v2')
  assert.deepEqual(amd64!.index, converted.images[0]!.index)
  assert.equal(amd64!.buildTool, 'sociable v1')
  assert.equal(amd64!.buildToolHealth, 'sound')
  assert.deepEqual(amd64!.problems, [])
  const [big, tiny] = amd64!.layers
  const made = converted.images[0]!.layers[0]!
  assert.deepEqual(big!.ztoc, {
    digest: made.ztoc!.digest,
    size: made.ztoc!.size,
    spans: made.spans,
    spanSize: 2000,
    files: 2,
    uncompressedSize: made.uncompressedSize,
    buildTool: 'sociable v1',
    disableXattrs: true,
  })
  assert.deepEqual(big!.prefetch, [[0, 1]])
  assert.deepEqual([big!.lazy, tiny!.lazy], [true, false])
  assert.equal(tiny!.reason, 'smaller than 10 MiB')
  assert.equal(amd64!.fargate.eligible, true)
  assert.deepEqual(
    (await inspect(`oci:${path}:app-soci`, { platforms: ['linux/arm64'] })).images.map(({ name }) => name),
    ['linux/arm64/v8'],
  )
  await assert.rejects(inspect(`oci:${path}:app-soci`, { platforms: ['linux/mips'] }), { code: 'PLATFORM_NOT_FOUND' })
})

test('an image without an index, its attestations, and what it lists but lacks', async () => {
  const path = folder.layout((layout) => {
    const [amd64, arm64] = twoManifests(layout)
    const absent = { ...arm64, digest: `sha256:${'0'.repeat(64)}` }
    layout.top(layout.imageIndex([amd64, attestation(layout, amd64), absent]))
  })
  const result = await inspect(`oci:${path}`)
  assert.equal(result.sociEnabled, false)
  assert.deepEqual(
    result.others.map(({ kind }) => kind),
    ['attestation', 'absent'],
  )
  const [image] = result.images
  assert.equal(image!.version, undefined)
  assert.deepEqual(image!.problems, [])
  assert.deepEqual(image!.fargate.reasons, ['it has no SOCI index'])
})

test("why a layer is not lazy, and the reference's build tool", async () => {
  const path = folder.layout((layout) => {
    const big = layout.blob(layerBytes('big', 11 << 20), OCI_GZIP)
    const zstd = layout.blob(Buffer.alloc(11 << 20, 1), 'application/vnd.oci.image.layer.v1.tar+zstd')
    layout.top(layout.manifest([big, zstd, layer(layout, 'a')], AMD64))
  })
  const reasons = async (name: string) => (await inspect(name)).images[0]!.layers.map(({ reason }) => reason)
  assert.deepEqual(await reasons(`oci:${path}`), [
    'the image has no SOCI index',
    'compressed with zstd',
    'smaller than 10 MiB',
  ])
  await convert(`oci:${path}`, `oci:${path}-1`, { buildTool: 'AWS SOCI CLI v0.2' })
  const result = await inspect(`oci:${path}-1`)
  assert.equal(result.images[0]!.buildToolHealth, 'unknown')
  await convert(`oci:${path}`, `oci:${path}-2`, { minLayerSize: 0, prefetchFiles: ['a/f'] })
  assert.deepEqual(await reasons(`oci:${path}-2`), [undefined, 'compressed with zstd', undefined])
})

describe('links that do not hold', () => {
  /** The converted image with its top index changed. */
  async function changed(
    change: (index: ReturnType<typeof blobJson>, result: ConvertResult, path: string) => void,
  ): Promise<string> {
    const input = folder.layout(twoPlatforms)
    const path = folder.fresh()
    const result = await convert(`oci:${input}`, `oci:${path}:v`, SMALL)
    const index = blobJson(path, result.digest)
    change(index, result, path)
    const copy = folder.layout((layout: LayoutBuilder) => layout.top(layout.json(index, OCI_INDEX)))
    for (const name of [
      'index.json',
      `blobs/sha256/${JSON.parse(readFileSync(join(copy, 'index.json'), 'utf8')).manifests[0].digest.slice(7)}`,
    ])
      writeFileSync(join(path, name), readFileSync(join(copy, name)))
    return path
  }
  async function problemsOf(path: string): Promise<readonly string[]> {
    const result = await inspect(`oci:${path}`)
    assert.equal(result.images[0]!.fargate.eligible, result.images[0]!.problems.length === 0)
    return result.images[0]!.problems
  }

  test('none', async () => {
    assert.deepEqual(await problemsOf(await changed(() => {})), [])
  })
  test('the entry in the index does not name the SOCI index', async () => {
    const path = await changed((index) => delete index.manifests[0].annotations)
    assert.match(
      (await problemsOf(path)).join(),
      /^the manifest names SOCI index sha256:\w+, its entry in the image index none$/,
    )
  })
  test('the SOCI index is not listed', async () => {
    const path = await changed((index) => index.manifests.splice(2, 1))
    assert.match((await problemsOf(path)).join(), /^SOCI index sha256:\w+ is not listed in the image index/)
  })
  test('the SOCI index names another manifest', async () => {
    const path = await changed((index) => {
      index.manifests[2].annotations['com.amazon.soci.image-manifest-digest'] = index.manifests[1].digest
    })
    assert.match(
      (await problemsOf(path)).join(),
      /^SOCI index sha256:\w+ says it is of manifest sha256:\w+, not sha256:\w+$/,
    )
  })
  test('the SOCI index is missing', async () => {
    const path = await changed((_, result, path) => rmSync(blobOf(path, result.images[0]!.index!.digest)))
    const problems = await problemsOf(path)
    assert.match(problems.join(), /is not listed .*SOCI index sha256:\w+ is not in oci:/)
  })
  test('the manifest does not name the SOCI index that names it', async () => {
    const path = await changed((index, _, path) => {
      const manifest = blobJson(path, index.manifests[0].digest)
      delete manifest.annotations
      const descriptor = addBlob(path, manifest)
      Object.assign(index.manifests[0], descriptor, { annotations: {} })
      index.manifests[2].annotations['com.amazon.soci.image-manifest-digest'] = descriptor.digest
    })
    assert.match(
      (await problemsOf(path)).join(),
      /^SOCI index sha256:\w+ names the manifest, but the manifest does not name it/,
    )
  })
  test('a zTOC is missing, damaged, or of another layer', async () => {
    const ztoc = (result: ConvertResult, i = 0) => result.images[0]!.layers[i]!.ztoc!.digest
    const missing = await changed((_, result, path) => rmSync(blobOf(path, ztoc(result))))
    assert.match(
      (await problemsOf(missing)).join(),
      /^zTOC or prefetch list sha256:\w+ of layer sha256:\w+ is not in oci:/,
    )
    const swapped = await changed((index, _, path) => {
      const soci = blobJson(path, index.manifests[2].digest)
      const [a, tiny] = soci.layers
      soci.layers = [
        { ...a, annotations: tiny.annotations },
        { ...tiny, annotations: { ...tiny.annotations, 'com.amazon.soci.image-layer-digest': 'x' } },
      ]
      const descriptor = addBlob(path, soci)
      const manifest = blobJson(path, index.manifests[0].digest)
      manifest.annotations['com.amazon.soci.index-digest'] = descriptor.digest
      const image = addBlob(path, manifest)
      Object.assign(index.manifests[0], image, { annotations: manifest.annotations })
      Object.assign(index.manifests[2], descriptor, {
        annotations: { 'com.amazon.soci.image-manifest-digest': image.digest },
      })
    })
    const problems = (await problemsOf(swapped)).join('\n')
    assert.match(problems, /is malformed: it is of a layer of \d+ bytes, this one has \d+/)
    assert.match(problems, /sha256:\w+ is of layer x, which the image does not have/)
    const damaged = await changed((_, result, path) => {
      const file = blobOf(path, ztoc(result))
      writeFileSync(file, readFileSync(file).fill(0, 50, 60))
    })
    await assert.rejects(inspect(`oci:${damaged}`), { code: 'DIGEST_MISMATCH' })
  })
})

function blobOf(path: string, digest: string): string {
  return join(path, 'blobs', 'sha256', digest.slice(7))
}

function addBlob(path: string, value: unknown): { digest: string; size: number } {
  const layout = folder.layout((layout) => layout.top(layout.json(value, OCI_INDEX)))
  const { digest, size } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests[0]
  writeFileSync(blobOf(path, digest), readFileSync(blobOf(layout, digest)))
  return { digest, size }
}

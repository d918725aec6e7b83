// Image entries without a platform beside other entries: what a runtime or tool picks by platform must be the image, never its SOCI index.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { convert, inspect } from '../../src/index.js'
import { blobJson, TestFolder } from '../support/folder.js'
import { type LayoutBuilder, OCI_MANIFEST, type RawDescriptor } from '../support/layout.js'
import { AMD64, ARM64, layer, NAMED_APP, SMALL } from '../support/samples.js'

const folder = new TestFolder()

/** As cosign stores a signature: an image manifest with an image's config that names no platform. */
function signature(layout: LayoutBuilder): RawDescriptor {
  const payload = layout.blob('{"critical":{}}', 'application/vnd.dev.cosign.simplesigning.v1+json')
  return layout.manifest([payload], {})
}

function sbom(layout: LayoutBuilder): RawDescriptor {
  const config = layout.blob('{}', 'application/vnd.oci.empty.v1+json')
  const layers = [layout.blob('{"spdx":1}', 'text/spdx+json')]
  return layout.json(
    { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: 'text/spdx', config, layers },
    OCI_MANIFEST,
  )
}

interface Listed {
  readonly artifactType?: string
  readonly platform?: { readonly os: string; readonly architecture: string }
  readonly annotations?: Readonly<Record<string, string>>
}

const listed = (path: string, digest: string): Listed[] => blobJson(path, digest).manifests

/** What containerd, skopeo and oras take for the image: the first entry of the platform. */
const picked = (entries: readonly Listed[], architecture: string) =>
  entries.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture)

for (const [name, besides] of [
  ['a signature', signature],
  ['an SBOM', sbom],
] as const)
  for (const form of ['in an index', 'in a layout'] as const)
    test(`${name} beside the image, ${form}: the image gets the platform of its config`, async () => {
      const path = folder.layout((layout) => {
        const entries = [besides(layout), layout.manifest([layer(layout, 'a')], AMD64)]
        if (form === 'in an index') layout.top(layout.imageIndex(entries, {}, NAMED_APP))
        else layout.top(...entries)
      })
      const out = folder.fresh()
      const { digest } = await convert(
        form === 'in an index' ? `oci:${path}:app` : `oci:${path}`,
        `oci:${out}:v`,
        SMALL,
      )
      const entries = listed(out, digest)
      assert.equal(entries.length, 3)
      const image = picked(entries, 'amd64')
      assert.equal(image?.artifactType, undefined, 'the SOCI index is taken for the image')
      assert.ok(image?.annotations?.['com.amazon.soci.index-digest'])
      const { images } = await inspect(`oci:${out}:v`)
      assert.deepEqual(
        images.map(({ problems }) => problems),
        [[]],
      )
      assert.equal((await convert(`oci:${out}:v`, `oci:${out}:w`, SMALL)).digest, digest)
    })

test('several images in an index without platforms: each gets its own', async () => {
  const path = folder.layout((layout) => {
    const entries = [AMD64, ARM64].map((config, i) => layout.manifest([layer(layout, `l${i}`)], config))
    layout.top(layout.imageIndex(entries, {}, NAMED_APP))
  })
  const { digest } = await convert(`oci:${path}:app`, undefined, SMALL)
  const entries = listed(path, digest)
  for (const architecture of ['amd64', 'arm64']) assert.equal(picked(entries, architecture)?.artifactType, undefined)
})

test('images without a name or platform in one layout are refused, their digests listed', async () => {
  let digests: string[] = []
  const path = folder.layout((layout) => {
    const entries = ['a', 'b'].map((seed) => layout.manifest([layer(layout, seed)], AMD64))
    digests = entries.map(({ digest }) => digest)
    layout.top(...entries)
  })
  await assert.rejects(convert(`oci:${path}`, `oci:${folder.fresh()}:v`, SMALL), ({ code, message }) => {
    assert.equal(code, 'NOT_AN_IMAGE')
    for (const digest of digests) assert.ok(message.includes(digest), message)
    return true
  })
  await convert(`oci:${path}@${digests[1]}`, `oci:${folder.fresh()}:v`, SMALL)
})

test('inspect reports a SOCI index that has the platform which its image lacks', async () => {
  const path = folder.layout((layout) => {
    const entries = [
      layout.manifest([layer(layout, 'a')], AMD64),
      layout.manifest([layer(layout, 'b')], ARM64, { platform: ARM64 }),
    ]
    layout.top(layout.imageIndex(entries, {}, NAMED_APP))
  })
  const { digest } = await convert(`oci:${path}:app`, undefined, SMALL)
  const index = blobJson(path, digest)
  const broken = folder.fresh()
  cpSync(path, broken, { recursive: true })
  delete index.manifests[0].platform // as versions before this one left it
  const bytes = JSON.stringify(index)
  const hex = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(`${broken}/blobs/sha256/${hex}`, bytes)
  const annotations = { 'org.opencontainers.image.ref.name': 'old' }
  const entry = {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    digest: `sha256:${hex}`,
    size: bytes.length,
    annotations,
  }
  writeFileSync(`${broken}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  const { images } = await inspect(`oci:${broken}:old`)
  assert.match(images[0]!.problems.join(), /has no platform, that of SOCI index sha256:\w+ has/)
  assert.equal(images[0]!.fargate.eligible, false)
  assert.equal((await convert(`oci:${broken}:old`, `oci:${broken}:new`, SMALL)).digest, digest)
})

import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createMemoryStore, digestOf, openStore, type Store } from '@sociable/oci'
import { convert, inspect, openImage } from '../src/index.js'
import { blobJson, snapshot, TestFolder } from './support/folder.js'
import { LayoutBuilder } from './support/layout.js'
import {
  AMD64,
  ARM64,
  attestation,
  layer,
  layerBytes,
  NAMED_APP,
  SMALL,
  twoManifests,
  twoPlatforms,
} from './support/samples.js'
import { tar, untar } from './support/tar.js'

const folder = new TestFolder()

async function tagsOf(store: Store): Promise<string[]> {
  const tags: string[] = []
  for await (const tag of store.tags()) tags.push(tag)
  return tags
}

/** The layout as one file, as `docker save` and skopeo write it. */
function archive(build: (layout: LayoutBuilder) => void): string {
  const path = folder.layout(build)
  const files = Object.keys(snapshot(path)).map((name) => ({ name, content: readFileSync(join(path, name)) }))
  writeFileSync(`${path}.tar`, tar(files))
  return `${path}.tar`
}

/** The archive without the blobs of these digests. */
function lacking(file: string, digests: readonly string[]): string {
  const path = `${file}.partial.tar`
  const isLacking = (name: string) => digests.some((digest) => name.endsWith(digest.slice(7)))
  writeFileSync(path, tar(untar(readFileSync(file)).filter(({ name }) => !isLacking(name))))
  return path
}

const digestOfLayer = (seed: string, size?: number) => digestOf(layerBytes(seed, size))
const digestOfConfig = (platform: Readonly<Record<string, unknown>>) => new LayoutBuilder().config(platform).digest

describe('destinations', () => {
  test("by default the source's tag with -soci appended, in the same layout", async () => {
    const input = folder.layout(twoPlatforms)
    const result = await convert(`oci:${input}:app`, undefined, SMALL)
    assert.equal(result.destination, `oci:${input}:app-soci`)
    const only = await convert(`oci:${folder.layout(twoPlatforms)}`, undefined, SMALL)
    assert.match(only.destination, /:app-soci$/, "the only image's name, though the source did not say it")
    const store = await openStore(`oci:${input}`)
    assert.deepEqual(await tagsOf(store), ['app', 'app-soci'])
    await store.close()
  })

  test('without a tag to append to, one must be named', async () => {
    const input = folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'a')], AMD64)))
    await assert.rejects(convert(`oci:${input}`, undefined, SMALL), { code: 'DESTINATION_INVALID', message: /no tag/ })
    const unnamed = await convert(`oci:${input}`, `oci:${input}-out`, SMALL)
    assert.equal((await inspect(`oci:${input}-out`)).digest, unnamed.digest)
  })

  test('what cannot be written is refused before any work', async () => {
    const input = folder.layout(twoPlatforms)
    const file = archive(twoPlatforms)
    for (const [source, destination] of [
      [`oci:${input}`, 'docker-archive:x.tar'],
      [`oci:${input}`, `oci:${input}@sha256:${'0'.repeat(64)}`],
      [`docker-archive:${file}:app`, undefined],
    ] as const)
      await assert.rejects(convert(source, destination, SMALL), { code: 'DESTINATION_INVALID' })
  })

  test('in place: the same name twice is one image', async () => {
    const input = folder.layout(twoPlatforms)
    const { digest, destination } = await convert(`oci:${input}`, `oci:${input}`, SMALL)
    assert.equal(destination, `oci:${input}:app`)
    assert.equal((await inspect(`oci:${input}`)).digest, digest)
    assert.equal((await convert(`oci:${input}:app`, `oci:${input}:app`, SMALL)).digest, digest)
    const flat = folder.layout((layout) => layout.top(...twoManifests(layout)))
    const whole = await convert(`oci:${flat}`, `oci:${flat}`, SMALL)
    assert.equal((await inspect(`oci:${flat}`)).digest, whole.digest)
  })

  test('in the same layout layers stay where they are, in another they are linked', async () => {
    const input = folder.layout(twoPlatforms)
    const before = snapshot(input)
    await convert(`oci:${input}:app`, `oci:${input}:other`, SMALL)
    const after = snapshot(input)
    for (const name of Object.keys(before).filter((name) => name !== 'index.json'))
      assert.equal(after[name], before[name])
    const output = folder.fresh()
    await convert(`oci:${input}:app`, `oci:${output}:v`, SMALL)
    const inode = (path: string) => statSync(join(path, 'blobs', 'sha256', digestOfLayer('a').slice(7))).ino
    assert.equal(inode(output), inode(input))
  })

  test('archives, layouts and memory give the same digest', async () => {
    const input = folder.layout(twoPlatforms)
    const { digest } = await convert(`oci:${input}`, `oci:${folder.fresh()}:v`, SMALL)
    const file = archive(twoPlatforms)
    const output = `${folder.fresh()}.tar`
    assert.equal((await convert(`oci-archive:${file}`, `oci-archive:${output}:v`, SMALL)).digest, digest)
    assert.equal((await convert(`oci-archive:${output}:v`, `oci:${folder.fresh()}`, SMALL)).digest, digest)
    const image = await openImage(`oci-archive:${output}:v`, { platform: 'linux/arm64' })
    assert.equal((await image.read('b/f')).length, 3000)
    await image.close()

    const source = createMemoryStore('memory:source')
    await convert(`oci:${input}`, { store: source, reference: 'original' }, { ...SMALL, minLayerSize: 1 << 20 })
    const target = createMemoryStore('memory:target')
    const result = await convert({ store: source, reference: 'original' }, { store: target, reference: 'v' }, SMALL)
    assert.equal(result.digest, digest)
    assert.equal(result.destination, 'memory:target:v')
    const beside = await convert({ store: source, reference: 'original' }, undefined, SMALL)
    assert.deepEqual([beside.destination, beside.digest], ['memory:source:original-soci', digest])
    const again = await convert({ store: target, reference: 'v' }, undefined, SMALL)
    assert.deepEqual([again.destination, again.alreadyEnabled], ['memory:target:v', true])
  })

  test('an archive that the source is in keeps what it holds', async () => {
    const file = archive(twoPlatforms)
    const { destination } = await convert(`oci-archive:${file}:app`, undefined, SMALL)
    assert.equal(destination, `oci-archive:${file}:app-soci`)
    const store = await openStore(`oci-archive:${file}`)
    assert.deepEqual(await tagsOf(store), ['app', 'app-soci'])
    await store.close()
    const size = statSync(file).size
    await convert(`oci-archive:${file}:app`, undefined, SMALL)
    assert.equal(statSync(file).size, size)
  })
})

describe('images of every kind', () => {
  test('attestations keep their annotations and follow the manifest they are about', async () => {
    const input = folder.layout((layout) => {
      const [amd64, arm64] = twoManifests(layout)
      const about = attestation(layout, amd64, { more: 'kept' })
      // before what it is about, too
      layout.top(layout.imageIndex([about, amd64, arm64, attestation(layout, arm64)], {}, NAMED_APP))
    })
    const output = folder.fresh()
    const { digest } = await convert(`oci:${input}`, `oci:${output}:v`, SMALL)
    const { manifests } = blobJson(output, digest)
    const [about, amd64, arm64, second] = manifests
    assert.deepEqual(about.annotations, {
      'vnd.docker.reference.digest': amd64.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
      more: 'kept',
    })
    assert.deepEqual(about.platform, { architecture: 'unknown', os: 'unknown' })
    assert.deepEqual(blobJson(output, about.digest).subject, {
      mediaType: amd64.mediaType,
      digest: amd64.digest,
      size: amd64.size,
    })
    assert.equal(second.annotations['vnd.docker.reference.digest'], arm64.digest)
    assert.equal(manifests.length, 6)
  })

  test('a docker save archive without its other platforms', async () => {
    const absent: string[] = []
    const file = archive((layout) => {
      const [amd64, arm64] = twoManifests(layout)
      const about = attestation(layout, arm64)
      absent.push(arm64.digest, about.digest)
      layout.top(layout.imageIndex([amd64, arm64, about], {}, NAMED_APP))
    })
    const partial = lacking(file, absent)
    const output = folder.fresh()
    const result = await convert(`docker-archive:${partial}`, `oci:${output}:v`, SMALL)
    assert.deepEqual(
      result.images.map(({ name }) => name),
      ['linux/amd64'],
    )
    assert.equal(result.warnings.length, 2)
    assert.match(result.warnings[0]!, /linux\/arm64\/v8 is listed in docker-archive:.* but not contained, and left out/)
    assert.equal(blobJson(output, result.digest).manifests.length, 2)
    await assert.rejects(
      convert(`docker-archive:${partial}`, `oci:${output}:v`, { ...SMALL, platforms: ['linux/arm64'] }),
      {
        code: 'PLATFORM_NOT_FOUND',
        message: /lists linux\/arm64 but does not contain it/,
      },
    )
  })

  test('an attestation of which only the manifest is there is left out', async () => {
    const file = archive((layout) => {
      const [amd64, arm64] = twoManifests(layout)
      layout.top(layout.imageIndex([amd64, arm64, attestation(layout, arm64)], {}, NAMED_APP))
    })
    const partial = lacking(file, [digestOf(Buffer.from('{"_type":"provenance"}'))])
    const output = folder.fresh()
    const result = await convert(`oci-archive:${partial}`, `oci:${output}:v`, SMALL)
    assert.match(result.warnings.join(), /^unknown\/unknown is listed in .* and left out$/)
    assert.equal(blobJson(output, result.digest).manifests.length, 4)
  })

  test('a manifest of which nothing else is there counts as absent, one that lacks a layer is an error', async () => {
    const file = archive(twoPlatforms)
    const arm64 = [digestOfLayer('b'), digestOfConfig(ARM64)]
    const none = lacking(file, [...arm64, digestOfLayer('a'), digestOfConfig(AMD64), digestOfLayer('tiny', 10)])
    await assert.rejects(convert(`oci-archive:${none}`, `oci:${folder.fresh()}`, SMALL), {
      code: 'NOT_AN_IMAGE',
      message: /2 manifests are listed in it, but it does not contain them/,
    })
    const one = lacking(file, [digestOfLayer('b')])
    await assert.rejects(convert(`oci-archive:${one}`, `oci:${folder.fresh()}`, SMALL), {
      code: 'NOT_FOUND',
      message: new RegExp(`layer ${digestOfLayer('b')} of oci-archive:.* \\(linux/arm64/v8\\)`),
    })
  })

  test('a non-distributable layer that is not there is left where its urls say', async () => {
    const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd'
    const input = folder.layout((layout) => {
      const absent = {
        mediaType: foreign,
        digest: `sha256:${'7'.repeat(64)}`,
        size: 5,
        urls: ['https://example.com/layer'],
      }
      layout.top(layout.manifest([absent, layer(layout, 'a')], AMD64))
    })
    const result = await convert(`oci:${input}`, `oci:${folder.fresh()}`, SMALL)
    assert.match(result.warnings[0]!, /layer sha256:7+ is not in .*: a non-distributable layer stays/)
    assert.deepEqual(
      result.images[0]!.layers.map(({ state }) => state),
      ['skipped', 'indexed'],
    )
  })

  test('a layer whose zTOC a runtime would refuse is left out, and said so', async () => {
    const input = folder.layout((layout) => {
      const odd = tar([{ name: 'link', type: '2', linkname: 'x', size: 5000 }, { name: 'after' }])
      layout.top(
        layout.manifest([layer(layout, 'a'), layout.blob(odd, 'application/vnd.oci.image.layer.v1.tar')], AMD64),
      )
    })
    const output = folder.fresh()
    const result = await convert(`oci:${input}`, `oci:${output}:v`, SMALL)
    const [sound, odd] = result.images[0]!.layers
    assert.equal(sound!.state, 'indexed')
    assert.equal(odd!.state, 'skipped')
    assert.match(odd!.reason!, /^a runtime would refuse its zTOC: /)
    assert.equal(blobJson(output, result.images[0]!.index!.digest).layers.length, 1)
    await assert.rejects(
      convert(
        `oci:${folder.layout((layout) => layout.top(layout.manifest([layout.blob(tar([{ name: 'd/', size: 5000 }, { name: 'after' }]), 'application/vnd.oci.image.layer.v1.tar')], AMD64)))}`,
        `oci:${folder.fresh()}`,
        { ...SMALL, requireIndex: true },
      ),
      { code: 'NOTHING_TO_INDEX', message: /a runtime would refuse/ },
    )
  })

  test('nothing to index: the destination is made, and why is told', async () => {
    const input = folder.layout(twoPlatforms)
    const output = folder.fresh()
    const result = await convert(`oci:${input}`, `oci:${output}:v`)
    assert.equal(result.indexed, false)
    assert.equal(result.reason, '2 layers: smaller than 10 MiB')
    assert.equal(result.images[0]!.index, undefined)
    assert.equal(blobJson(output, result.digest).manifests.length, 2)
    const before = snapshot(output)
    await assert.rejects(convert(`oci:${input}`, `oci:${output}:w`, { requireIndex: true }), {
      code: 'NOTHING_TO_INDEX',
      message: /no layer of oci:.* can be indexed: 2 layers: smaller than/,
    })
    assert.deepEqual(snapshot(output), before)
  })

  test('a path to prefetch that is nowhere is a warning for each platform', async () => {
    const input = folder.layout(twoPlatforms)
    const { warnings } = await convert(`oci:${input}`, `oci:${folder.fresh()}`, { ...SMALL, prefetchFiles: ['/a/f'] })
    assert.deepEqual(warnings, ['a/f, to be prefetched, is in no indexed layer of linux/arm64/v8'])
  })
})

// Layouts and archives that other tools make are read, and those that are made here are read by them.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readContent } from '../src/content.js'
import type { Descriptor } from '../src/document/descriptor.js'
import { decodeIndex, decodeManifest } from '../src/document/manifest.js'
import { isIndexType } from '../src/document/mediatype.js'
import { parseReference, referenceWithin } from '../src/document/reference.js'
import { openStore } from '../src/open.js'
import type { Store } from '../src/store.js'
import { artifact, noise, pushImage, smallImage } from './images.js'
import { run, temporaryFolder, tool } from './tools.js'

const image = smallImage([{ name: 'etc/name', data: 'first' }], [{ name: 'data', data: noise(30_000) }])

async function write(name: string): Promise<void> {
  const store = await openStore(name, { mode: 'write' })
  await pushImage(store, image)
  await store.tag(image.manifest, parseReference(name).tag)
  await store.close()
}

/** Everything that the name leads to, each verified: its top, and the digests of all layers. */
async function readAll(name: string): Promise<{ top: Descriptor; layers: string[] }> {
  const store = await openStore(name)
  try {
    const top = await store.resolve(referenceWithin(parseReference(name)))
    return { top, layers: await readLayers(store, top) }
  } finally {
    await store.close()
  }
}

async function readLayers(store: Store, descriptor: Descriptor): Promise<string[]> {
  const bytes = await readContent(store, descriptor)
  if (isIndexType(descriptor.mediaType)) {
    const { manifests } = decodeIndex(bytes, descriptor.digest)
    return (await Promise.all((manifests ?? []).map((child) => readLayers(store, child)))).flat()
  }
  const { config, layers } = decodeManifest(bytes, descriptor.digest)
  for (const blob of [config, ...(layers ?? [])]) await readContent(store, blob)
  return (layers ?? []).map(({ digest }) => digest)
}

const layerDigests = image.layers.map(({ digest }) => digest)

test('skopeo reads our layouts and archives', async (t) => {
  const skopeo = await tool(t, 'skopeo')
  if (skopeo === undefined) return
  const folder = temporaryFolder(t)
  for (const name of [
    `oci:${folder}/layout:v1`,
    `oci-archive:${folder}/image.tar:v1`,
    `oci-archive:${folder}/untagged.tar`,
  ]) {
    await write(name)
    const { Digest, Layers } = JSON.parse(run(skopeo, 'inspect', name))
    assert.equal(Digest, image.manifest.digest, name)
    assert.deepEqual(Layers, layerDigests)
    run(skopeo, '--insecure-policy', 'copy', name, `oci:${folder}/copied:v1`) // verifies every blob
  }
})

test('skopeo’s layouts and archives are read', async (t) => {
  const skopeo = await tool(t, 'skopeo')
  if (skopeo === undefined) return
  const folder = temporaryFolder(t)
  const source = `oci:${folder}/source:v1`
  await write(source)
  const copy = (to: string, ...options: string[]) => run(skopeo, '--insecure-policy', 'copy', ...options, source, to)
  for (const name of [`oci:${folder}/layout:v2`, `oci-archive:${folder}/image.tar:v2`]) {
    copy(name, '--preserve-digests') // else it compresses what is not
    const { top, layers } = await readAll(name)
    assert.equal(top.digest, image.manifest.digest)
    assert.deepEqual(layers, layerDigests)
    assert.equal((await readAll(name.replace(/:v2$/, ''))).top.digest, image.manifest.digest)
  }
  // The older form of docker save, with links to its layers; skopeo unpacks the compressed ones.
  const saved = `docker-archive:${folder}/saved.tar`
  copy(`${saved}:repo/app:1`)
  const { top, layers } = await readAll(`${saved}:repo/app:1`)
  assert.deepEqual((await readAll(saved)).top, top)
  const { rootfs } = JSON.parse(Buffer.from(image.configBytes).toString())
  assert.deepEqual(layers, rootfs.diff_ids)
})

test('skopeo adds to a layout of ours, and we to one of skopeo’s', async (t) => {
  const skopeo = await tool(t, 'skopeo')
  if (skopeo === undefined) return
  const folder = temporaryFolder(t)
  const other = smallImage([{ name: 'other', data: 'other' }])
  await write(`oci:${folder}/layout:ours`)
  run(
    skopeo,
    '--insecure-policy',
    'copy',
    '--preserve-digests',
    `oci:${folder}/layout:ours`,
    `oci:${folder}/theirs:skopeo`,
  )
  const store = await openStore(`oci:${folder}/theirs`, { mode: 'write' })
  await pushImage(store, other)
  await store.tag(other.manifest, 'ours')
  await store.close()
  for (const [tag, expected] of [
    ['skopeo', image],
    ['ours', other],
  ] as const)
    assert.equal(JSON.parse(run(skopeo, 'inspect', `oci:${folder}/theirs:${tag}`)).Digest, expected.manifest.digest)
  run(skopeo, '--insecure-policy', 'copy', `oci:${folder}/theirs:ours`, `oci:${folder}/layout:added`)
  assert.equal((await readAll(`oci:${folder}/layout:ours`)).top.digest, image.manifest.digest)
  assert.equal((await readAll(`oci:${folder}/layout:added`)).top.digest, other.manifest.digest)
})

test('umoci: its layouts are read, ours are unpacked', async (t) => {
  const umoci = await tool(t, 'umoci')
  if (umoci === undefined) return
  const folder = temporaryFolder(t)
  run(umoci, 'init', '--layout', `${folder}/theirs`)
  run(umoci, 'new', '--image', `${folder}/theirs:v1`)
  writeFileSync(join(folder, 'file'), noise(10_000))
  run(umoci, 'insert', '--rootless', '--image', `${folder}/theirs:v1`, join(folder, 'file'), '/file')
  assert.equal((await readAll(`oci:${folder}/theirs:v1`)).layers.length, 1)
  const ours = `oci:${folder}/ours:v1`
  await write(ours)
  assert.equal(run(umoci, 'ls', '--layout', `${folder}/ours`).trim(), 'v1')
  run(umoci, 'unpack', '--rootless', '--image', `${folder}/ours:v1`, join(folder, 'bundle'))
  run(umoci, 'gc', '--layout', `${folder}/ours`)
  assert.equal((await readAll(ours)).top.digest, image.manifest.digest)
})

test('crane: its archives of the older form, with compressed layers, are read', async (t) => {
  const crane = await tool(t, 'crane')
  if (crane === undefined) return
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'root'))
  const layer = join(folder, 'layer.tar.gz')
  writeFileSync(layer, image.layerBytes[0]!)
  const archive = join(folder, 'crane.tar')
  run(crane, 'append', '--oci-empty-base', '-f', layer, '-t', 'host.example/app:1', '-o', archive)
  const { layers } = await readAll(`docker-archive:${archive}:host.example/app:1`)
  assert.deepEqual(layers, [image.layers[0]!.digest]) // the very bytes, not unpacked and packed again
  run(crane, 'validate', '--tarball', archive)
})

test('oras: what it attached is found, and it finds what is attached here', async (t) => {
  const oras = await tool(t, 'oras')
  if (oras === undefined) return
  const folder = temporaryFolder(t)
  const layout = `${folder}/layout`
  await write(`oci:${layout}:v1`)
  writeFileSync(join(folder, 'note.txt'), 'note')
  run(
    oras,
    'attach',
    '--oci-layout',
    `${layout}:v1`,
    '--artifact-type',
    'application/x.oras',
    '--disable-path-validation',
    join(folder, 'note.txt'),
  )
  const store = await openStore(`oci:${layout}`, { mode: 'write' })
  const ours = artifact(image.manifest)
  await store.push(ours.descriptor, ours.bytes)
  await store.push(
    { mediaType: 'x', digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', size: 2 },
    Buffer.from('{}'),
  )
  await store.attach(ours.descriptor)
  const types: (string | undefined)[] = []
  for await (const { artifactType } of store.referrers(image.manifest)) types.push(artifactType)
  assert.deepEqual(types, ['application/x.oras', 'application/vnd.test.config'])
  assert.equal((await store.resolve(undefined)).digest, image.manifest.digest) // neither is an image
  await store.close()
  const found = run(oras, 'discover', '--oci-layout', '--format', 'json', `${layout}:v1`)
  assert.match(found, new RegExp(ours.descriptor.digest))
  assert.match(found, /application\/x\.oras/)
})

test('buildah: its archives are read, ours are pulled', async (t) => {
  const buildah = await tool(t, 'buildah')
  if (buildah === undefined) return
  const folder = temporaryFolder(t)
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
  const container = run(buildah, ...storage, 'from', 'scratch').trim()
  writeFileSync(join(folder, 'file'), noise(10_000))
  run(buildah, ...storage, 'add', container, join(folder, 'file'), '/file')
  run(buildah, ...storage, 'commit', container, 'built:1')
  for (const [name, layers] of [
    [`oci-archive:${folder}/built.tar`, 1],
    [`docker-archive:${folder}/saved.tar:built:1`, 1],
    [`oci:${folder}/layout:1`, 1],
  ] as const) {
    run(buildah, ...storage, 'push', 'built:1', name)
    assert.equal((await readAll(name)).layers.length, layers, name)
  }
  await write(`oci-archive:${folder}/ours.tar:v1`)
  run(buildah, ...storage, 'pull', `oci-archive:${folder}/ours.tar:v1`)
})

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { readContent } from '../../src/content.js'
import { digestOf } from '../../src/document/digest.js'
import { decodeIndex, decodeManifest } from '../../src/document/manifest.js'
import { DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD } from '../../src/document/mediatype.js'
import { openStore } from '../../src/open.js'
import type { Store } from '../../src/store.js'
import { collect, encodeJson } from '../images.js'
import { type TarEntry, tar } from '../tar-writer.js'
import { temporaryFolder } from '../tools.js'

const vectors = fileURLToPath(new URL('../../../test/vectors/', import.meta.url))

async function open(t: TestContext, entries: readonly TarEntry[]): Promise<Store> {
  const path = join(temporaryFolder(t), 'saved.tar')
  writeFileSync(path, tar(entries))
  const store = await openStore(`docker-archive:${path}`)
  t.after(() => store.close())
  return store
}

const layer = tar([{ name: 'a', data: 'a' }])
const config = (...diffIds: string[]) =>
  encodeJson({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } })
const list = (Layers: unknown, RepoTags: unknown = ['app:1']): TarEntry => ({
  name: 'manifest.json',
  data: encodeJson([{ Config: 'c.json', RepoTags, Layers }]),
})

test('an archive of the older form gives the manifests that containerd makes of it', async () => {
  // Made by vectors/generate/main.go.
  const imported = decodeIndex(readFileSync(join(vectors, 'docker-save.json')), 'docker-save.json').manifests ?? []
  assert.equal(imported.length, 3)
  const store = await openStore(`docker-archive:${join(vectors, 'docker-save.tar')}`)
  const { digest, size, mediaType } = imported[0]!
  for (const name of ['1', 'app:1', 'docker.io/library/app:1', 'latest', 'host.example/app'])
    assert.deepEqual(await store.resolve(name), { mediaType, digest, size }, name)
  assert.equal((await store.resolve(imported[2]!.digest)).digest, imported[2]!.digest)
  const [app, other] = ['docker.io/library/app:1', 'host.example/app:latest']
  await assert.rejects(store.resolve(undefined), {
    code: 'NOT_FOUND',
    message: `${store.name} has several images: say which; it has ${app}, ${other}`,
  })
  for (const [wrong, names] of [
    ['2', [app, other]],
    ['app:2', [app, other]],
    ['lates', [other, app]],
    ['host.example/app:2', [other, app]],
  ] as const)
    await assert.rejects(store.resolve(wrong), {
      code: 'NOT_FOUND',
      message: `${store.name} has no image "${wrong}"; it has ${names.join(', ')}`,
    })
  for (const entry of imported) {
    const manifest = decodeManifest(await readContent(store, entry), entry.digest)
    await readContent(store, manifest.config)
    for (const blob of manifest.layers ?? []) await readContent(store, blob) // verified
  }
  await store.close()
})

test('layers are told by their first bytes', async (t) => {
  const gzip = gzipSync(layer)
  const zstd = Buffer.from('28b52ffd2400010000', 'hex')
  const id = digestOf(layer)
  const store = await open(t, [
    { name: 'plain', data: layer },
    { name: 'gzip', data: gzip },
    { name: 'zstd', data: zstd },
    { name: 'empty' },
    { name: 'c.json', data: config(id, id, id, 'no digest') },
    list(['plain', 'gzip', 'zstd', 'empty']),
  ])
  const { layers } = decodeManifest(await readContent(store, await store.resolve(undefined)), 'it')
  assert.deepEqual(layers, [
    { mediaType: DOCKER_LAYER, digest: id, size: layer.length },
    { mediaType: DOCKER_LAYER_GZIP, digest: digestOf(gzip), size: gzip.length },
    { mediaType: DOCKER_LAYER_ZSTD, digest: digestOf(zstd), size: zstd.length },
    { mediaType: DOCKER_LAYER, digest: digestOf(new Uint8Array()), size: 0 },
  ])
  const located = await store.locate?.(layers![1]!)
  assert.deepEqual(
    new Uint8Array(readFileSync(located!.path).subarray(located!.offset, located!.offset + located!.size)),
    new Uint8Array(gzip),
  )
})

test('a layer that is not what the config says is found when it is read', async (t) => {
  const store = await open(t, [
    { name: 'l', data: layer },
    { name: 'c.json', data: config(digestOf(Buffer.from('x'))) },
    list(['l']),
  ])
  const { layers } = decodeManifest(await readContent(store, await store.resolve('1')), 'it')
  await assert.rejects(collect(store.fetch(layers![0]!)), { code: 'DIGEST_MISMATCH' })
})

test('images without names are one index, those without tags have none', async (t) => {
  const store = await open(t, [
    { name: 'l', data: layer },
    { name: 'c.json', data: config(digestOf(layer)) },
    { name: 'd.json', data: config() },
    {
      name: 'manifest.json',
      data: encodeJson([
        { Config: 'c.json', Layers: ['l'] },
        { Config: 'd.json', RepoTags: [] },
      ]),
    },
  ])
  const index = decodeIndex(await readContent(store, await store.resolve(undefined)), 'it')
  assert.equal(index.manifests?.length, 2)
})

test('what is malformed is refused', async (t) => {
  const sound: TarEntry[] = [
    { name: 'l', data: layer },
    { name: 'c.json', data: config(digestOf(layer)) },
  ]
  const refused: readonly [TarEntry[], { code: string; message: RegExp }][] = [
    [[...sound, list(['missing'])], { code: 'NOT_FOUND', message: /no file "missing", which its manifest.json names/ }],
    [[...sound, list(['../../etc/passwd'])], { code: 'NOT_FOUND', message: /etc\/passwd/ }],
    [[...sound, list(['l', 'l'])], { code: 'PROTOCOL', message: /lists 1 layers, manifest.json 2/ }],
    [[...sound, list('l')], { code: 'MANIFEST_INVALID', message: /\[0\].Layers is "l", not an array/ }],
    [[...sound, list([1])], { code: 'MANIFEST_INVALID', message: /Layers\[0\] is 1/ }],
    [[...sound, { name: 'manifest.json', data: '{}' }], { code: 'MANIFEST_INVALID', message: /not an array/ }],
    [
      [...sound, { name: 'manifest.json', data: '[' }],
      { code: 'JSON_INVALID', message: /manifest.json of docker-archive:/ },
    ],
    [
      [{ name: 'c.json', data: '{"os":5}' }, list([])],
      { code: 'MANIFEST_INVALID', message: /c.json of docker-archive:.*os is 5/ },
    ],
    [[{ name: 'c.json', type: '2', linkName: 'c.json' }, list([])], { code: 'NOT_FOUND', message: /"c.json"/ }],
    [[{ name: 'repositories', data: '{}' }], { code: 'PROTOCOL', message: /Docker before 1.10/ }],
    [[{ name: 'a', data: 'a' }], { code: 'PROTOCOL', message: /neither index.json nor manifest.json$/ }],
    [[], { code: 'PROTOCOL', message: /neither index.json nor manifest.json$/ }],
  ]
  for (const [entries, error] of refused) await assert.rejects(open(t, entries), error, String(error.message))
  const none = await open(t, [{ name: 'manifest.json', data: 'null' }])
  await assert.rejects(none.resolve(undefined), { code: 'NOT_FOUND', message: /has no image/ })
})

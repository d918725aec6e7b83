// The start layer that a profile adds to an image.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createMemoryStore } from '@sociable/oci'
import { decompress } from 'fzstd'
import { extract } from 'tar-stream'
import {
  assembleConversion,
  type ConvertOptions,
  type ConvertResult,
  checkConverted,
  convert,
  copyImage,
  indexPlannedLayer,
  inspect,
  openImage,
  type Profile,
  planConversion,
  removeSoci,
} from '../src/index.js'
import { blobJson, snapshot, TestFolder } from './support/folder.js'
import { type LayoutBuilder, OCI_CONFIG, OCI_GZIP, type RawDescriptor } from './support/layout.js'
import { startRegistry, writes } from './support/registries.js'
import { gzip, noise, type TarEntry, tar } from './support/tar.js'

const folder = new TestFolder()
const AMD64 = { architecture: 'amd64', os: 'linux' }
const ARM64 = { architecture: 'arm64', os: 'linux' }
const SMALL = { minLayerSize: 0, spanSize: 2000 }

const BOTTOM: readonly TarEntry[] = [
  { name: './', mode: 0o755 },
  { name: 'usr/', mode: 0o755, pax: { mtime: '1700000000.123456789' } },
  { name: 'usr/bin/', mode: 0o2755 },
  {
    name: 'usr/bin/app',
    content: noise(3000, 'app'),
    mode: 0o4755,
    xattrs: { 'security.capability': '\u0001\u0002', 'user.note': 'caf\u00e9' },
    pax: { mtime: '1700000001.5', uid: '4000000' },
  },
  { name: 'bin', type: '2', linkname: 'usr/bin', mode: 0o777 },
  { name: 'etc/', mode: 0o755 },
  { name: 'etc/conf', content: 'old' },
  { name: 'data/', mode: 0o700, xattrs: { 'trusted.overlay.opaque': 'y', 'user.kept': '1' } },
  { name: 'data/z', content: 'linked' },
  { name: 'data/b', type: '1', linkname: 'data/z' },
  { name: 'hidden', content: 'gone' },
  { name: 'opaque/' },
  { name: 'opaque/below', content: 'below' },
  { name: 'empty', content: '' },
  { name: 'implied/in/file', content: 'its folders are in no layer' },
]
const TOP: readonly TarEntry[] = [
  { name: 'etc/conf', content: 'new', mode: 0o600 },
  { name: '.wh.hidden' },
  { name: 'opaque/', mode: 0o711 },
  { name: 'opaque/.wh..wh..opq' },
  { name: 'opaque/own', content: 'own' },
  { name: 'dev/null', type: '3' },
]
const PROFILE: Profile = {
  version: 1,
  files: [
    '/bin/app',
    '/../etc/./conf',
    '/data/b',
    '/hidden',
    '/opaque/below',
    '/opaque/own',
    '/etc',
    '/dev/null',
    '/empty',
    '/implied/in/file',
    '/usr/bin/app',
    '/etc/conf/none',
  ].map((path) => ({ path })),
}

const diffIdOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

function image(layout: LayoutBuilder, tars: readonly Uint8Array[], platform: object = AMD64): RawDescriptor {
  const config = layout.json(
    {
      ...platform,
      config: { Cmd: ['<app>'] },
      'moby.unknown': 1,
      rootfs: { type: 'layers', diff_ids: tars.map(diffIdOf) },
      history: tars.map((_, i) => ({ created_by: `step ${i}` })),
    },
    OCI_CONFIG,
  )
  const layers = tars.map((bytes) => layout.blob(gzip(bytes), OCI_GZIP))
  return layout.manifest(layers, platform as Record<string, unknown>, { platform }, { config })
}

const source = folder.layout((layout) => layout.top(image(layout, [tar(BOTTOM), tar(TOP)])))

async function converted(options: ConvertOptions): Promise<{ path: string; result: ConvertResult }> {
  const path = folder.fresh()
  return { path, result: await convert(`oci:${source}`, `oci:${path}:a`, { ...SMALL, profile: PROFILE, ...options }) }
}

const blob = (path: string, digest: string): Buffer => readFileSync(join(path, 'blobs', 'sha256', digest.slice(7)))

interface Entry {
  readonly name: string
  readonly type: string
  readonly mode: number
  readonly linkname?: string
  readonly content: string
  readonly pax: Readonly<Record<string, string>>
}

async function entriesOf(bytes: Uint8Array): Promise<Entry[]> {
  const entries: Entry[] = []
  const reader = extract()
  reader.end(Buffer.from(bytes))
  for await (const entry of reader) {
    const { name, type, mode, linkname, pax } = entry.header as unknown as Omit<Entry, 'pax'> & { pax?: object }
    const parts: Buffer[] = []
    for await (const part of entry) parts.push(part as Buffer)
    const content = Buffer.concat(parts).toString('latin1')
    entries.push({ name, type, mode, ...(linkname && { linkname }), content, pax: { ...pax } })
  }
  return entries
}

describe('start layer', () => {
  test('has exact copies of what the union shows, whole inodes, links on the way, and no whiteout', async () => {
    const { path, result } = await converted({ startLayer: 'gzip' })
    const { startLayer, profile } = result.images[0]!
    const entries = await entriesOf(gunzipSync(blob(path, startLayer!.digest)))
    assert.deepEqual(
      entries.map(({ name, type, linkname }) => [name, type, ...(linkname ? [linkname] : [])]),
      [
        ['bin', 'symlink', 'usr/bin'],

        ['usr/', 'directory'],
        ['usr/bin/', 'directory'],
        ['usr/bin/app', 'file'],
        ['data/', 'directory'],
        ['data/b', 'file'],
        ['data/z', 'link', 'data/b'],
        ['empty', 'file'],
        ['implied/in/file', 'file'],
        ['etc/', 'directory'],
        ['etc/conf', 'file'],
        ['opaque/', 'directory'],
        ['opaque/own', 'file'],
      ],
    )
    const byName = new Map(entries.map((entry) => [entry.name.replace(/\/$/, ''), entry]))
    const found = byName.get('usr/bin/app')!
    assert.deepEqual([found.mode, found.pax.uid], [0o4755, '4000000'])
    assert.ok(found.content === noise(3000, 'app').toString('latin1'))
    assert.equal(found.pax.mtime, '1700000001.5')
    assert.equal(found.pax['SCHILY.xattr.security.capability'], '\u0001\u0002')
    assert.equal(found.pax['SCHILY.xattr.user.note'], 'caf\u00e9')
    assert.equal(byName.get('usr')!.pax.mtime, '1700000000.123456789')
    assert.equal(byName.get('usr/bin')!.mode, 0o2755)
    assert.deepEqual(byName.get('data')!.pax, { 'SCHILY.xattr.user.kept': '1' }) // overlayfs's own would hide the layers below
    assert.deepEqual([byName.get('etc/conf')!.content, byName.get('etc/conf')!.mode], ['new', 0o600])
    assert.equal(byName.get('data/b')!.content, 'linked')
    assert.equal(byName.get('opaque')!.mode, 0o711)
    assert.deepEqual(profile, {
      files: 6,
      missing: 3,
      missingPaths: ['/hidden', '/opaque/below', '/etc/conf/none'],
      notFiles: 2,
      notFilePaths: ['/etc', '/dev/null'],
    })
    assert.ok(result.warnings.some((warning) => warning.includes('/hidden, /opaque/below')))
  })

  test('is the same tar in zstd and gzip, and the config names it', async () => {
    const [zstd, gzipped] = [await converted({}), await converted({ startLayer: 'gzip' })]
    const layer = zstd.result.images[0]!.startLayer!
    assert.equal(layer.mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd')
    const bytes = decompress(blob(zstd.path, layer.digest))
    const other = gunzipSync(blob(gzipped.path, gzipped.result.images[0]!.startLayer!.digest))
    assert.deepEqual(Buffer.from(bytes), other)
    const manifest = blobJson(zstd.path, zstd.result.images[0]!.manifest.digest)
    assert.equal(manifest.layers.at(-1).digest, layer.digest)
    const config = blobJson(zstd.path, manifest.config.digest)
    assert.deepEqual(config.rootfs.diff_ids, [tar(BOTTOM), tar(TOP), bytes].map(diffIdOf))
    assert.equal(config.history.length, 3)
    assert.equal(config['moby.unknown'], 1)
  })

  test('a second run reads no layer and changes nothing', async () => {
    const { path, result } = await converted({})
    const before = snapshot(path)
    const again = await convert(`oci:${source}`, `oci:${path}:a`, { ...SMALL, profile: PROFILE })
    assert.equal(again.digest, result.digest)
    assert.equal(again.bytesIndexed, 0)
    assert.deepEqual(again.images[0]!.startLayer!.digest, result.images[0]!.startLayer!.digest)
    assert.deepEqual(snapshot(path), before)
  })

  test('temporary files change nothing: not if there can be none, and none is left', async () => {
    const { result } = await converted({})
    const before = process.env.TMPDIR
    const own = folder.fresh()
    mkdirSync(own)
    try {
      for (const path of [own, join(own, 'none')]) {
        process.env.TMPDIR = path
        assert.equal((await converted({})).result.digest, result.digest)
      }
    } finally {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    }
    assert.deepEqual(readdirSync(own), [])
  })

  test('a second run with other options makes it anew', async () => {
    const { path, result } = await converted({})
    const other = await convert(`oci:${source}`, `oci:${path}:a`, { ...SMALL, profile: PROFILE, startLayer: 'gzip' })
    assert.notEqual(other.digest, result.digest)
    assert.equal(other.digest, (await converted({ startLayer: 'gzip' })).result.digest)
  })

  test('converting an image that has one replaces it; without a profile it goes', async () => {
    const { path, result } = await converted({})
    const plain = await convert(`oci:${source}`, `oci:${folder.fresh()}:a`, SMALL)
    const to = folder.fresh()
    assert.equal((await convert(`oci:${path}:a`, `oci:${to}:a`, SMALL)).digest, plain.digest)
    assert.ok(
      existsSync(join(to, 'blobs', 'sha256', blobJson(to, plain.images[0]!.manifest.digest).config.digest.slice(7))),
    )
    const same = await convert(`oci:${path}:a`, `oci:${folder.fresh()}:a`, { ...SMALL, profile: PROFILE })
    assert.equal(same.digest, result.digest)
    const other = { ...SMALL, profile: { version: 1, files: [{ path: '/etc/conf' }] } } as const
    const fromOriginal = await convert(`oci:${source}`, `oci:${folder.fresh()}:a`, other)
    assert.equal((await convert(`oci:${path}:a`, `oci:${path}:a`, other)).digest, fromOriginal.digest)
  })

  test('what it has can be read through it, in zstd and gzip', async () => {
    for (const startLayer of ['zstd', 'gzip'] as const) {
      const { path } = await converted({ startLayer })
      const opened = await openImage(`oci:${path}:a`, { platform: 'linux/amd64' })
      assert.equal(Buffer.from(await opened.read('bin/app')).compare(noise(3000, 'app')), 0)
      assert.equal(Buffer.from(await opened.read('etc/conf')).toString(), 'new')
      assert.equal((await opened.stat('data/z')).layer, blobJson(path, opened.digest).layers.at(-1).digest)
      assert.equal(Buffer.from(await opened.read('hidden').catch(() => 'gone')).toString(), 'gone')
      const extracted = folder.fresh()
      await opened.extract('', extracted)
      assert.equal(readFileSync(join(extracted, 'data/b'), 'utf8'), 'linked')
      await opened.close()
    }
  })

  test('a zstd layer that is damaged or cut is an error that names it', async () => {
    const { path, result } = await converted({})
    const { digest, size } = result.images[0]!.startLayer!
    const file = join(path, 'blobs', 'sha256', digest.slice(7))
    const bytes = readFileSync(file)
    bytes[size >> 1]! ^= 0xff
    rmSync(file)
    writeFileSync(file, bytes)
    const opened = await openImage(`oci:${path}:a`, { platform: 'linux/amd64' })
    await assert.rejects(opened.read('etc/conf'), (error: Error) => error.message.includes(digest))
    await opened.close()
  })

  test('platforms have their own', async () => {
    const both = folder.layout((layout) =>
      layout.top(
        layout.imageIndex([
          image(layout, [tar(BOTTOM)]),
          image(layout, [tar([{ name: 'etc/conf', content: 'arm' }])], ARM64),
        ]),
      ),
    )
    const { images } = await convert(`oci:${both}`, `oci:${folder.fresh()}:a`, { ...SMALL, profile: PROFILE })
    assert.deepEqual(
      images.map(({ startLayer }) => startLayer!.files),
      [8, 1],
    )
  })

  test('inspect shows it, rm takes it away with the index', async () => {
    const { path } = await converted({})
    const [layer] = (await inspect(`oci:${path}:a`)).images[0]!.layers.slice(-1)
    assert.equal(layer!.isStartLayer, true)
    assert.match(layer!.reason!, /start layer/)
    await removeSoci(`oci:${path}:a`)
    const { images, sociEnabled } = await inspect(`oci:${path}:a`)
    assert.equal(sociEnabled, false)
    assert.deepEqual(
      images[0]!.layers.map(({ digest }) => digest),
      (await inspect(`oci:${source}`)).images[0]!.layers.map(({ digest }) => digest),
    )
  })

  test('in steps it is the same image, byte for byte', async () => {
    for (const extra of [{}, { startLayer: 'none' }, { startLayer: 'gzip', startLayerLimit: 10 }] as const) {
      const options = { ...SMALL, profile: PROFILE, ...extra }
      const [whole, parts] = [createMemoryStore(), createMemoryStore()].map((store) => ({ store, reference: 'v' }))
      const expected = await convert(`oci:${source}`, whole!, options)
      const plan = await planConversion(`oci:${source}`, parts!, options)
      const layers = await Promise.all(
        plan.layers.map((layer) => indexPlannedLayer(`oci:${source}`, parts!, layer, options)),
      )
      const result = await assembleConversion(`oci:${source}`, parts!, plan, layers, options)
      assert.equal(result.digest, expected.digest)
      const again = await planConversion(`oci:${source}`, parts!, options)
      assert.deepEqual([again.layers, again.reused.length], [[], 2])
    }
  })

  test('checkConverted tells another profile, and takes the image with or without one for a conversion', async () => {
    const { path } = await converted({})
    const check = (options: ConvertOptions) =>
      checkConverted(`oci:${source}`, `oci:${path}:a`, { ...SMALL, ...options })
    assert.deepEqual((await check({ profile: PROFILE })).problems, [])
    assert.deepEqual((await check({})).problems, [])
    const other = await check({ profile: { version: 1, files: [{ path: '/etc/conf' }] } })
    assert.match(other.problems.join(), /not made for this profile/)
    assert.match((await check({ profile: PROFILE, startLayer: 'gzip' })).problems.join(), /not made for this profile/)
  })

  test('in a registry a second run reads manifests and configs only', async (t) => {
    const registry = (await startRegistry(t, 'our own'))!
    const image = `${registry.host}/team/app:1`
    await copyImage(`oci:${source}`, image)
    const options = { ...SMALL, profile: PROFILE }
    const { digest } = await convert(image, `${image}-soci`, options)
    registry.seen()
    assert.equal((await convert(image, `${image}-soci`, options)).digest, digest)
    const configs = registry.blobsRead()
    assert.ok(configs.length <= 2, configs.join())
    assert.deepEqual(writes(registry.seen()), [])
    assert.equal((await inspect(`${image}-soci`)).images[0]!.layers.length, 3)
    const copied = await copyImage(`${image}-soci`, `oci:${folder.fresh()}:copy`)
    assert.equal(copied.digest, digest)
  })

  test('a large file that only a symlink of another name leads to has spans of its own, too', async () => {
    const text = (size: number, seed: string): string => noise(size / 2, seed).toString('hex')
    const bytes = tar([
      { name: 'before', content: text(3 << 20, 'before') },
      { name: 'opt/data-1.2.bin', content: text(3 << 20, 'data') },
      { name: 'after', content: text(3 << 20, 'after') },
      { name: 'current', type: '2', linkname: 'opt/data-1.2.bin' },
    ])
    const large = folder.layout((layout) => {
      const config = layout.json({ ...AMD64, rootfs: { type: 'layers', diff_ids: [diffIdOf(bytes)] } }, OCI_CONFIG)
      layout.top(layout.manifest([layout.blob(gzipSync(bytes), OCI_GZIP)], AMD64, { platform: AMD64 }, { config }))
    })
    const spansOf = async (path: string) => {
      const to = folder.fresh()
      const profile = { version: 1, files: [{ path }] } as const
      const options = { minLayerSize: 0, profile, startLayerLimit: 1000 }
      const { digest } = await convert(`oci:${large}`, `oci:${to}:a`, options)
      assert.equal((await convert(`oci:${large}`, `oci:${to}:a`, options)).digest, digest)
      const [layer] = (await inspect(`oci:${to}:a`)).images[0]!.layers
      return [layer!.ztoc!.spans, layer!.prefetch]
    }
    assert.deepEqual(await spansOf('/opt/data-1.2.bin'), [3, [[1, 1]]])
    assert.deepEqual(await spansOf('/current'), [3, [[1, 1]]])
    assert.deepEqual(await spansOf('/none'), [1, undefined])
  })

  test('an image of 127 layers gets none, and says why', async () => {
    const many = folder.layout((layout) =>
      layout.top(
        image(
          layout,
          Array.from({ length: 127 }, (_, i) => tar([{ name: `f${i}`, content: `${i}` }])),
        ),
      ),
    )
    const profile = { version: 1, files: [{ path: '/f1' }] } as const
    const result = await convert(`oci:${many}`, `oci:${folder.fresh()}:a`, { ...SMALL, profile })
    assert.equal(result.images[0]!.startLayer, undefined)
    assert.ok(result.warnings.some((warning) => warning.includes('127 layers')))
  })

  test('a config that does not list its layers gets none', async () => {
    const odd = folder.layout((layout) =>
      layout.top(layout.manifest([layout.blob(gzip(tar(BOTTOM)), OCI_GZIP)], AMD64)),
    )
    const result = await convert(`oci:${odd}`, `oci:${folder.fresh()}:a`, { ...SMALL, profile: PROFILE })
    assert.equal(result.images[0]!.startLayer, undefined)
    assert.ok(result.warnings.some((warning) => warning.includes('its config lists 0 layers, its manifest 1')))
  })

  test('a profile of another image: named, and the image is converted all the same', async () => {
    const profile = { version: 1, files: [{ path: '/none' }] } as const
    const { result } = await converted({ profile })
    assert.equal(result.indexed, true)
    assert.equal(result.images[0]!.startLayer, undefined)
    assert.equal(result.images[0]!.profile!.missing, 1)
  })
})

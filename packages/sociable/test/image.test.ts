import assert from 'node:assert/strict'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { convert, type ImageEntry, openImage } from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { type LayoutBuilder, OCI_GZIP } from './support/layout.js'
import { AMD64, layer, SMALL, twoPlatforms } from './support/samples.js'
import { gzip, noise, tar } from './support/tar.js'

const folder = new TestFolder()
const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar'

const BIG = noise(60_000, 'big')

/** Three layers: gzip, gzip with whiteouts and links, uncompressed. */
function files(layout: LayoutBuilder): void {
  const layers = [
    tar([
      { name: './' },
      { name: './etc/', mode: 0o755 },
      { name: './etc/os-release', content: 'NAME=test\n', mode: 0o644 },
      { name: './etc/gone', content: 'x' },
      { name: './data/' },
      { name: './data/before', content: noise(30_000, 'before') },
      { name: './data/big', content: BIG },
      { name: './data/after', content: noise(30_000, 'after') },
      { name: './opaque/' },
      { name: './opaque/old', content: 'old' },
    ]),
    tar([
      { name: 'etc/.wh.gone' },
      { name: 'opaque/.wh..wh..opq' },
      { name: 'opaque/new', content: 'new' },
      { name: 'os-release', type: '2', linkname: '/etc/os-release' },
      { name: 'config', type: '2', linkname: 'etc' },
      { name: 'escape', type: '2', linkname: '../../../../etc/os-release' },
      { name: 'round', type: '2', linkname: 'round' },
      { name: 'original', content: 'linked', mode: 0o4755 },
      { name: 'hard', type: '1', linkname: 'original', mode: 0o4755 },
      { name: 'across', type: '1', linkname: 'etc/os-release' },
      { name: 'pipe', type: '6' },
    ]),
    tar([
      { name: 'zz/b' },
      { name: 'zz/B', content: 'upper' },
      { name: 'zz/\u00e9', content: 'e' },
      { name: 'zz/b.c/d', content: 'deep' },
    ]),
  ]
  const [first, second, third] = layers
  layout.top(
    layout.manifest(
      [layout.blob(gzip(first!), OCI_GZIP), layout.blob(gzip(second!), OCI_GZIP), layout.blob(third!, OCI_TAR)],
      AMD64,
    ),
  )
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const paths = (entries: readonly ImageEntry[]) => entries.map(({ path }) => path)

describe('reading', () => {
  const source = folder.layout(files)
  const enabled = `oci:${source}-soci:v`

  test('files, links to them, and what is hidden', async () => {
    await convert(`oci:${source}`, enabled, SMALL)
    const image = await openImage(enabled)
    assert.equal(image.platform, 'linux/amd64')
    assert.equal(text(await image.read('etc/os-release')), 'NAME=test\n')
    for (const path of [
      '/etc/os-release',
      './etc/../etc/os-release',
      'os-release',
      'config/os-release',
      'escape',
      'across',
    ])
      assert.equal(text(await image.read(path)), 'NAME=test\n', path)
    assert.equal(text(await image.read('hard')), 'linked')
    assert.equal(text(await image.read('zz/b.c/d')), 'deep')
    assert.equal((await image.read('zz/b')).length, 0)
    assert.deepEqual(Buffer.from(await image.read('data/big')), BIG)
    for (const [path, message] of [
      ['etc/gone', /^etc\/gone: not in the image$/],
      ['opaque/old', /not in the image/],
      ['nowhere/x', /^nowhere\/x: there is no nowhere$/],
      ['etc', /^etc is not a file but a dir$/],
      ['', /is not a file but a dir/],
      ['pipe', /^pipe is not a file but a fifo$/],
      ['round', /more than 40 symlinks/],
      ['etc/os-release/x', /os-release is not a directory/],
    ] as const)
      await assert.rejects(image.read(path), { name: 'ImageError', code: 'PATH_NOT_FOUND', message }, path)
    assert.deepEqual(image.statistics.wholeLayers, [])
    await image.close()
  })

  test('fetches what is needed and no more', async () => {
    const image = await openImage(enabled)
    assert.deepEqual([image.statistics.bytes, image.statistics.requests], [0, 0])
    assert.equal(text(await image.read('zz/B')), 'upper')
    assert.deepEqual([image.statistics.ztocs, image.statistics.requests], [1, 2], 'one zTOC, one range')
    const before = image.statistics.bytes
    const range: number[] = []
    for await (const chunk of image.stream('data/big')) range.push(chunk.length)
    assert.equal(
      range.reduce((sum, n) => sum + n, 0),
      BIG.length,
    )
    const { ztocs, bytes, imageBytes } = image.statistics
    assert.equal(ztocs, 3)
    const another = await openImage(enabled)
    await another.list('', { recursive: true })
    const indexes = another.statistics.bytes
    assert.ok(bytes - before < indexes + BIG.length + 2 * 2700, `${bytes - before} bytes of spans around ${BIG.length}`)
    assert.ok(imageBytes > 120_000)
    await Promise.all([image.close(), another.close()])
  })

  test('layers without a zTOC are read whole, and reported', async () => {
    const reported = new Map<string, number>()
    const image = await openImage(`oci:${source}`, {
      onWholeLayer({ digest, size }, bytes, all) {
        assert.equal(bytes === 0, !reported.has(digest), 'once with 0 bytes')
        assert.ok(bytes <= size && all.some((layer) => layer.digest === digest))
        reported.set(digest, bytes / size)
      },
    })
    assert.equal(text(await image.read('hard')), 'linked')
    assert.equal(image.statistics.wholeLayers.length, 2, 'the lowest layer was not needed')
    assert.equal(text(await image.read('etc/os-release')), 'NAME=test\n')
    assert.equal(image.statistics.wholeLayers.length, 3)
    assert.deepEqual(
      [...reported],
      image.statistics.wholeLayers.map((digest) => [digest, 1]),
    )
    assert.deepEqual(Buffer.from(await image.read('data/big')), BIG)
    await image.close()
  })

  test('lists sorted by bytes, following a link to a directory', async () => {
    const image = await openImage(enabled)
    assert.deepEqual(paths(await image.list()), [
      'across',
      'config',
      'data',
      'escape',
      'etc',
      'hard',
      'opaque',
      'original',
      'os-release',
      'pipe',
      'round',
      'zz',
    ])
    assert.deepEqual(paths(await image.list('/zz/')), ['zz/B', 'zz/b', 'zz/b.c', 'zz/\u00e9'])
    assert.deepEqual(paths(await image.list('zz', { recursive: true })), [
      'zz/B',
      'zz/b',
      'zz/b.c',
      'zz/b.c/d',
      'zz/\u00e9',
    ])
    assert.deepEqual(paths(await image.list('config')), ['etc/os-release'])
    assert.deepEqual(paths(await image.list('opaque')), ['opaque/new'])
    assert.deepEqual(paths(await image.list('os-release')), ['os-release'])
    assert.deepEqual(paths(await image.list('round')), ['round'])
    await assert.rejects(image.list('nowhere'), { code: 'PATH_NOT_FOUND' })
    await image.close()
  })

  test('entries tell what a file is', async () => {
    const image = await openImage(enabled)
    const { layer: link, ...hard } = await image.stat('hard')
    assert.deepEqual(hard, {
      path: 'hard',
      type: 'file',
      size: 6,
      mode: 0o4755,
      uid: 0,
      gid: 0,
      modified: '2020-09-13T12:26:40Z',
    })
    assert.match(link, /^sha256:/)
    const symlink = await image.stat('os-release')
    assert.deepEqual([symlink.type, symlink.target, symlink.size], ['symlink', '/etc/os-release', 0])
    assert.equal((await image.stat('pipe')).type, 'fifo')
    assert.deepEqual(await image.stat('zz'), {
      path: 'zz',
      type: 'dir',
      size: 0,
      mode: 0o755,
      uid: 0,
      gid: 0,
      modified: '',
      layer: '',
    })
    assert.equal((await image.stat('/')).type, 'dir')
    await image.close()
  })

  test('bytes that are not those of the zTOC are refused', async () => {
    const path = folder.layout(files)
    await convert(`oci:${path}`, `oci:${path}-soci`, SMALL)
    const image = await openImage(`oci:${path}-soci`)
    const { layer } = await image.stat('data/big')
    const file = join(`${path}-soci`, 'blobs', 'sha256', layer.slice(7))
    const bytes = readFileSync(file)
    unlinkSync(file)
    writeFileSync(file, bytes.fill(0, bytes.indexOf(BIG.subarray(0, 16)), bytes.indexOf(BIG.subarray(0, 16)) + 8))
    await assert.rejects(image.read('data/big'), {
      code: 'SPAN_DIGEST_MISMATCH',
      message: new RegExp(`^layer ${layer}: `),
    })
    assert.equal(text(await image.read('etc/os-release')), 'NAME=test\n', 'another span')
    await image.close()
  })

  test('an abort ends a call and spoils nothing', async () => {
    const image = await openImage(enabled)
    const reason = new Error('enough')
    await assert.rejects(
      image.read('etc/os-release', { signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    )
    const controller = new AbortController()
    await assert.rejects(
      async () => {
        for await (const _ of image.stream('data/big', { signal: controller.signal })) controller.abort(reason)
      },
      (error) => error === reason,
    )
    assert.equal(text(await image.read('etc/os-release')), 'NAME=test\n')
    await image.close()
    const fresh = await openImage(enabled)
    const aborted = new AbortController()
    const first = fresh.read('etc/os-release', { signal: aborted.signal })
    const second = fresh.read('etc/os-release')
    aborted.abort(reason)
    await assert.rejects(first, (error) => error === reason)
    assert.equal(text(await second), 'NAME=test\n', 'a call that waited for the same zTOC goes on')
    await fresh.close()
  })
})

test('the platform is the one asked for, the only one, or the choice is told', async () => {
  const path = folder.layout(twoPlatforms)
  const arm = await openImage(`oci:${path}`, { platform: 'linux/arm64' })
  assert.equal(arm.platform, 'linux/arm64/v8')
  assert.deepEqual(paths(await arm.list()), ['b', 'tiny'])
  await arm.close()
  const foreign = folder.layout((layout) =>
    layout.top(layout.manifest([layer(layout, 'x')], { architecture: 's390x', os: 'linux' })),
  )
  const only = await openImage(`oci:${foreign}`)
  assert.equal(only.platform, 'linux/s390x')
  await only.close()
  const choice = folder.layout((layout) => {
    const of = (architecture: string) =>
      layout.manifest([layer(layout, 'x')], { architecture, os: 'linux' }, { platform: { architecture, os: 'linux' } })
    layout.top(layout.imageIndex([of('s390x'), of('mips64le')]))
  })
  await assert.rejects(openImage(`oci:${choice}`), {
    code: 'PLATFORM_NOT_FOUND',
    message: /choose one of linux\/s390x, linux\/mips64le/,
  })
  await assert.rejects(openImage(`oci:${path}`, { platform: 'linux/mips64le' }), { code: 'PLATFORM_NOT_FOUND' })
})

test('a layer that cannot be read is told by its digest', async () => {
  const path = folder.layout((layout) => {
    const zstd = layout.blob(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]), 'application/vnd.oci.image.layer.v1.tar+zstd')
    layout.top(layout.manifest([zstd, layer(layout, 'a')], AMD64))
  })
  const image = await openImage(`oci:${path}`)
  assert.equal((await image.read('a/f')).length, 3000, 'found before the layer is needed')
  await assert.rejects(image.list(), {
    code: 'ZSTD_CORRUPT',
    message: /^layer sha256:\w+: its zstd data is damaged: /,
  })
  await image.close()
})

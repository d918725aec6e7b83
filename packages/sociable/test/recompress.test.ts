// `convert --recompress gzip`: zstd layers, and uncompressed ones on their way to a registry, become gzip and so lazy.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { openStore, type Store } from '@sociable/oci'
import { compressZstd } from '@sociable/ztoc'
import {
  assembleConversion,
  type ConvertOptions,
  convert,
  inspect,
  openImage,
  type ProgressEvent,
  verify,
} from '../src/index.js'
import { compressGzip } from '../src/recompress/compress-gzip.js'
import { deflateBlock } from '../src/recompress/gzip-block.js'
import { run } from './cli/run.js'
import { blobJson, snapshot, TestFolder } from './support/folder.js'
import { type LayoutBuilder, OCI_CONFIG, OCI_GZIP, type RawDescriptor } from './support/layout.js'
import { startRegistry } from './support/registries.js'
import { AMD64, NAMED_APP, SMALL } from './support/samples.js'
import { gzip, noise, tar } from './support/tar.js'

const folder = new TestFolder()
const OCI_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd'
const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar'
const RECOMPRESS: ConvertOptions = { ...SMALL, recompress: 'gzip' }

async function* pieces(bytes: Uint8Array, size = 65_537): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const text = Buffer.from(noise(400_000, 'text').toString('hex'))
const [zstdTar, gzipTar, plainTar] = [
  tar([{ name: 'z/' }, { name: 'z/text', content: text }, { name: 'z/noise', content: noise(70_000, 'z') }]),
  tar([{ name: 'g/' }, { name: 'g/f', content: noise(5000, 'g') }]),
  tar([{ name: 'p/' }, { name: 'p/f', content: text.subarray(0, 90_000) }]),
]
const zstd = await collect(compressZstd(pieces(zstdTar), { frameSize: 100_000, threads: 1 }))
const CHUNKED = { 'io.github.containers.zstd-chunked.manifest-checksum': 'sha256:0', 'org.example.kept': 'yes' }

function image(layout: LayoutBuilder): RawDescriptor {
  const layers = [
    layout.blob(zstd, OCI_ZSTD, { annotations: CHUNKED }),
    layout.blob(gzip(gzipTar), OCI_GZIP),
    layout.blob(plainTar, OCI_TAR),
  ]
  const diffIds = [zstdTar, gzipTar, plainTar].map(digestOf)
  const config = layout.json({ ...AMD64, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }, OCI_CONFIG)
  return layout.manifest(layers, AMD64, NAMED_APP, { config })
}

const source = folder.layout((layout) => layout.top(image(layout)))
const blob = (path: string, digest: string): Buffer => readFileSync(join(path, 'blobs', 'sha256', digest.slice(7)))

describe('the encoder', () => {
  for (const [name, content] of [
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['zeros', Buffer.alloc(3_000_001)],
    ['noise', noise(1_200_000, 'noise')],
    ['text', Buffer.concat([text, text])],
    ['a block to the byte', noise(1 << 20, 'block')],
  ] as const)
    test(`one member that every tool reads, the same with any number of threads and any pieces: ${name}`, async () => {
      const made = await collect(compressGzip(pieces(content), 1))
      assert.ok(gunzipSync(made).equals(content))
      for (const [threads, size] of [
        [2, 65_537],
        [3, 1 << 20],
        [1, 999_983],
      ] as const)
        assert.ok((await collect(compressGzip(pieces(content, size), threads))).equals(made), `${threads} ${size}`)
    })

  test('blocks of every length and end join into one stream', () => {
    const ends = new Set<number>()
    const parts: Uint8Array[] = []
    const contents: Buffer[] = []
    let before = Buffer.alloc(0)
    for (let i = 0; i < 600; i++) {
      const length = i < 300 ? i + 1 : [8190, 8191, 8192, 65_536, 65_537, 70_000][i % 6]! + (i % 5)
      const content = Buffer.concat([noise(length >> 1, `a${i}`), text.subarray(i, i + length - (length >> 1))])
      const block = Buffer.from(deflateBlock(content, before.subarray(-32_768)))
      assert.equal(block.toString('hex', block.length - 4), '0000ffff', `${length}`)
      ends.add(block.at(-5)!)
      parts.push(block)
      contents.push(content)
      before = Buffer.concat([before, content]).subarray(-32_768)
    }
    for (let byte = 0; byte < 256; byte++) {
      const content = Buffer.of(byte)
      parts.push(deflateBlock(content, before))
      contents.push(content)
      before = Buffer.concat([before, content]).subarray(-32_768)
    }
    assert.ok(ends.size > 4, `${ends.size} different ends`)
    const whole = Buffer.concat(contents)
    assert.ok(inflateRawSync(Buffer.concat([...parts, Buffer.of(3, 0)])).equals(whole))
  })
})

test('zstd becomes gzip and lazy; the config and other layers stay; what zstd:chunked said goes', async () => {
  const path = folder.fresh()
  const events: ProgressEvent[] = []
  const onProgress = (event: ProgressEvent) => events.push(event)
  const { images } = await convert(`oci:${source}:app`, `oci:${path}:app`, { ...RECOMPRESS, onProgress })
  const before = blobJson(source, images[0]!.source.digest)
  const after = blobJson(path, images[0]!.manifest.digest)
  assert.deepEqual(after.config, before.config)
  assert.deepEqual(after.layers.slice(1), before.layers.slice(1)) // a tar in a layout is lazy as it is
  const [layer] = after.layers
  assert.equal(layer.mediaType, OCI_GZIP)
  assert.deepEqual(layer.annotations, {
    'io.github.sociable.recompressed-from': digestOf(zstd),
    'org.example.kept': 'yes',
  })
  assert.equal(digestOf(gunzipSync(blob(path, layer.digest))), digestOf(zstdTar))
  assert.deepEqual(
    images[0]!.layers.map(({ state }) => state),
    ['indexed', 'indexed', 'indexed'],
  )
  const seen = events.filter((event) => event.type === 'recompress')
  assert.deepEqual(seen.at(-1), {
    type: 'recompress',
    digest: digestOf(zstd),
    bytes: zstd.length,
    size: zstd.length,
    made: { mediaType: OCI_GZIP, digest: layer.digest, size: layer.size },
  })
  assert.ok(events.indexOf(seen.at(-1)!) < events.findIndex(({ type }) => type === 'plan'))
  const found = await verify(`oci:${path}:app`, { deep: true })
  assert.deepEqual([found.sound, found.findings], [true, []])
  const opened = await openImage(`oci:${path}:app`)
  assert.ok(Buffer.from(await opened.read('z/text')).equals(text))
  await opened.close()
})

test('a second run makes and changes nothing; another layer of the image costs that layer only', async () => {
  const path = folder.fresh()
  const first = await convert(`oci:${source}:app`, `oci:${path}:app`, RECOMPRESS)
  const before = snapshot(path)
  const again = await convert(`oci:${source}:app`, `oci:${path}:app`, RECOMPRESS)
  assert.deepEqual([again.digest, again.bytesIndexed], [first.digest, 0])
  assert.deepEqual(snapshot(path), before)
  // The zstd layer is not even read: it may be gone
  const without = folder.layout((layout) => {
    layout.top(image(layout))
    layout.blobs.delete(digestOf(zstd))
  })
  assert.equal((await convert(`oci:${without}:app`, `oci:${path}:app`, RECOMPRESS)).digest, first.digest)
  await assert.rejects(convert(`oci:${without}:app`, `oci:${folder.fresh()}:app`, RECOMPRESS), /not/)
})

test('what has the destination name is read once', async () => {
  const path = folder.fresh()
  await convert(`oci:${source}:app`, `oci:${path}:app`, RECOMPRESS)
  const { digest: top } = await inspect(`oci:${path}:app`)
  const store = await openStore(`oci:${path}`, { mode: 'write' })
  let reads = 0
  const counting = new Proxy<Store>(store, {
    get(of, property) {
      if (property === 'fetch')
        return (...[descriptor, options]: Parameters<Store['fetch']>) => {
          if (descriptor.digest === top) reads++
          return of.fetch(descriptor, options)
        }
      const value: unknown = Reflect.get(of, property)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
  await convert(`oci:${source}:app`, { store: counting, reference: 'app' }, RECOMPRESS)
  assert.equal(reads, 1)
  await store.close()
})

test('small zstd layers stay; without the option all layers do', async () => {
  for (const options of [{ ...RECOMPRESS, minLayerSize: zstd.length + 1 }, SMALL]) {
    const path = folder.fresh()
    const { images } = await convert(`oci:${source}:app`, `oci:${path}:app`, options)
    assert.equal(blobJson(path, images[0]!.manifest.digest).layers[0].mediaType, OCI_ZSTD)
  }
})

test('with a profile: the start layer is made of the new layers, and a second run is quick', async () => {
  const path = folder.fresh()
  const options: ConvertOptions = {
    ...RECOMPRESS,
    profile: { version: 1, files: [{ path: '/z/noise' }, { path: '/p/f' }] },
  }
  const first = await convert(`oci:${source}:app`, `oci:${path}:app`, options)
  assert.equal(first.images[0]!.startLayer!.files, 2)
  assert.deepEqual((await verify(`oci:${path}:app`, { deep: true })).findings, [])
  const again = await convert(`oci:${source}:app`, `oci:${path}:app`, options)
  assert.deepEqual([again.digest, again.bytesIndexed], [first.digest, 0])
})

test('to an archive on standard output, with a profile: with temporary files and without', async () => {
  const profile = join(folder.path, 'profile.json')
  writeFileSync(profile, JSON.stringify({ version: 1, files: [{ path: '/z/noise' }, { path: '/z/text' }] }))
  const options = ['--recompress', 'gzip', '--min-layer-size', '0', '--profile', profile]
  const digests: string[] = []
  for (const TMPDIR of [folder.path, join(folder.path, 'none')]) {
    const { status, stdout, err } = await run(['convert', `oci:${source}:app`, '-', ...options], { env: { TMPDIR } })
    assert.equal(status, 0, err)
    const archive = join(folder.path, `archive-${digests.length}.tar`)
    writeFileSync(archive, stdout)
    const { digest, findings } = await verify(`oci-archive:${archive}`, { deep: true })
    assert.deepEqual(findings, [])
    digests.push(digest)
  }
  assert.equal(digests[0], digests[1])
})

test('damaged zstd is an error that names the layer, and the destination stays as it was', async () => {
  const damaged = folder.layout((layout) => {
    const bytes = Buffer.concat([zstd.subarray(0, 1000), noise(2000, 'damage'), zstd.subarray(3000)])
    layout.top(layout.manifest([layout.blob(bytes, OCI_ZSTD)], AMD64, NAMED_APP))
  })
  const path = folder.fresh()
  await assert.rejects(
    convert(`oci:${damaged}:app`, `oci:${path}:app`, RECOMPRESS),
    /layer sha256:\w+ of oci:.*: its zstd data is damaged/,
  )
  await assert.rejects(
    convert(`oci:${source}:app`, `oci:${path}:app`, { ...RECOMPRESS, layerLimit: 1000 }),
    /more than 1000 bytes/,
  )
  await assert.rejects(verify(`oci:${path}:app`))
})

test('not in the steps of a conversion', async () => {
  const [place, plan] = ['registry.invalid/a:1', { digest: digestOf(zstd), layers: [], reused: [] }]
  await assert.rejects(assembleConversion(place, place, plan, [], RECOMPRESS), TypeError)
})

test('to a registry: uncompressed layers become gzip, and without the option a warning says how large they are', async (t) => {
  const registry = await startRegistry(t, 'our own')
  const plain = await convert(`oci:${source}:app`, `${registry!.host}/app:plain`, SMALL)
  assert.match(plain.warnings.join(), /^1 layer of 9\d(\.\d)? kB in all .*`--recompress gzip`/)
  const name = `${registry!.host}/app:1`
  const first = await convert(`oci:${source}:app`, name, RECOMPRESS)
  assert.deepEqual(first.warnings, [])
  assert.deepEqual(
    first.images[0]!.layers.map(({ mediaType, state }) => [mediaType, state]),
    [
      [OCI_GZIP, 'indexed'],
      [OCI_GZIP, 'indexed'],
      [OCI_GZIP, 'indexed'],
    ],
  )
  assert.deepEqual((await verify(name, { deep: true })).findings, [])
  registry!.seen()
  const again = await convert(`oci:${source}:app`, name, RECOMPRESS)
  assert.equal(again.digest, first.digest)
  assert.deepEqual(registry!.blobsRead(), [])
  assert.equal(registry!.seen()['PUT manifests'], undefined)
  // From there in place, and to another repository: nothing is left to do
  assert.equal((await convert(name, `${registry!.host}/other:1`, RECOMPRESS)).digest, first.digest)
})

test('the command', async () => {
  const path = folder.fresh()
  const { status, err } = await run(['convert', `oci:${source}:app`, `oci:${path}:app`, '--recompress', 'gzip'])
  assert.deepEqual([status, err.includes('error')], [0, false])
  const small = ['--recompress', 'gzip', '--min-layer-size', '0', '--verbose']
  const told = await run(['convert', `oci:${source}:app`, `oci:${path}:app`, ...small])
  assert.match(told.err, /^\w{12} {2}recompressed {2}\d+\.\d kB {2}to \d+\.\d kB$/m)
  const wrong = await run(['convert', `oci:${source}:app`, `oci:${path}:app`, '--recompress', 'lz4'])
  assert.equal(wrong.status, 2)
  assert.match(wrong.err, /Write gzip/)
})

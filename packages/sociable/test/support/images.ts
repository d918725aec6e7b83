// The images that ours and the reference must convert alike, or refuse alike.
import type { ConvertOptions } from '../../src/options.js'
import { type LayoutBuilder, OCI_GZIP, OCI_INDEX, OCI_MANIFEST, type RawDescriptor } from './layout.js'
import { gzip, noise, type TarEntry, tar } from './tar.js'

export interface ImageCase {
  readonly name: string
  readonly build: (layout: LayoutBuilder) => void
  /** Why ours differs from the reference on purpose. */
  readonly differs?: string
  /** `platforms` absent: all. Sizes are small so that small layers are indexed. */
  readonly options?: Pick<ConvertOptions, 'platforms' | 'spanSize' | 'minLayerSize' | 'prefetchFiles' | 'optimizations'>
}

const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar'
const OCI_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd'
const OCI_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'
const DOCKER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const DOCKER_TAR = 'application/vnd.docker.image.rootfs.diff.tar'
const DOCKER_FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'

const AMD64 = { architecture: 'amd64', os: 'linux' }
const ARM64 = { architecture: 'arm64', os: 'linux', variant: 'v8' }
const UNKNOWN = { architecture: 'unknown', os: 'unknown' }
const ZSTD_BYTES = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...noise(3000, 'zstd')])

const files = (seed: string, count = 3): TarEntry[] => [
  { name: `${seed}/` },
  ...Array.from({ length: count }, (_, i) => ({ name: `${seed}/f${i}`, content: noise(900 + 800 * i, `${seed}${i}`) })),
]
const layerTar = (seed: string, count?: number) => tar(files(seed, count))

function gzipLayer(layout: LayoutBuilder, seed: string, mediaType = OCI_GZIP): RawDescriptor {
  return layout.blob(gzip(layerTar(seed)), mediaType)
}

const small = { spanSize: 2000, minLayerSize: 0 }

export const IMAGES: readonly ImageCase[] = [
  {
    name: 'one platform, two layers, one below the minimum',
    options: { spanSize: 2000, minLayerSize: 3000 },
    build(layout) {
      const layers = [gzipLayer(layout, 'a'), layout.blob(gzip(layerTar('tiny', 0)), OCI_GZIP)]
      layout.top(layout.manifest(layers, AMD64))
    },
  },
  {
    name: 'a layer of exactly the minimum is indexed',
    options: { spanSize: 4000, minLayerSize: gzip(layerTar('a')).length },
    build(layout) {
      layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64))
    },
  },
  {
    name: 'default span size',
    options: { minLayerSize: 0 },
    build(layout) {
      layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64))
    },
  },
  {
    name: 'the config tells the platform, normalized',
    options: small,
    build(layout) {
      layout.top(layout.manifest([gzipLayer(layout, 'a')], { architecture: 'aarch64', os: 'Linux', variant: 'v8' }))
    },
  },
  {
    name: 'a config without platform',
    options: small,
    build(layout) {
      layout.top(layout.manifest([gzipLayer(layout, 'a')], {}))
    },
  },
  {
    name: 'the config tells an arm platform and an os version',
    options: small,
    build(layout) {
      const platform = { architecture: 'arm', os: 'linux', 'os.version': '5.10', 'os.features': ['z', 'a'] }
      layout.top(layout.manifest([gzipLayer(layout, 'a')], platform))
    },
  },
  {
    name: "the descriptor's own platform, raw, and all else it has",
    options: small,
    build(layout) {
      layout.top(
        layout.manifest([gzipLayer(layout, 'a')], AMD64, {
          platform: { ...ARM64, 'os.version': '1', unknown: 1 },
          annotations: { 'org.opencontainers.image.ref.name': 'app:1', gone: 'yes' },
          urls: ['https://example.com/<a>&b'],
          data: 'aGVsbG8=',
          artifactType: 'application/x.thing',
          strange: true,
        }),
      )
    },
  },
  {
    name: "a manifest's own annotations go to its descriptor",
    options: small,
    build(layout) {
      const annotations = { '10': 'ten', '9': 'nine', __proto__x: '', 'ü<&>': '\u2028\b\u007f', a: 'z' }
      const amd64 = layout.manifest(
        [gzipLayer(layout, 'a')],
        AMD64,
        { platform: AMD64, annotations: { lost: '1' } },
        { annotations },
      )
      const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
      layout.top(layout.imageIndex([amd64, arm64]))
    },
  },
  {
    name: 'annotations named like parts of objects',
    options: small,
    build(layout) {
      const manifest = {
        schemaVersion: 2,
        config: layout.config(AMD64),
        layers: [gzipLayer(layout, 'a')],
      }
      const text = JSON.stringify(manifest)
      const annotations = '{"__proto__":"p","constructor":"c","\\ud83d\\ude00":"b","\uffee":"a","\\ud800":"lone"}'
      layout.top(layout.json(`${text.slice(0, -1)},"annotations":${annotations}}`, OCI_MANIFEST))
    },
  },
  {
    name: 'several platforms in an index, all',
    options: small,
    build: severalPlatforms,
  },
  {
    name: 'several platforms, one asked for',
    options: { ...small, platforms: ['linux/arm64'] },
    build: severalPlatforms,
  },
  {
    name: 'several platforms, asked for in another order, with aliases and twice',
    options: { ...small, platforms: ['linux/aarch64/v8', 'linux/x86_64', 'linux/arm64'] },
    build: severalPlatforms,
  },
  {
    name: 'a platform that is not there',
    options: { ...small, platforms: ['linux/s390x'] },
    build: severalPlatforms,
  },
  {
    name: 'a single image asked for another platform',
    options: { ...small, platforms: ['linux/arm64'] },
    build(layout) {
      layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64))
    },
  },
  {
    name: 'several manifests flat in index.json',
    options: small,
    build(layout) {
      layout.index = {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        annotations: { kept: 'yes' },
        manifests: [
          layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64, annotations: { dropped: 'x' } }),
          layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 }),
        ],
      }
    },
  },
  {
    name: 'an index in an index',
    options: small,
    build(layout) {
      const inner = layout.imageIndex(
        [layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })],
        {},
        { platform: AMD64 },
      )
      const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
      layout.top(layout.imageIndex([inner, arm64]))
    },
  },
  {
    name: 'an index of two in an index, deeper',
    differs: 'the reference indexes one manifest of the nested index and annotates another',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const other = layout.manifest([gzipLayer(layout, 'c')], AMD64, { platform: AMD64 })
      const inner = layout.imageIndex(
        [layout.imageIndex([amd64]), other],
        {},
        { platform: AMD64, annotations: { x: 'y' } },
      )
      const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
      layout.top(layout.imageIndex([arm64, inner]))
    },
  },
  {
    name: 'a nested index that holds something unknown stays as it is',
    options: { ...small, platforms: ['linux/arm64'] },
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const unknown = layout.blob('anything', 'application/x.unknown')
      const inner = layout.imageIndex(
        [amd64, unknown],
        {},
        { platform: { architecture: 's390x', os: 'linux' }, annotations: { x: 'y' } },
      )
      const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
      layout.top(layout.imageIndex([arm64, inner]))
    },
  },
  {
    name: 'an entry of an unknown media type stays as it is',
    options: { ...small, platforms: ['linux/amd64'] },
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const unknown = layout.blob('anything', 'application/x.unknown', {
        platform: { architecture: 'arm', os: 'linux' },
        annotations: { a: 'b' },
      })
      layout.top(layout.imageIndex([unknown, amd64]))
    },
  },
  {
    name: 'entries whose blobs are missing are dropped, one that is left is unwrapped',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64, annotations: { lost: '1' } })
      const absent = { ...amd64, digest: `sha256:${'0'.repeat(64)}`, platform: ARM64 }
      layout.top(layout.imageIndex([absent, amd64], { annotations: { 'lost-too': '1' } }))
    },
  },
  {
    name: 'entries whose blobs are missing are dropped, two are left',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
      const absent = { ...amd64, digest: `sha256:${'0'.repeat(64)}`, platform: { architecture: 's390x', os: 'linux' } }
      layout.top(layout.imageIndex([amd64, absent, arm64], { annotations: { kept: '1' }, artifactType: 'a/b' }))
    },
  },
  {
    name: 'an index of one manifest',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: { ...AMD64, variant: 'v1' } })
      layout.top(layout.imageIndex([amd64], { annotations: { lost: '1' }, schemaVersion: 1 }))
    },
  },
  {
    name: "Docker's manifest list, manifests, layers",
    options: small,
    build(layout) {
      const manifest = (seed: string, platform: Readonly<Record<string, unknown>>) => {
        const config = layout.config(platform, DOCKER_CONFIG)
        const layers = [
          gzipLayer(layout, seed, DOCKER_GZIP),
          layout.blob(layerTar(`${seed}-tar`), DOCKER_TAR),
          layout.blob(gzip(layerTar(`${seed}-foreign`)), DOCKER_FOREIGN, { urls: ['https://example.com/l'] }),
        ]
        const value = { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers }
        return layout.json(value, DOCKER_MANIFEST, { platform })
      }
      const list = { schemaVersion: 2, mediaType: DOCKER_LIST, manifests: [manifest('a', AMD64), manifest('b', ARM64)] }
      layout.top(layout.json(list, DOCKER_LIST))
    },
  },
  {
    name: "a single manifest of Docker's, uncompressed layers",
    options: { spanSize: 1500, minLayerSize: 0 },
    build(layout) {
      const layers = [layout.blob(layerTar('a'), DOCKER_TAR), layout.blob(layerTar('b'), OCI_TAR)]
      const manifest = {
        schemaVersion: 2,
        mediaType: DOCKER_MANIFEST,
        config: layout.config(AMD64, DOCKER_CONFIG),
        layers,
      }
      layout.top(layout.json(manifest, DOCKER_MANIFEST))
    },
  },
  {
    name: 'layers that are skipped for their compression',
    options: small,
    build(layout) {
      const layers = [
        layout.blob(ZSTD_BYTES, OCI_ZSTD),
        gzipLayer(layout, 'a'),
        layout.blob('x', `${OCI_TAR}+foo`),
        layout.blob('y', 'application/vnd.oci.image.layer.nondistributable.v1.tar'),
        layout.blob('z', `${OCI_TAR}+encrypted`),
        gzipLayer(layout, 'b', OCI_FOREIGN),
        layout.blob('{}', 'application/vnd.amazon.soci.prefetch.v1+json'),
      ]
      layout.top(layout.manifest(layers, AMD64))
    },
  },
  {
    name: 'nothing to index: all zstd',
    differs: 'the destination is made all the same',
    options: small,
    build(layout) {
      layout.top(layout.manifest([layout.blob(ZSTD_BYTES, OCI_ZSTD)], AMD64))
    },
  },
  {
    name: 'nothing to index for one platform',
    options: { spanSize: 2000, minLayerSize: 3000 },
    build(layout) {
      const amd64 = layout.manifest([layout.blob(gzip(layerTar('tiny', 0)), OCI_GZIP)], AMD64, { platform: AMD64 })
      const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
      layout.top(layout.imageIndex([amd64, arm64]))
    },
  },
  {
    name: 'the same layer twice, and in two platforms',
    options: { ...small, prefetchFiles: ['a/f1'] },
    build(layout) {
      const a = gzipLayer(layout, 'a')
      const amd64 = layout.manifest([a, gzipLayer(layout, 'b'), a], AMD64, { platform: AMD64 })
      const arm64 = layout.manifest([a], ARM64, { platform: ARM64 })
      layout.top(layout.imageIndex([amd64, arm64]))
    },
  },
  {
    name: 'the same bytes under two media types',
    options: small,
    build(layout) {
      const bytes = gzip(layerTar('a'))
      layout.top(layout.manifest([layout.blob(bytes, OCI_GZIP), layout.blob(bytes, DOCKER_GZIP)], AMD64))
    },
  },
  {
    name: 'empty layers',
    options: small,
    build(layout) {
      const layers = [
        layout.blob(gzip(Buffer.alloc(1024)), OCI_GZIP),
        layout.blob(Buffer.alloc(0), OCI_TAR),
        gzipLayer(layout, 'a'),
      ]
      layout.top(layout.manifest(layers, AMD64))
    },
  },
  {
    name: 'no layers at all',
    differs: 'the destination is made all the same',
    options: small,
    build(layout) {
      layout.top(layout.manifest([], AMD64))
    },
  },
  {
    name: 'the same manifest listed twice',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      layout.top(layout.imageIndex([amd64, { ...amd64, annotations: { again: 'yes' } }]))
    },
  },
  {
    name: 'one manifest under two platforms',
    differs: 'both SOCI descriptors name the manifest',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      layout.top(layout.imageIndex([amd64, { ...amd64, platform: ARM64 }]))
    },
  },
  {
    name: 'two entries of one platform',
    options: small,
    build(layout) {
      const first = layout.manifest([gzipLayer(layout, 'a')], ARM64, { platform: ARM64 })
      const second = layout.manifest([gzipLayer(layout, 'b')], ARM64, {
        platform: { architecture: 'aarch64', os: 'linux' },
      })
      layout.top(layout.imageIndex([first, second]))
    },
  },
  {
    name: 'an entry without a platform after one of the same',
    options: small,
    build(layout) {
      const first = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      layout.top(layout.imageIndex([first, layout.manifest([gzipLayer(layout, 'b')], AMD64)]))
    },
  },
  {
    name: 'an entry without a platform',
    differs: 'it takes the platform from its config',
    options: small,
    build(layout) {
      const first = layout.manifest([gzipLayer(layout, 'a')], AMD64)
      layout.top(layout.imageIndex([first, layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })]))
    },
  },
  {
    name: 'unknown platforms and artifacts are re-encoded, not indexed',
    options: small,
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const unknown = layout.json(
        {
          schemaVersion: 2,
          mediaType: OCI_MANIFEST,
          artifactType: 'application/x.sbom',
          config: layout.blob('{}', 'application/vnd.oci.empty.v1+json'),
          layers: [layout.blob('sbom', 'application/vnd.in-toto+json', { annotations: { b: '2', a: '1' } })],
          subject: { mediaType: OCI_MANIFEST, digest: amd64.digest, size: amd64.size, annotations: { s: 't' } },
        },
        OCI_MANIFEST,
        { platform: UNKNOWN },
      )
      const partly = layout.manifest([], {}, { platform: { architecture: 'amd64', os: 'unknown' } })
      layout.top(layout.imageIndex([amd64, unknown, partly]))
    },
  },
  {
    name: 'Windows versions and features',
    differs: 'each entry is indexed as itself',
    options: small,
    build(layout) {
      const entry = (seed: string, version: string, features?: readonly string[]) =>
        layout.manifest([gzipLayer(layout, seed, OCI_FOREIGN)], AMD64, {
          platform: {
            architecture: 'amd64',
            os: 'windows',
            'os.version': version,
            ...(features && { 'os.features': features }),
          },
        })
      layout.top(
        layout.imageIndex([
          layout.manifest([gzipLayer(layout, 'l')], AMD64, { platform: AMD64 }),
          entry('a', '10.0.17763.6893'),
          entry('b', '10.0.20348.3207', ['win32k']),
          entry('c', '10.0.26100.3194'),
          entry('d', '10.0.17763.1'),
        ]),
      )
    },
  },
  {
    name: 'Windows versions, the newest first',
    options: small,
    build(layout) {
      const entry = (seed: string, version: string) =>
        layout.manifest([gzipLayer(layout, seed, OCI_FOREIGN)], AMD64, {
          platform: { architecture: 'amd64', os: 'windows', 'os.version': version },
        })
      layout.top(
        layout.imageIndex([
          entry('c', '10.0.26100.3194'),
          entry('b', '10.0.20348.3207'),
          entry('a', '10.0.17763.6893'),
        ]),
      )
    },
  },
  {
    name: 'a platform with more os features than another',
    differs: 'each entry is indexed as itself',
    options: small,
    build(layout) {
      const plain = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const more = layout.manifest([gzipLayer(layout, 'b')], AMD64, { platform: { ...AMD64, 'os.features': ['sse4'] } })
      layout.top(layout.imageIndex([plain, more]))
    },
  },
  {
    name: 'JSON as Go reads it: case, unknown members, null, absent members',
    options: small,
    build(layout) {
      const layer = gzipLayer(layout, 'a')
      const config = layout.config(AMD64)
      const manifest = `{"SchemaVersion":2,"unknown":{"a":[1,2]},"Config":${JSON.stringify(config)},"LAYERS":[{"MediaType":"${layer.mediaType}","digest":"${layer.digest}","Size":${layer.size},"annotations":null,"urls":[]}],"annotations":{}}`
      const amd64 = layout.json(manifest, OCI_MANIFEST, {
        Platform: { OS: 'linux', Architecture: 'amd64', 'os.features': [] },
      })
      const empty = layout.json({ config }, OCI_MANIFEST, { platform: UNKNOWN })
      layout.top(layout.json({ mediaType: OCI_INDEX, manifests: [amd64, empty], annotations: null }, OCI_INDEX))
    },
  },
  {
    name: 'integers beyond 2^53',
    options: { ...small, platforms: ['linux/amd64'] },
    build(layout) {
      const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
      const config = JSON.stringify(layout.config(AMD64))
      const huge = layout.json(`{"schemaVersion":9007199254740993,"config":${config},"layers":[]}`, OCI_MANIFEST, {
        platform: UNKNOWN,
      })
      const index = JSON.stringify({
        schemaVersion: 2,
        manifests: [amd64, huge],
        subject: { mediaType: 'a', digest: 'b', size: 1 },
      })
      layout.top(
        layout.json(index.replace('"digest":"b","size":1', '"digest":"b","size":9223372036854775807'), OCI_INDEX),
      )
    },
  },
  {
    name: 'the xattr optimization',
    options: { ...small, optimizations: ['xattr'] },
    build(layout) {
      const layers = [
        gzipLayer(layout, 'plain'),
        layout.blob(
          gzip(tar([...files('x', 1), { name: 'x/cap', xattrs: { 'security.capability': 'abc' }, content: 'x' }])),
          OCI_GZIP,
        ),
        layout.blob(gzip(tar([...files('o', 1), { name: 'o/.wh..wh..opq' }])), OCI_GZIP),
        layout.blob(tar([...files('n', 1), { name: 'n/file.wh..wh..opq' }]), OCI_TAR),
      ]
      layout.top(layout.manifest(layers, AMD64))
    },
  },
  {
    name: 'files to prefetch',
    options: {
      spanSize: 1000,
      minLayerSize: 0,
      prefetchFiles: [' /a/f2 ', 'a/./f0', '/x/../a/f1', 'nowhere', 'dir/', './odd'],
    },
    build(layout) {
      const odd = tar([{ name: './odd', content: noise(900, 'odd') }, { name: 'dir/' }, ...files('b', 4)])
      layout.top(layout.manifest([gzipLayer(layout, 'a'), layout.blob(gzip(odd), OCI_GZIP)], AMD64))
    },
  },
  {
    name: 'files to prefetch, whichever layer is topmost, uncompressed, first of two names',
    options: { spanSize: 1000, minLayerSize: 0, prefetchFiles: ['a/f2', 'b/f0', 'twice', 'empty', 'link'] },
    build(layout) {
      const twice = tar([
        { name: 'twice', content: noise(1500, '1') },
        ...files('pad', 4),
        { name: 'twice', content: noise(500, '2') },
        { name: 'empty' },
        { name: 'link', type: '2', linkname: 'twice' },
      ])
      layout.top(
        layout.manifest(
          [gzipLayer(layout, 'a'), gzipLayer(layout, 'b'), layout.blob(twice, OCI_TAR), gzipLayer(layout, 'a')],
          AMD64,
        ),
      )
    },
  },
  {
    name: 'files to prefetch, of a layer that stands again under a type that is skipped',
    options: { ...small, prefetchFiles: ['same', 'a/f1'] },
    build(layout) {
      const lower = gzip(tar([...files('a', 2), { name: 'same', content: noise(500, 'lower') }]))
      const upper = gzip(tar([{ name: 'same', content: noise(900, 'upper') }]))
      const layers = [layout.blob(lower, OCI_GZIP), layout.blob(upper, OCI_GZIP), layout.blob(lower, OCI_ZSTD)]
      layout.top(layout.manifest(layers, AMD64))
    },
  },
  {
    name: 'files to prefetch that are nowhere',
    options: { ...small, prefetchFiles: ['nowhere'] },
    build(layout) {
      layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64))
    },
  },
  {
    name: 'a former conversion of one platform',
    options: { ...small, platforms: ['linux/amd64'] },
    build(layout) {
      const stale = { 'com.amazon.soci.index-digest': `sha256:${'1'.repeat(64)}`, other: 'kept' }
      layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64, {}, { annotations: stale }))
    },
  },
  refused('a layer of no layer type', (layout) => {
    layout.top(layout.manifest([gzipLayer(layout, 'a'), layout.blob('x', 'application/octet-stream')], AMD64))
  }),
  refused('an unknown OCI layer type', (layout) => {
    layout.top(layout.manifest([gzipLayer(layout, 'a', 'application/vnd.oci.image.layer.v2.tar+gzip')], AMD64))
  }),
  {
    name: 'an unknown OCI layer type that is small',
    options: { spanSize: 2000, minLayerSize: 1000 },
    build(layout) {
      layout.top(
        layout.manifest([gzipLayer(layout, 'a'), layout.blob('x', 'application/vnd.oci.image.layer.v2.tar')], AMD64),
      )
    },
  },
  refused('a layer that is not compressed as it says', (layout) => {
    layout.top(layout.manifest([layout.blob(layerTar('a'), OCI_GZIP)], AMD64))
  }),
  refused('a compressed layer that says it is not', (layout) => {
    layout.top(layout.manifest([gzipLayer(layout, 'a', DOCKER_TAR)], AMD64))
  }),
  refused('a layer that is missing', (layout) => {
    layout.top(
      layout.manifest(
        [gzipLayer(layout, 'a'), { ...gzipLayer(layout, 'a'), digest: `sha256:${'0'.repeat(64)}` }],
        AMD64,
      ),
    )
  }),
  refused('a truncated layer', (layout) => {
    layout.top(layout.manifest([layout.blob(gzip(layerTar('a')).subarray(0, -9), OCI_GZIP)], AMD64))
  }),
  refused('a manifest with manifests', (layout) => {
    layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64, {}, { manifests: [] }))
  }),
  refused('an index with layers', (layout) => {
    const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
    const arm64 = layout.manifest([gzipLayer(layout, 'b')], ARM64, { platform: ARM64 })
    layout.top(layout.imageIndex([amd64, arm64], { layers: null }))
  }),
  refused('fsLayers', (layout) => {
    layout.top(layout.manifest([gzipLayer(layout, 'a')], AMD64, {}, { fsLayers: [] }))
  }),
  refused('a manifest that is not JSON', (layout) => {
    layout.top(layout.json('{"schemaVersion":2,', OCI_MANIFEST))
  }),
  refused('a manifest that is a list', (layout) => {
    layout.top(layout.json([], OCI_MANIFEST))
  }),
  refused('a size that is text', (layout) => {
    layout.top(layout.manifest([{ ...gzipLayer(layout, 'a'), size: '12' } as unknown as RawDescriptor], AMD64))
  }),
  refused('only an artifact', (layout) => {
    const config = layout.blob('{}', 'application/vnd.oci.empty.v1+json')
    layout.top(layout.json({ schemaVersion: 2, config, layers: [] }, OCI_MANIFEST))
  }),
  refused('only an entry of an unknown platform', (layout) => {
    layout.top(layout.imageIndex([layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: UNKNOWN })]))
  }),
  refused('an empty index', (layout) => {
    layout.top(layout.imageIndex([]))
  }),
  refused('more than 10,000 entries', (layout) => {
    const amd64 = layout.manifest([gzipLayer(layout, 'a')], AMD64, { platform: AMD64 })
    layout.top(layout.imageIndex(Array.from({ length: 10_001 }, () => amd64)))
  }),
]

function refused(name: string, build: (layout: LayoutBuilder) => void): ImageCase {
  return { name: `refused: ${name}`, options: small, build }
}

function severalPlatforms(layout: LayoutBuilder): void {
  const entries = [
    layout.manifest([gzipLayer(layout, 'a'), gzipLayer(layout, 'common')], AMD64, { platform: AMD64 }),
    layout.manifest([gzipLayer(layout, 'b'), gzipLayer(layout, 'common')], ARM64, { platform: ARM64 }),
    layout.manifest(
      [gzipLayer(layout, 'c')],
      { architecture: 'arm', os: 'linux' },
      { platform: { architecture: 'arm', os: 'linux', variant: 'v7' } },
    ),
  ]
  layout.top(layout.imageIndex(entries, { annotations: { 'a.b': '1' } }))
}

// Images for both command lines, beyond those of packages/sociable/test/support/images.ts: how flags are written, archives, images that are
// SOCI-enabled already, attestations, and one of the size that people have.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LayoutBuilder, OCI_GZIP, OCI_MANIFEST } from '../../packages/sociable/dist/test/support/layout.js'
import { noise, prose } from '../lib/bytes.mjs'
import { gzip } from '../lib/gzip.mjs'
import { entry, tar, zeros } from '../lib/tar.mjs'

const AMD64 = { architecture: 'amd64', os: 'linux' }
const ARM64 = { architecture: 'arm64', os: 'linux', variant: 'v8' }
const small = { spanSize: 2000, minLayerSize: 0 }

const layerOf = (name, size = 5000) =>
  tar(entry(`${name}/`, { type: '5' }), entry(`${name}/f`, {}, prose(name.length, size)), entry(`${name},g`, {}, 'x'))
const gzipped = (layout, name, size) => layout.blob(gzip(layerOf(name, size), { block: 1500 }), OCI_GZIP)
const platformsOf = (layout) => [
  layout.manifest([gzipped(layout, 'base'), gzipped(layout, 'app')], AMD64, { platform: AMD64 }),
  layout.manifest([gzipped(layout, 'base'), gzipped(layout, 'arm')], ARM64, { platform: ARM64 }),
]
const multi = (layout) => layout.top(layout.imageIndex(platformsOf(layout)))
const single = (layout) => layout.top(platformsOf(layout)[0])

/** A case whose only point is how the flags are written. */
const withFlags = (name, ...extra) => ({ name: `flags: ${name}`, build: multi, options: { extra } })

/** The image that the reference makes of another. */
const converted =
  (build, flags) =>
  (folder, { soci }) => {
    const layout = new LayoutBuilder()
    build(layout)
    layout.write(`${folder}-before`)
    execFileSync(
      soci,
      ['convert', '--standalone', '--format', 'oci-dir', '--min-layer-size', '0', ...flags, `${folder}-before`, folder],
      { env: { ...process.env, TZ: 'UTC' }, stdio: 'ignore' },
    )
  }

export const cases = [
  withFlags('names with = and short ones', '--span-size=2000', '--min-layer-size=0', '-f', '-p', 'linux/arm64'),
  withFlags('platforms joined by a comma', '--min-layer-size=0', '--platform', 'linux/arm64,linux/amd64'),
  withFlags('all platforms beats one', '--min-layer-size=0', '--platform', 'linux/arm64', '--all-platforms'),
  withFlags('a span size of 0', '--min-layer-size=0', '--span-size=0', '--all-platforms'),
  withFlags('a negative span size', '--min-layer-size=0', '--span-size=-1', '--all-platforms'),
  withFlags('a span size that is no number', '--min-layer-size=0', '--span-size=many', '--all-platforms'),
  withFlags('a negative minimum', '--min-layer-size=-1', '--all-platforms'),
  withFlags('an unknown optimization', '--min-layer-size=0', '--optimizations', 'speed', '--all-platforms'),
  withFlags('an optimization', '--min-layer-size=0', '--optimizations=xattr', '--all-platforms'),
  withFlags('a platform that cannot be', '--min-layer-size=0', '--platform', 'linux/a/b/c/d'),
  withFlags('a platform by its os alone', '--min-layer-size=0', '--platform', 'linux/*'),
  withFlags('an empty platform', '--min-layer-size=0', '--platform', ''),
  {
    ...withFlags(
      'paths to prefetch with a comma',
      '--min-layer-size=0',
      '--all-platforms',
      '--prefetch-file',
      'base/f,app/f',
    ),
    differs: 'a comma belongs to the path, the reference takes two paths',
  },
  withFlags(
    'a list of paths that is absent',
    '--min-layer-size=0',
    '--all-platforms',
    '--prefetch-files-json',
    'absent.json',
  ),
  ...[
    ['paths', '["/base/f"," app/f ",""]'],
    ['a path with a comma', '["base,g"]'],
    ['nothing', '[]'],
    ['no list', '{"files":[]}'],
    ['numbers', '[1]'],
    ['no JSON', '["a"'],
  ].map(([what, json]) => ({
    name: `a list of paths to prefetch: ${what}`,
    build: multi,
    options: {
      ...small,
      files: { 'paths.json': json },
      extra: ['--all-platforms', '--prefetch-files-json', 'paths.json'],
    },
  })),
  {
    name: 'a single image, no --all-platforms',
    build: single,
    options: { extra: ['--min-layer-size=0'] },
  },
  {
    name: 'an uncompressed layer and a span size of 0',
    options: { spanSize: 0, minLayerSize: 0 },
    build: (layout) => layout.top(layout.manifest([layout.blob(layerOf('a'), OCI_GZIP.replace('+gzip', ''))], AMD64)),
  },
  {
    name: 'a prefetched file that ends with its layer and a span',
    options: { spanSize: 512, minLayerSize: 0, prefetchFiles: ['f'] },
    build: (layout) =>
      layout.top(layout.manifest([layout.blob(entry('f', {}, prose(1, 1024)), OCI_GZIP.replace('+gzip', ''))], AMD64)),
  },
  { name: 'an archive of a single image', options: small, build: single, archive: 'oci-archive' },
  { name: 'an archive of several platforms', options: small, build: multi, archive: 'oci-archive' },
  { name: 'what docker save writes', options: small, write: dockerSave(single), archive: 'docker-archive' },
  {
    name: 'what docker save writes, several platforms',
    options: small,
    write: dockerSave(multi),
    archive: 'docker-archive',
  },
  { name: 'a single image that is SOCI-enabled already', options: small, write: converted(single, []) },
  {
    name: 'an image of several platforms that is SOCI-enabled already',
    options: small,
    write: converted(multi, ['--all-platforms']),
  },
  {
    name: 'SOCI-enabled already, other options now',
    options: { ...small, optimizations: ['xattr'] },
    write: converted(multi, ['--all-platforms', '--span-size', '1000']),
  },
  {
    name: 'SOCI-enabled already for another platform',
    options: { ...small, platforms: ['linux/arm64'] },
    differs: 'the former index goes',
    write: converted(multi, ['--platform', 'linux/amd64']),
  },
  {
    name: 'attestations',
    options: small,
    differs: 'their annotations stay and name the converted manifest',
    build(layout) {
      const image = platformsOf(layout)[0]
      const statement = layout.blob('{"_type":"https://in-toto.io/Statement/v0.1"}', 'application/vnd.in-toto+json')
      const config = layout.json(
        { architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: [] } },
        'application/vnd.oci.image.config.v1+json',
      )
      const annotations = {
        'vnd.docker.reference.digest': image.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      }
      const platform = { architecture: 'unknown', os: 'unknown' }
      const attestation = layout.json(
        { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [statement] },
        OCI_MANIFEST,
        { annotations, platform },
      )
      layout.top(layout.imageIndex([image, attestation]))
    },
    expect(top) {
      const [image, attestation] = top.manifests
      const named = attestation.annotations?.['vnd.docker.reference.digest']
      return named === image.digest ? undefined : `the attestation names ${named}, the image is ${image.digest}`
    },
  },
  {
    name: 'layers of the sizes that are indexed by default',
    options: {},
    build(layout) {
      const body = (seed) =>
        tar(...Array.from({ length: 12 }, (_, i) => entry(`${seed}/${i}`, {}, noise(seed * 100 + i, 1 << 20))))
      const large = layout.blob(execFileSync('gzip', ['-1nc'], { input: body(1), maxBuffer: 1 << 28 }), OCI_GZIP)
      const plain = layout.blob(body(2), OCI_GZIP.replace('+gzip', ''))
      const below = layout.blob(
        tar(entry('below', {}, zeros((10 << 20) - 512 - 1024 - 512))),
        OCI_GZIP.replace('+gzip', ''),
      )
      layout.top(layout.manifest([gzipped(layout, 'base'), large, below, plain], AMD64))
    },
  },
]

/** The layout with the manifest.json that Docker adds for older readers. */
function dockerSave(build) {
  return (folder) => {
    const layout = new LayoutBuilder()
    build(layout)
    mkdirSync(folder, { recursive: true })
    layout.write(folder)
    const path = join(folder, 'index.json')
    const index = JSON.parse(readFileSync(path, 'utf8'))
    index.manifests[0].annotations = {
      'io.containerd.image.name': 'docker.io/library/app:1',
      'org.opencontainers.image.ref.name': '1',
    }
    writeFileSync(path, JSON.stringify(index))
    const blob = ({ digest }) => `blobs/sha256/${digest.slice(7)}`
    let [image] = index.manifests
    let document = JSON.parse(readFileSync(join(folder, blob(image)), 'utf8'))
    if (document.manifests) [image] = document.manifests
    document = JSON.parse(readFileSync(join(folder, blob(image)), 'utf8'))
    const old = [{ Config: blob(document.config), RepoTags: ['app:1'], Layers: document.layers.map(blob) }]
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(old))
  }
}

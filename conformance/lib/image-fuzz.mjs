// Random images in layouts: what registries and builders may produce, in shapes that neither refuses for itself.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { noise, prose } from './bytes.mjs'
import { Dice } from './dice.mjs'
import { gzip } from './gzip.mjs'
import { entry, pax, tar, zeros } from './tar.mjs'

const OCI = 'application/vnd.oci.image.'
const DOCKER = 'application/vnd.docker.'

/** Contents of layers: [name, bytes, media types]. */
const contents = [
  ['a', tar(entry('etc/', { type: '5' }), entry('etc/a', {}, prose(31, 9000)), entry('same', {}, 'from a'))],
  [
    'b',
    tar(
      entry('b', {}, noise(32, 5000)),
      entry('same', {}, prose(33, 3000)),
      entry('link', { type: '2', linkname: 'b' }),
    ),
  ],
  ['x', tar(pax([['SCHILY.xattr.user.x', 'y']]), entry('x', {}, prose(34, 2500)))],
  ['opaque', tar(entry('d/', { type: '5' }), entry('d/.wh..wh..opq'), entry('d/f', {}, noise(35, 2100)))],
  ['none', zeros(1024)],
].map(([name, content]) => ({ name, tar: content, gzip: gzip(content, { block: 3000 }) }))

const gzipTypes = [
  `${OCI}layer.v1.tar+gzip`,
  `${OCI}layer.v1.tar+gzip`,
  `${OCI}layer.nondistributable.v1.tar+gzip`,
  `${OCI}layer.v1.tar+gzip+encrypted`,
  `${DOCKER}image.rootfs.diff.tar.gzip`,
  `${DOCKER}image.rootfs.foreign.diff.tar.gzip`,
]
const tarTypes = [`${OCI}layer.v1.tar`, `${DOCKER}image.rootfs.diff.tar`, `${DOCKER}image.rootfs.foreign.diff.tar`]
const skippedTypes = [
  `${OCI}layer.v1.tar+zstd`,
  `${OCI}layer.nondistributable.v1.tar`,
  `${OCI}layer.nondistributable.v1.tar+zstd`,
  `${OCI}layer.v1.tar+foo`,
  `${OCI}layer.v1.tar+encrypted`,
  `${DOCKER}image.rootfs.diff.tar.zstd`,
]
const platforms = [
  { architecture: 'amd64', os: 'linux' },
  { architecture: 'arm64', os: 'linux', variant: 'v8' },
  { architecture: 'arm64', os: 'linux' },
  { architecture: 'arm', os: 'linux', variant: 'v7' },
  { architecture: 'arm', os: 'linux', variant: 'v6' },
  { architecture: 'x86_64', os: 'linux' },
  { architecture: '386', os: 'linux' },
  { architecture: 'riscv64', os: 'linux', 'os.version': '6.1' },
  { architecture: 'unknown', os: 'unknown' },
]
/** A platform that no option asks for. */
const elsewhere = { architecture: 's390x', os: 'linux' }
const texts = ['', 'v', '<a>&', '\u2028', 'ü😀', '10', '"\\\b']

/**
 * Writes the seed's image into `folder`. Returns its options: { platforms, spanSize, minLayerSize, prefetchFiles, optimizations }, as
 * `convert` takes them.
 */
export function fuzzImage(seed, folder) {
  const dice = new Dice(seed)
  const blobs = join(folder, 'blobs', 'sha256')
  mkdirSync(blobs, { recursive: true })
  const blob = (content, mediaType, more) => {
    const hex = createHash('sha256').update(content).digest('hex')
    writeFileSync(join(blobs, hex), content)
    return { mediaType, digest: `sha256:${hex}`, size: content.length, ...more }
  }
  const json = (value, mediaType, more) => blob(Buffer.from(JSON.stringify(value)), mediaType, more)

  const layer = () => {
    const { tar: plain, gzip: packed } = dice.pick(contents)
    const more = oddities(dice)
    if (dice.chance(0.1)) return blob(packed, dice.pick(skippedTypes), more)
    return dice.chance(0.75) ? blob(packed, dice.pick(gzipTypes), more) : blob(plain, dice.pick(tarTypes), more)
  }
  const manifest = (platform, more) => {
    const docker = dice.chance(0.3)
    const { architecture, os, variant } = platform
    const config = { architecture, os, ...(variant && { variant }), rootfs: { type: 'layers', diff_ids: [] } }
    const mediaType = docker ? `${DOCKER}distribution.manifest.v2+json` : `${OCI}manifest.v1+json`
    const value = {
      schemaVersion: 2,
      ...(dice.chance(0.8) && { mediaType }),
      config: json(config, docker ? `${DOCKER}container.image.v1+json` : `${OCI}config.v1+json`, oddities(dice)),
      layers: Array.from({ length: 1 + dice.below(4) }, layer),
      ...(dice.chance(0.4) && { annotations: annotations(dice) }),
      ...(dice.chance(0.1) && { artifactType: 'a/b' }),
      ...(dice.chance(0.1) && { unknown: { a: 1 } }),
    }
    return json(dice.chance(0.2) ? shuffled(dice, value) : value, mediaType, more)
  }
  const listed = () => {
    const platform = dice.pick(platforms)
    return manifest(platform, {
      ...oddities(dice),
      platform: { ...platform, ...(dice.chance(0.1) && { 'os.features': ['f'] }) },
    })
  }
  const index = (entries, more) => {
    const docker = dice.chance(0.3)
    const mediaType = docker ? `${DOCKER}distribution.manifest.list.v2+json` : `${OCI}index.v1+json`
    const value = {
      schemaVersion: 2,
      ...(dice.chance(0.8) && { mediaType }),
      manifests: entries,
      ...(dice.chance(0.4) && { annotations: annotations(dice) }),
      ...(dice.chance(0.1) && {
        artifactType: 'a/b',
        subject: { mediaType: 'a/b', digest: `sha256:${'c'.repeat(64)}`, size: 7 },
      }),
    }
    return json(dice.chance(0.2) ? shuffled(dice, value) : value, mediaType, more)
  }

  // Two manifests of one platform, and one manifest under two platforms, are cases of their own.
  const entries = () => {
    const seen = new Set()
    const found = Array.from({ length: 1 + dice.below(4) }, listed).filter(({ platform, digest }) => {
      const architecture = platform.architecture === 'x86_64' ? 'amd64' : platform.architecture
      const own = `${platform.os}/${architecture}/${platform.architecture === 'arm' ? platform.variant : ''}`
      if (seen.has(own) || seen.has(digest)) return false
      seen.add(own).add(digest)
      return true
    })
    return found.flatMap((one) => {
      if (dice.chance(0.06)) return [index([one], { ...oddities(dice), platform: one.platform })]
      if (dice.chance(0.04)) return [one, { ...one, digest: `sha256:${'0'.repeat(64)}`, platform: elsewhere }]
      if (found.length > 1 && dice.chance(0.06)) return [one, { ...one, annotations: { again: 'yes' } }]
      if (dice.chance(0.04))
        return [blob(Buffer.from('anything'), 'application/x.unknown', { ...oddities(dice), platform: elsewhere }), one]
      return [one]
    })
  }
  const top = dice.pick([
    () => ({
      schemaVersion: 2,
      manifests: [manifest(dice.pick(platforms.slice(0, 6)), dice.chance(0.5) ? oddities(dice) : {})],
    }),
    () => ({ schemaVersion: 2, manifests: [index(entries(), oddities(dice))] }),
    () => ({ schemaVersion: 2, manifests: [index(entries(), oddities(dice))] }),
    () => ({
      schemaVersion: 2,
      mediaType: `${OCI}index.v1+json`,
      manifests: entries(),
      ...(dice.chance(0.3) && { annotations: annotations(dice) }),
    }),
  ])()
  writeFileSync(join(folder, 'index.json'), JSON.stringify(top))
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return {
    ...(dice.chance(0.25) && {
      platforms: dice.some(['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/386'], 0.5),
    }),
    spanSize: dice.pick([1, 1000, 3000, 4194304]),
    minLayerSize: dice.pick([0, 0, 500, 2500]),
    prefetchFiles: dice.some(['etc/a', '/same', 'b', 'link', 'd/f', 'nowhere', 'etc/'], 0.2),
    optimizations: dice.some(['xattr'], 0.3),
  }
}

/** Members that a descriptor may have besides the usual. */
function oddities(dice) {
  return {
    ...(dice.chance(0.1) && { annotations: annotations(dice) }),
    ...(dice.chance(0.05) && { urls: ['https://example.com/<x>&y'] }),
    ...(dice.chance(0.05) && { data: 'aGVsbG8=' }),
    ...(dice.chance(0.05) && { artifactType: 'x/y' }),
    ...(dice.chance(0.05) && { unknown: [1] }),
  }
}

function annotations(dice) {
  return Object.fromEntries(Array.from({ length: 1 + dice.below(4) }, () => [dice.pick(texts), dice.pick(texts)]))
}

/** The same members in another order, names in other cases. */
function shuffled(dice, value) {
  const members = Object.entries(value).map(([name, own]) => [dice.chance(0.3) ? name.toUpperCase() : name, own])
  return Object.fromEntries(members.sort(() => dice.below(2) * 2 - 1))
}

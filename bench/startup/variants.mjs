// What is started side by side: the image as it is, with a plain SOCI index, and converted with profiles.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sociable } from '../sociable.mjs'
import { coldStart } from './measure.mjs'

export const FULL = 'full pull, overlayfs'
export const PARALLEL = "the snapshotter's parallel pull"
export const PLAIN = 'plain SOCI index'
export const TRACED = 'profile, traced'
export const TRACED_OFF = "profile, traced; the snapshotter's prefetch off"
export const STATIC = 'profile, static'
const NONE = 'profile, traced; no start layer'
const GZIP = 'profile, traced; start layer as gzip'

/** The snapshotter's own defaults. */
const DEFAULTS = ''
const PREFETCH = '[prefetch]\nenable = true\n'
/** As its documentation advises for registries that serve many ranges at once. */
const PARALLEL_PULL = `[pull_modes.parallel_pull_unpack]
enable = true
discard_unpacked_layers = true
max_concurrent_downloads_per_image = 10
concurrent_download_chunk_size = "16mb"
max_concurrent_unpacks_per_image = 4
`

/** @typedef {import('./compare.mjs').Variant & { growth?: number, ztocs?: number }} Variant bytes */

/**
 * Puts an image and all its conversions into a registry.
 * @param {{ name: string, layout: string, size: number }} image
 * @returns {Promise<Variant[]>}
 */
export async function startupVariants(image, { parts, registry, folder, log }) {
  const source = `${registry}/${image.name}:source`
  await run(['copy', '--quiet', `oci:${image.layout}:latest`, source])
  const convert = async (tag, ...options) => {
    log(`convert ${image.name}: ${[tag, ...options].join(' ')}`)
    const target = `${registry}/${image.name}:${tag}`
    await run(['convert', '--quiet', ...options, source, target])
    return { tag, ...(await layersOf(target, image.size)) }
  }
  const plain = { name: PLAIN, snapshotter: DEFAULTS, ...(await convert('plain')) }
  log(`trace ${image.name}`)
  const traced = join(folder, `${image.name}.json`)
  writeFileSync(traced, JSON.stringify(await traceStart(parts, `${registry}/${image.name}:plain`), null, 1))
  const guessed = join(folder, `${image.name}-static.json`)
  const hasStatic = /^ {2}profile /m.test(await run(['--help']))
  if (hasStatic) await run(['profile', '--static', `oci:${image.layout}:latest`, '--output', guessed])
  const profiled = { snapshotter: PREFETCH, ...(await convert('traced', '--profile', traced)) }
  return [
    { name: FULL, tag: 'source', growth: 0 },
    { name: PARALLEL, tag: 'source', snapshotter: PARALLEL_PULL, growth: 0 },
    plain,
    { name: TRACED, ...profiled },
    { name: TRACED_OFF, ...profiled, snapshotter: DEFAULTS },
    ...(hasStatic ? [{ name: STATIC, snapshotter: PREFETCH, ...(await convert('static', '--profile', guessed)) }] : []),
    { name: NONE, snapshotter: PREFETCH, ...(await convert('none', '--profile', traced, '--start-layer', 'none')) },
    { name: GZIP, snapshotter: PREFETCH, ...(await convert('gzip', '--profile', traced, '--start-layer', 'gzip')) },
  ]
}

/**
 * What a start reads, with the readahead of FUSE mounts: what it has brought into memory after a start from a plain index.
 */
export async function traceStart(parts, image) {
  const files = []
  const onEvent = ({ event, path, ranges }) => void (event === 'pages' && files.push({ path, ranges }))
  await coldStart({ parts, image, snapshotter: DEFAULTS, serve: true, pages: true, onEvent })
  return { version: 1, files }
}

async function layersOf(image, sourceSize) {
  const { layers } = JSON.parse(await run(['inspect', '--json', image])).images[0]
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0)
  return {
    lazy: layers.filter(({ lazy }) => lazy).length,
    growth: sum(layers.map(({ size }) => size)) - sourceSize,
    ztocs: sum(layers.map(({ ztoc }) => ztoc?.size ?? 0)),
  }
}

/** Not synchronously: the registry's output has to be read meanwhile. */
async function run(args) {
  const [command, ...before] = sociable
  try {
    const { stdout } = await promisify(execFile)(command, [...before, ...args], { maxBuffer: 256 << 20 })
    return stdout
  } catch (error) {
    throw new Error(`sociable ${args.join(' ')}: ${error.stderr?.trim() || error.message}`)
  }
}

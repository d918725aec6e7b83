// Makes OCI layouts from folders of this machine, for demo, bench and tests: real trees, tar and gzip, streamed.
// The same trees give the same digests: names are sorted, owners are root, times are fixed. Layers whose files did
// not change since the last run are kept.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { constants, createReadStream, createWriteStream } from 'node:fs'
import { access, lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'

const GZIP_LEVEL = 6 // what docker, BuildKit and gzip itself use
const MODIFIED = new Date(Date.UTC(2026, 0, 1)) // one time for all files: checking a tree out again changes no digest
const SMALL_FILE = 1 << 20 // read at once, without the cost of a stream

/**
 * A tree that goes into a layer: a file or folder of this machine, or a text.
 * @typedef {{ readonly to: string, readonly from: string,
 *     readonly skip?: (path: string, stat: import('node:fs').Stats) => boolean }
 *   | { readonly to: string, readonly text: string }} Tree
 */

/**
 * `gzip` compresses the layer with the real tool of that name (found on PATH), else node's zlib does.
 * @typedef {{ readonly name: string, readonly trees: readonly Tree[], readonly gzip?: 'gzip' | 'pigz' }} Layer
 */

/**
 * @typedef {{ readonly name: string, readonly digest: string, readonly size: number, readonly diffId: string,
 *   readonly unpacked: number, readonly files: number }} MadeLayer sizes in bytes
 */

/**
 * Makes an OCI layout of one image, its platform linux on this machine's architecture, its reference name `latest`.
 * A layer that stands twice in the list is made once.
 * @param {string} folder where; what was there and is not used any more is removed
 * @param {readonly Layer[]} layers
 * @param {{ readonly concurrency?: number, readonly onLayer?: (layer: MadeLayer, reused: boolean) => void }} [options]
 * @returns {Promise<{ readonly digest: string, readonly layers: readonly MadeLayer[], readonly reused: boolean }>}
 *   in the order given; `reused`: nothing had to be made
 */
export async function makeImage(folder, layers, { concurrency = 2, onLayer } = {}) {
  const blobs = join(folder, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const memory = `${folder}.layers.json`
  const known = await readJson(memory)
  const made = new Map()
  const queue = [...new Set(layers)]
  let reused = true
  const work = async () => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      const entries = await listEntries(layer.trees)
      const key = keyOf(layer, entries)
      const old = known[key]
      const fresh = old && (await sizeOf(join(blobs, hex(old.digest)))) === old.size
      const result = fresh ? old : await makeLayer(blobs, layer, entries)
      if (!fresh) reused = false
      made.set(layer, { key, result })
      onLayer?.(result, Boolean(fresh))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const results = layers.map((layer) => made.get(layer).result)
  const digest = await writeImage(folder, results)
  await writeFile(memory, JSON.stringify(Object.fromEntries([...made.values()].map((m) => [m.key, m.result]))))
  return { digest, layers: results, reused }
}

async function makeLayer(blobs, layer, entries) {
  const part = join(blobs, `${layer.name}.part`)
  const result = { name: layer.name, ...(await writeTarGz(part, entries, layer.gzip)) }
  await rename(part, join(blobs, hex(result.digest)))
  return result
}

/** Where the blob of a layer that `makeImage` made lies. */
export function layerPath(folder, { digest }) {
  return join(folder, 'blobs', 'sha256', hex(digest))
}

/**
 * Writes a layer's file from entries as `listEntries` gives them, which may be generated on the way.
 * @returns {Promise<Omit<MadeLayer, 'name'>>}
 */
export async function writeTarGz(file, entries, gzip) {
  const tar = pack()
  const diffId = new Digest()
  const blob = new Digest()
  const fill = addEntries(tar, entries).catch((error) => {
    tar.destroy(error)
    throw error
  })
  const write = gzip
    ? compressWith(gzip, [tar, diffId], [blob, createWriteStream(file)])
    : pipeline(tar, diffId, createGzip({ level: GZIP_LEVEL }), blob, createWriteStream(file))
  const [files] = await Promise.all([fill, write])
  return { digest: blob.value(), size: blob.size, diffId: diffId.value(), unpacked: diffId.size, files }
}

/** Pipes through a gzip tool of the system, which runs beside node and not in it. */
async function compressWith(tool, from, to) {
  const child = spawn(tool, [`-${GZIP_LEVEL}`, '-n', '-c'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${tool} ended with status ${code}`))))
  })
  await Promise.all([pipeline(...from, child.stdin), pipeline(child.stdout, new PassThrough(), ...to), ended])
}

async function addEntries(tar, entries) {
  let count = 0
  for await (const { name, path, text, type, mode, size, target } of entries) {
    const header = { name, type, mode, size, mtime: MODIFIED, uid: 0, gid: 0, linkname: target }
    if (type !== 'file') await add(tar, header)
    else if (text !== undefined) await add(tar, header, Buffer.from(text))
    else if (size <= SMALL_FILE) await add(tar, header, checkSize(await readFile(path), size, path))
    else await addLarge(tar, header, path)
    count++
  }
  tar.finalize()
  return count
}

function add(tar, header, content) {
  return new Promise((resolve, reject) => {
    const done = (error) => (error ? reject(error) : resolve())
    if (content) tar.entry(header, content, done)
    else tar.entry(header, done)
  })
}

async function addLarge(tar, header, path) {
  await new Promise((resolve, reject) => {
    const entry = tar.entry(header, (error) => (error ? reject(error) : resolve()))
    const content = createReadStream(path, { end: header.size - 1, highWaterMark: 1 << 20 })
    pipeline(content, entry).catch(reject)
  })
}

function checkSize(content, size, path) {
  if (content.length !== size)
    throw new Error(`${path} changed while it was read: ${size} bytes, then ${content.length}`)
  return content
}

/** Every file, folder and symbolic link of the trees, parents first, sorted; unreadable and special files are left out. */
export async function listEntries(trees) {
  const entries = new Map()
  const addFolder = (name) => {
    if (name === '' || entries.has(`${name}/`)) return
    const slash = name.lastIndexOf('/')
    if (slash > 0) addFolder(name.slice(0, slash))
    entries.set(`${name}/`, { name: `${name}/`, type: 'directory', mode: 0o755, size: 0 })
  }
  const walk = async (tree, path, name) => {
    const stat = await lstat(path)
    if (tree.skip?.(path, stat)) return
    const mode = process.platform === 'win32' ? 0o755 : stat.mode & 0o7777
    if (stat.isDirectory()) {
      addFolder(name)
      const names = await readdir(path).catch(() => [])
      for (const child of names) await walk(tree, join(path, child), name ? `${name}/${child}` : child)
    } else if (stat.isSymbolicLink()) {
      entries.set(name, { name, type: 'symlink', mode: 0o777, size: 0, target: await readlink(path) })
    } else if (stat.isFile() && (await isReadable(path))) {
      entries.set(name, { name, path, type: 'file', mode, size: stat.size, mtime: stat.mtimeMs })
    }
  }
  for (const tree of trees) {
    const slash = tree.to.lastIndexOf('/')
    if (slash > 0) addFolder(tree.to.slice(0, slash))
    if ('text' in tree) {
      const size = Buffer.byteLength(tree.text)
      entries.set(tree.to, { name: tree.to, text: tree.text, type: 'file', mode: 0o644, size })
    } else await walk(tree, tree.from, tree.to)
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

const isReadable = (path) =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  )

function keyOf(layer, entries) {
  const hash = createHash('sha256').update(`1 ${layer.name} ${layer.gzip ?? 'zlib'} ${process.versions.zlib}\n`)
  for (const entry of entries) hash.update(`${JSON.stringify(entry)}\n`)
  return hash.digest('hex')
}

async function writeImage(folder, layers) {
  const architecture = { x64: 'amd64', ia32: '386' }[process.arch] ?? process.arch
  const config = await writeBlob(folder, {
    created: MODIFIED.toISOString(),
    architecture,
    os: 'linux',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map((layer) => ({ created: MODIFIED.toISOString(), created_by: `COPY ${layer.name} /` })),
  })
  const manifest = await writeBlob(folder, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size,
    })),
  })
  const used = new Set([...layers, config, manifest].map(({ digest }) => hex(digest)))
  for (const name of await readdir(join(folder, 'blobs', 'sha256')))
    if (!used.has(name)) await rm(join(folder, 'blobs', 'sha256', name))
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest }
  const platform = { architecture, os: 'linux' }
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, platform, annotations }] }),
  )
  return manifest.digest
}

async function writeBlob(folder, value) {
  const content = Buffer.from(JSON.stringify(value))
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  await writeFile(join(folder, 'blobs', 'sha256', hex(digest)), content)
  return { digest, size: content.length }
}

const hex = (digest) => digest.slice('sha256:'.length)

const sizeOf = (path) =>
  lstat(path).then(
    (stat) => stat.size,
    () => undefined,
  )

async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return {} // never made, or cut off while it was written: made again
  }
}

/** Counts and hashes what passes. */
class Digest extends Transform {
  #hash = createHash('sha256')
  size = 0

  _transform(chunk, _encoding, done) {
    this.#hash.update(chunk)
    this.size += chunk.length
    done(null, chunk)
  }

  value() {
    return `sha256:${this.#hash.digest('hex')}`
  }
}

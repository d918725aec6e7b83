// What changed in a folder since it was looked at before, as a layer: new and changed entries, and whiteouts for what is gone.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** Folders that a runtime mounts over: an image has them empty. */
const MOUNTED = ['dev', 'proc', 'sys']

/** Every entry below a folder, by its path: what tells that it has changed. */
export function snapshot(tree) {
  const entries = new Map()
  const walk = (path) => {
    const stat = lstatSync(join(tree, path), { bigint: true })
    if (path !== '') entries.set(path, `${stat.ino} ${stat.ctimeNs}`)
    if (stat.isDirectory() && !MOUNTED.includes(path))
      for (const name of readdirSync(join(tree, path))) walk(path === '' ? name : `${path}/${name}`)
  }
  walk('')
  return entries
}

/**
 * @returns {Promise<{ name: string, path: string, digest: string, size: number, diffId: string, unpacked: number }>}
 *   `path`: the layer, by `gzip -6`, sizes in bytes
 */
export async function packChanges({ tree, before, after, name, folder }) {
  const changed = [...after.keys()].filter((path) => before.get(path) !== after.get(path))
  const gone = [...before.keys()].filter((path) => !after.has(path))
  const topmost = gone.filter((path) => !gone.includes(dirname(path)))
  const whiteouts = topmost.map((path) => join(dirname(path), `.wh.${path.split('/').at(-1)}`))
  const empties = join(folder, `${name}-whiteouts`)
  mkdirSync(empties, { recursive: true })
  for (const path of whiteouts) {
    mkdirSync(join(empties, dirname(path)), { recursive: true })
    writeFileSync(join(empties, path), '')
  }
  const list = (paths, file) => {
    const sorted = paths.sort((a, b) => (a < b ? -1 : 1))
    writeFileSync(join(folder, file), sorted.map((path) => `${path}\0`).join(''))
    return join(folder, file)
  }
  const tar = join(folder, `${name}.tar`)
  const options = [
    '--format=posix',
    '--pax-option=delete=atime,delete=ctime',
    '--numeric-owner',
    '--no-recursion',
    '--null',
  ]
  const xattrs = ['--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*']
  const files = [
    '-C',
    tree,
    '-T',
    list(changed, `${name}.changed`),
    '-C',
    empties,
    '-T',
    list(whiteouts, `${name}.gone`),
  ]
  await ended(
    spawn('tar', ['-c', '-f', tar, ...options, ...xattrs, ...files], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  const path = `${tar}.gz`
  const gzip = spawn('gzip', ['-6', '-n', '-c', tar], { stdio: ['ignore', 'pipe', 'inherit'] })
  const digest = createHash('sha256')
  gzip.stdout.on('data', (chunk) => digest.update(chunk))
  await Promise.all([pipeline(gzip.stdout, createWriteStream(path)), ended(gzip)])
  const diffId = createHash('sha256')
  await pipeline(createReadStream(tar, { highWaterMark: 1 << 20 }), diffId)
  const { size: unpacked } = statSync(tar)
  return {
    name,
    path,
    digest: `sha256:${digest.digest('hex')}`,
    size: statSync(path).size,
    diffId: `sha256:${diffId.digest('hex')}`,
    unpacked,
  }
}

async function ended(child) {
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${child.spawnargs[0]} ended with status ${status}`)
}

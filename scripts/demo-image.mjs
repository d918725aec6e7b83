// The demo's image: what is on this machine is input enough. As an application's image has it: a system, a runtime, its
// dependencies, its sources and settings.
import { access, constants, lstat, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeImage } from './image.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Bytes that the system's layer takes at most, and of a single file; shorter files only cost time. */
const SYSTEM_SIZE = 450 << 20
const SYSTEM_LARGEST = 120 << 20
const SYSTEM_SMALLEST = 512

const SYSTEM_FOLDERS = {
  win32: ['C:\\Program Files', 'C:\\Windows\\System32'],
  darwin: ['/usr/bin', '/usr/lib', '/usr/share', '/Library', '/Applications'],
}
const OTHER_SYSTEM_FOLDERS = ['/usr/bin', '/usr/lib', '/usr/lib64', '/usr/share', '/usr/local/lib']

/** A file that is in the image, and what it is on this machine. */
export const knownFile = {
  path: 'app/node_modules/typescript/package.json',
  original: join(root, 'node_modules', 'typescript', 'package.json'),
}

/**
 * Makes the image as an OCI layout, its tag `latest`.
 * @param {string} folder
 * @param {{ readonly small: boolean, readonly onLayer: (layer: import('./image.mjs').MadeLayer, reused: boolean) => void }} options
 *   small: without the system's files, about 100 MB instead of 300
 */
export async function makeDemoImage(folder, { small, onLayer }) {
  const prefix = process.platform === 'win32' ? dirname(process.execPath) : dirname(dirname(process.execPath))
  const npm = join(prefix, process.platform === 'win32' ? 'node_modules' : 'lib/node_modules')
  const runtime = { name: 'runtime', trees: [{ to: 'usr/local/bin/node', from: process.execPath }] }
  if (await exists(npm)) runtime.trees.push({ to: 'usr/local/lib/node_modules', from: npm })
  const dependencies = {
    name: 'dependencies',
    trees: [{ to: 'app/node_modules', from: join(root, 'node_modules'), skip: (path) => path.endsWith('.cache') }],
  }
  const skip = (path) => /[\\/](node_modules|dist|\.cache)$/.test(path)
  const sources = { name: 'sources', trees: [{ to: 'app/packages', from: join(root, 'packages'), skip }] }
  const settings = { name: 'settings', trees: [{ to: 'app/settings.json', text: '{"port":8080}\n' }] }
  const layers = [runtime, dependencies, sources, settings, runtime] // one stands twice: it is indexed once
  if (!small) layers.unshift({ name: 'system', trees: await systemFiles() })
  return makeImage(folder, layers, { onLayer })
}

/** Files of the system, in the order of their names, until there are enough. */
async function systemFiles() {
  const trees = []
  let left = SYSTEM_SIZE
  const walk = async (folder) => {
    const names = await readdir(folder).catch(() => []) // not there, or not ours to read
    for (const name of names.sort()) {
      if (left <= 0) return
      const path = join(folder, name)
      const stat = await lstat(path).catch(() => undefined)
      if (stat?.isDirectory()) await walk(path)
      else if (stat?.isFile() && stat.size >= SYSTEM_SMALLEST && stat.size <= Math.min(left, SYSTEM_LARGEST)) {
        trees.push({
          to: path
            .replace(/^([A-Z]):/, '$1')
            .replaceAll('\\', '/')
            .replace(/^\//, ''),
          from: path,
        })
        left -= stat.size
      }
    }
  }
  for (const folder of SYSTEM_FOLDERS[process.platform] ?? OTHER_SYSTEM_FOLDERS) await walk(folder)
  return trees
}

const exists = (path) =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  )

// The images that bench/startup starts: Debian with Python and what a small service needs, about 140 MB, and the same with the
// libraries of a machine-learning service, about 1 GB. Made once under .cache/startup, without Docker: debootstrap and apt in a
// chroot, wheels from PyPI. `node bench/startup/images.mjs` makes them ahead of a run.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensure, find } from '../../scripts/tools.mjs'
import { writeBlob, writeLayout } from './layout.mjs'
import { packChanges, snapshot } from './pack.mjs'

const cache = fileURLToPath(new URL('../../.cache/startup/images/', import.meta.url))

const SUITE = 'bookworm'
const PYTHON = '3.11' // bookworm's
const SITE = `usr/local/lib/python${PYTHON}/dist-packages`
/** What a Dockerfile's `apt-get install` brings: the interpreter, and tools that no start touches. */
const SYSTEM = [
  'ca-certificates',
  'curl',
  'git',
  'libpython3-stdlib',
  'openssh-client',
  'procps',
  'python3',
  'xz-utils',
]
const SMALL = ['numpy==2.4.6', 'requests==2.34.2']
const FRAMEWORK = ['tensorflow==2.21.0']
const MORE = ['matplotlib', 'pandas==3.1.1', 'pyarrow', 'scikit-learn==1.9.1', 'scipy==1.17.1']

/** Written anew when this file makes other images. */
const VERSION = JSON.stringify([2, SUITE, SYSTEM, SMALL, FRAMEWORK, MORE])

/**
 * @typedef {{ readonly name: 'small' | 'large', readonly layout: string, readonly size: number }} StartupImage
 *   `layout`: an OCI layout whose image is tagged `latest`; `size`: of its layers, compressed bytes
 */

/**
 * Makes what is missing: the first time some minutes, 0.9 GB of downloads and 7 GB of disk meanwhile.
 * @param {readonly string[]} names
 * @returns {Promise<StartupImage[]>}
 * @throws Error where this is not root on Linux, or a tool cannot be had
 */
export async function startupImages(names, log = console.error) {
  const known = readJson('images.json')
  if (known?.version === VERSION && names.every((name) => known.images.some((image) => image.name === name)))
    return names.map((name) => known.images.find((image) => image.name === name))
  if (process.getuid?.() !== 0) throw new Error('making the start-up images needs root: debootstrap and chroot')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'work-'))
  try {
    const images = await makeImages(work, names, log)
    writeFileSync(join(cache, 'images.json'), JSON.stringify({ version: VERSION, images }, null, 2))
    return images
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function makeImages(work, names, log) {
  const tree = join(work, 'tree')
  let before = new Map()
  const layer = async (name, change) => {
    log(`startup images: ${name}`)
    change()
    const after = snapshot(tree)
    const made = await packChanges({ tree, before, after, name, folder: work })
    before = after
    log(`startup images: packed ${name}, ${megabytes(made.unpacked)} into ${megabytes(made.size)}`)
    return made
  }
  const layers = [
    await layer('debian', () => {
      run(ensure('debootstrap'), ['--variant=minbase', SUITE, tree])
      tidy(tree)
    }),
    await layer('python', () => {
      const apt = ['apt-get', '-y', '-q', '--no-install-recommends']
      copyFileSync('/etc/resolv.conf', join(tree, 'etc/resolv.conf'))
      inTree(tree, [...apt, 'update'])
      inTree(tree, [...apt, 'install', ...SYSTEM])
      tidy(tree)
    }),
    await layer('libraries', () => addWheels(tree, SMALL)),
  ]
  const images = [await image('small', layers, await app(work, 'small'))]
  if (!names.includes('large')) return images
  layers.push(await layer('framework', () => addWheels(tree, FRAMEWORK)))
  layers.push(await layer('more', () => addWheels(tree, MORE)))
  return [...images, await image('large', layers, await app(work, 'large'))]
}

/** The layer with the program, as a Dockerfile's last COPY. */
async function app(work, name) {
  const tree = join(work, `app-${name}`)
  mkdirSync(join(tree, 'app'), { recursive: true })
  const program = readFileSync(new URL(`programs/${name}.py`, import.meta.url))
  const server = readFileSync(new URL('programs/server.py', import.meta.url))
  writeFileSync(join(tree, 'app', 'main.py'), program)
  writeFileSync(join(tree, 'app', 'server.py'), server)
  return packChanges({ tree, before: new Map(), after: snapshot(tree), name: `app-${name}`, folder: work })
}

async function image(name, shared, program) {
  const layers = [...shared, program]
  const layout = join(cache, name)
  rmSync(layout, { recursive: true, force: true })
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true })
  for (const layer of layers) writeBlob(layout, layer)
  writeLayout(layout, layers, {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'PYTHONUNBUFFERED=1'],
    Entrypoint: ['python3', '/app/main.py'],
    WorkingDir: '/app',
  })
  return { name, layout, size: layers.reduce((sum, { size }) => sum + size, 0) }
}

/** As `pip install` in a Dockerfile leaves them, compiled by the tree's own Python. */
function addWheels(tree, packages) {
  const python = find('python3')
  if (!python) throw new Error('the start-up images need Python with pip, to download packages')
  const glibc = ['1', '2010', '2014', '_2_17', '_2_24', '_2_27', '_2_28'].map((version) => `manylinux${version}_x86_64`)
  const target = ['--python-version', PYTHON, '--implementation', 'cp', '--only-binary=:all:']
  const platforms = glibc.flatMap((platform) => ['--platform', platform])
  const options = ['--quiet', '--no-compile', '--upgrade', '--no-warn-script-location', '--disable-pip-version-check']
  const staged = mkdtempSync(`${tree}-wheels-`)
  run(python, ['-m', 'pip', 'install', ...options, ...target, ...platforms, '--target', staged, ...packages])
  run('chown', ['-R', '0:0', staged])
  const site = join(tree, SITE)
  mkdirSync(site, { recursive: true })
  // What an earlier layer has stays as it is
  for (const name of readdirSync(staged)) if (!existsSync(join(site, name))) run('mv', [join(staged, name), site])
  rmSync(staged, { recursive: true })
  inTree(tree, ['python3', '-m', 'compileall', '-q', '-j', '2', `/${SITE}`], { mayFail: true }) // some packages bring templates that are no Python
}

/** Without what Docker's Debian images leave out, too. */
function tidy(tree) {
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists', 'var/log', 'tmp', 'run'])
    for (const name of existsSync(join(tree, folder)) ? readdirSync(join(tree, folder)) : [])
      rmSync(join(tree, folder, name), { recursive: true, force: true })
  // Runtimes mount their own over these; debootstrap copies this machine's
  for (const file of ['etc/hostname', 'etc/resolv.conf']) rmSync(join(tree, file), { force: true })
}

function inTree(tree, command, { mayFail = false } = {}) {
  try {
    run('chroot', [tree, 'env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C', ...command])
  } catch (error) {
    if (!mayFail) throw error
  }
}

const run = (command, args) => execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 64 << 20 })

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`

function readJson(name) {
  const path = join(cache, name)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2)
  console.log(JSON.stringify(await startupImages(names.length > 0 ? names : ['small', 'large']), null, 2))
}

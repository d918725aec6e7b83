// What the benchmarks run on: an image as a machine-learning service has it (about 800 MB compressed, one layer of
// 650 MB), and single layers. Made once, under .cache/bench, from pinned packages of PyPI and npm and this machine's
// /usr. `node bench/inputs.mjs` makes them ahead of a run.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layerPath, listEntries, makeImage, writeTarGz } from '../scripts/image.mjs'
import { find } from '../scripts/tools.mjs'

const cache = fileURLToPath(new URL('../.cache/bench', import.meta.url))

/** Python libraries of a machine-learning service: 2.2 GB unpacked. */
const LIBRARIES = [
  'tensorflow==2.21.0',
  'numpy==2.4.6',
  'scipy==1.17.1',
  'transformers==5.23.0',
  'pandas==3.1.1',
  'scikit-learn==1.9.1',
  'sympy==1.14.0',
]
/** Packages that are mostly one big executable: 0.5 GB. */
const EXECUTABLES = ['ziglang==0.17.1', 'cmake==4.4.4', 'uv==0.13.9']
/** An executable of 30 MB: a layer of about 10 MB. */
const SMALL = ['ruff==0.17.6']
/** Many small files of JavaScript: 0.25 GB. */
const MODULES = ['aws-cdk-lib@2.276.0', 'constructs@10.8.1', 'webpack@5.112.2', 'eslint@10.15.0', 'typescript@5.9.3']
/** The parts of /usr that a distribution's image has. Larger files are rather part of what is put on top of it. */
const SYSTEM = ['bin', 'sbin', 'lib/python3', 'share/perl', 'share/i18n']
const SYSTEM_LARGEST = 4 << 20

/** @typedef {{ name: string, path: string, size: number, unpacked: number, files: number }} LayerFile sizes in bytes */

/**
 * Makes what is missing (the first time some minutes).
 * @returns {Promise<{ image: string, layers: LayerFile[], small: LayerFile }>} `image`: an OCI layout; `layers`: one per
 *   kind of content, the biggest first; `small`: about 10 MB
 */
export async function benchInputs(log = console.error) {
  const key = JSON.stringify([2, LIBRARIES, EXECUTABLES, SMALL, MODULES, SYSTEM])
  const known = await readJson('inputs.json')
  if (known?.key === key) return known.inputs
  log('bench: making the inputs: downloads 0.9 GB from PyPI and npm; some minutes, 5 GB of disk meanwhile, 1 GB after')
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'work-'))
  try {
    const inputs = await makeInputs(work, log)
    await writeJson('inputs.json', { key, inputs })
    return inputs
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function makeInputs(work, log) {
  const site = 'usr/local/lib/python3.11/site-packages'
  const gzip = find('gzip') && 'gzip'
  const wheels = (name, packages) => ({ to: site, from: unpackWheels(join(work, name), packages) })
  const libraries = { name: 'libraries', gzip, trees: [wheels('libraries', LIBRARIES)] }
  const executables = { name: 'executables', gzip, trees: [{ ...wheels('executables', EXECUTABLES), skip: isSources }] }
  const small = { name: 'small', gzip, trees: [wheels('small', SMALL)] }
  const modules = {
    name: 'modules',
    gzip,
    trees: [{ to: 'app/node_modules', from: installModules(join(work, 'modules')) }],
  }
  const system = {
    name: 'system',
    gzip,
    trees: SYSTEM.map((path) => ({ to: `usr/${path}`, from: `/usr/${path}`, skip: isLarge })),
  }
  const settings = { name: 'settings', gzip, trees: [{ to: 'app/settings.json', text: '{"port":8080}\n' }] }

  const image = join(cache, 'image')
  const onLayer = ({ name, size, unpacked }) =>
    log(`bench: packed ${name}, ${megabytes(unpacked)} into ${megabytes(size)}`)
  const made = await makeImage(image, [system, libraries, modules, small, settings], { onLayer })
  const files = made.layers.map((layer) => layerFile(layer, layerPath(image, layer)))
  files.push(await writeLayer('executables', await listEntries(executables.trees), gzip))
  const named = (name) => files.find((file) => file.name === name)
  return { image, layers: ['libraries', 'executables', 'modules', 'system'].map(named), small: named('small') }
}

async function writeLayer(name, entries, gzip) {
  const path = join(cache, `${name}.tar.gz`)
  const made = await writeTarGz(`${path}.part`, entries, gzip)
  await rename(`${path}.part`, path)
  return layerFile({ name, ...made }, path)
}

const layerFile = ({ name, size, unpacked, files }, path) => ({ name, path, size, unpacked, files })

/** Downloads wheels for one Python on Linux whatever runs here, so that the layers are the same everywhere. */
function unpackWheels(folder, packages) {
  const python = find('python3') ?? find('python')
  if (!python) throw new Error('the inputs need Python with pip, to download packages')
  const glibc = ['2010', '2014', '_2_17', '_2_27', '_2_28']
  const platforms = glibc.flatMap((version) => ['--platform', `manylinux${version}_x86_64`])
  const target = ['--python-version', '3.11', '--implementation', 'cp', '--only-binary=:all:', ...platforms]
  const download = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    ...target,
    '--dest',
    `${folder}-wheels`,
    ...packages,
  ]
  execFileSync(python, download, { stdio: ['ignore', 'ignore', 'inherit'] })
  for (const wheel of readdirSync(`${folder}-wheels`))
    execFileSync(python, ['-m', 'zipfile', '-e', join(`${folder}-wheels`, wheel), folder])
  return folder
}

function installModules(folder) {
  mkdirSync(folder, { recursive: true })
  const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']
  execFileSync('npm', ['install', ...options, ...MODULES], { stdio: ['ignore', 'ignore', 'inherit'] })
  return join(folder, 'node_modules')
}

const isSources = (path) => path.endsWith('/ziglang/lib') // small files by the ten thousand

const isLarge = (_path, stat) => stat.size > SYSTEM_LARGEST && stat.isFile()

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`

async function readJson(name) {
  try {
    return JSON.parse(await readFile(join(cache, name), 'utf8'))
  } catch {
    return undefined // not made yet
  }
}

const writeJson = (name, value) => writeFile(join(cache, name), JSON.stringify(value, null, 2))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await benchInputs(), null, 2))
}

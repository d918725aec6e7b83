// Finds the real tools that tests, benchmarks and the demo compare with, and installs those that are missing where that
// is possible: Debian packages as root, Python tools into a venv, other Node versions and Java's packages into .cache/tools.
// `node scripts/tools.mjs NAME…` installs by hand (exit status 1 when one cannot be had).
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/tools', import.meta.url))
const windows = process.platform === 'win32'

/** Debian's packages, by the command that is wanted from them. */
const DEBIAN = {
  bgzip: 'tabix',
  buildah: 'buildah',
  chromium: 'chromium',
  debootstrap: 'debootstrap',
  'docker-registry': 'docker-registry',
  fish: 'fish',
  fusermount3: 'fuse3',
  gzip: 'gzip',
  igzip: 'isal',
  'libdeflate-gzip': 'libdeflate-tools',
  pigz: 'pigz',
  podman: 'podman',
  runc: 'runc',
  skopeo: 'skopeo',
  time: 'time', // GNU's: measures CPU time and memory
  umoci: 'umoci',
  zopfli: 'zopfli',
  zsh: 'zsh',
  zstd: 'zstd',
}
/** PyPI's packages, by the command. Pinned: they are measured against, or judge. */
const PYTHON = {
  'cfn-lint': 'cfn-lint==1.58.0',
  hcl2tojson: 'python-hcl2==8.1.4',
  rapidgzip: 'rapidgzip==0.16.2',
}

/** PyPI's packages that bring no command that is wanted, by their name. */
const PYTHON_MODULES = { moto: 'moto[stepfunctions]==5.2.5 flask==3.1.3 flask-cors==6.0.5' } // interprets state machines

/** Maven's packages, by the name that `ensureJars` knows. */
const MAVEN = { 'event-ruler': 'software.amazon.event.ruler:event-ruler:1.8.1' } // what Amazon EventBridge matches patterns with

/** The names that `ensure` knows. */
export const toolNames = [...Object.keys(DEBIAN), ...Object.keys(PYTHON)]

/** Path of a command on PATH or among those installed before; undefined if there is none. */
export function find(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), venvFolder(name)]
  const suffixes = windows ? ['.exe', '.cmd', ''] : ['']
  return folders.flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix))).find(isExecutable)
}

/**
 * Path of a command, installed now if need be.
 * @throws Error of one line: why it cannot be had, and what to install
 */
export function ensure(name) {
  const found = find(name)
  if (found) return found
  if (DEBIAN[name]) installDebian(name, DEBIAN[name])
  else if (PYTHON[name]) alone(name, () => find(name) || installPython(name, PYTHON[name]))
  else throw new Error(`${name}: not found, and not known how to install it`)
  const path = find(name)
  if (!path) throw new Error(`${name}: its package was installed, but brought no such command`)
  return path
}

/**
 * Path of a Python that has the module, in just this version: another one on this machine is not taken.
 * @throws Error of one line
 */
export function ensureModule(name) {
  const python = join(venvFolder(name), windows ? 'python.exe' : 'python')
  const has = () => isExecutable(python) && run(python, ['-c', `import ${name}`]).status === 0
  if (!has()) alone(name, () => has() || installPython(name, PYTHON_MODULES[name]))
  if (!has()) throw new Error(`${name}: it was installed, but cannot be imported`)
  return python
}

/**
 * Path of a Node binary of another major version, from the npm registry's package `node`.
 * @throws Error of one line
 */
export function ensureNode(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const path = join(ensurePackages(`node@${major}`), 'node', 'bin', windows ? 'node.exe' : 'node')
  if (!isExecutable(path)) throw new Error(`Node ${major}: npm's package node@${major} has no program at ${path}`)
  return path
}

/**
 * Folder that has packages of npm's registry, each called as `name@version`, and what they depend on.
 * @throws Error of one line
 */
export function ensurePackages(...packages) {
  const name = packages[0].replace(/[@/]+/g, '-').replace(/^-/, '')
  const folder = join(cache, name)
  const modules = join(folder, 'node_modules')
  const installed = join(folder, 'installed') // npm makes a package's folder long before its program is there
  const isThere = () =>
    existsSync(installed) &&
    packages.every((name) => existsSync(join(modules, name.replace(/(?<=.)@.*/, ''), 'package.json')))
  if (isThere()) return modules
  alone(name, () => {
    if (isThere()) return
    mkdirSync(folder, { recursive: true })
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', ...packages]
    const { status, output } = run('npm', args)
    if (status === 0) mkdirSync(installed, { recursive: true })
    if (!isThere()) throw new Error(`npm could not install ${packages.join(' ')}: ${lastLine(output)}`)
  })
  return modules
}

/**
 * Folder that has the jars of one of Maven's packages, and what they depend on. Needs Java and Maven.
 * @throws Error of one line
 */
export function ensureJars(name) {
  const folder = join(cache, name)
  const jars = join(folder, 'jars')
  const isThere = () => existsSync(join(folder, 'installed'))
  for (const command of ['java', 'mvn']) if (!find(command)) throw new Error(`${name}: there is no ${command} here`)
  if (isThere()) return jars
  alone(name, () => {
    if (isThere()) return
    mkdirSync(folder, { recursive: true })
    const [groupId, artifactId, version] = MAVEN[name].split(':')
    const head = '<project><modelVersion>4.0.0</modelVersion><groupId>tools</groupId><artifactId>tools</artifactId>'
    const coordinates = `<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>`
    const pom = `${head}<version>1</version><dependencies><dependency>${coordinates}</dependency></dependencies></project>`
    writeFileSync(join(folder, 'pom.xml'), pom)
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
    const { status, output } = run('mvn', ['-B', '-q', '-f', join(folder, 'pom.xml'), ...goal])
    if (status !== 0) {
      const [reason = lastLine(output)] = output.match(/^.*ERROR.*$/m) ?? []
      throw new Error(`Maven could not install ${MAVEN[name]}: ${reason}`)
    }
    mkdirSync(join(folder, 'installed'))
  })
  return jars
}

const LOCK_LIFE = 10 * 60_000 // ms; whoever left an older lock has died

/** Installs while no other process installs the same: test files run at once, and each asks for what it needs. */
function alone(name, install) {
  mkdirSync(cache, { recursive: true })
  const lock = join(cache, `${name}.lock`)
  while (true) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
      if (made !== undefined && Date.now() - made > LOCK_LIFE) rmSync(lock, { recursive: true, force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  try {
    install()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

function installDebian(name, packageName) {
  const hint = `${name}: not found (Debian's package ${packageName} has it`
  if (!find('apt-get')) throw new Error(`${hint}; there is no apt-get here)`)
  if (process.getuid?.() !== 0) throw new Error(`${hint}; run: sudo apt-get install ${packageName})`)
  const { status, output } = aptInstall([packageName])
  if (status !== 0) throw new Error(`${hint}; apt-get failed: ${lastLine(output)})`)
}

function aptInstall(packages) {
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-y', '--no-install-recommends']
  const apt = (...args) => run('apt-get', [...options, ...args], { DEBIAN_FRONTEND: 'noninteractive' })
  const first = apt('install', ...packages)
  if (first.status === 0) return first
  apt('update') // a fresh machine has no package lists, an old one those of versions that are gone
  return apt('install', ...packages)
}

/** Installs Debian packages in one go, which takes a fraction of the time. What fails is told when it is asked for by itself. */
function installAtOnce(names) {
  const missing = names.filter((name) => DEBIAN[name] && !find(name))
  if (missing.length > 1 && process.getuid?.() === 0 && find('apt-get')) aptInstall(missing.map((name) => DEBIAN[name]))
}

function installPython(name, requirement) {
  const hint = `${name}: not found (PyPI's package ${requirement} has it`
  const python = find('python3') ?? find('python')
  if (!python) throw new Error(`${hint}; there is no Python here)`)
  const venv = join(cache, name)
  const made = run(python, ['-m', 'venv', venv])
  if (made.status !== 0) throw new Error(`${hint}; python -m venv failed: ${lastLine(made.output)})`)
  const pip = run(join(venvFolder(name), 'python'), ['-m', 'pip', 'install', '--quiet', ...requirement.split(' ')])
  if (pip.status !== 0) throw new Error(`${hint}; pip failed: ${lastLine(pip.output)})`)
}

const venvFolder = (name) => join(cache, name, windows ? 'Scripts' : 'bin')

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function run(command, args, env) {
  const options = { encoding: 'utf8', maxBuffer: 64 << 20, env: { ...process.env, ...env }, shell: windows }
  const { status, stdout, stderr, error } = spawnSync(command, args, options)
  return { status, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` }
}

const lastLine = (text) => text.trim().split('\n').at(-1)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2)
  installAtOnce(names)
  for (const name of names) {
    try {
      console.log(`${name}: ${/^node-\d+$/.test(name) ? ensureNode(name.slice('node-'.length)) : ensure(name)}`)
    } catch (error) {
      console.error(error.message)
      process.exitCode = 1
    }
  }
}

// `npm run container [-- --tag NAME] [--builder docker|podman|buildah] [--node-image IMAGE]`: builds an image of the command line, as the Dockerfile says. `--check` builds it with
// podman on a base made of this machine's files, and runs it: no registry is needed for that.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from './build.mjs'
import { ensure, ensureNode } from './tools.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const PACKAGES = ['ztoc', 'oci', 'sociable']
const LIMIT = 100e6 // bytes, compressed

const { values } = parseArgs({
  options: {
    tag: { type: 'string', default: 'sociable' },
    builder: { type: 'string', default: 'docker' },
    'node-image': { type: 'string' },
    check: { type: 'boolean', default: false },
  },
})
build()
const folder = mkdtempSync(join(tmpdir(), 'sociable-container-'))
try {
  const context = join(folder, 'context')
  mkdirSync(context)
  const packages = PACKAGES.map((name) => join(root, 'packages', name))
  const flags = ['--omit=dev', '--install-links', '--no-audit', '--no-fund']
  run('npm', ['install', '--prefix', join(context, 'app'), ...flags, ...packages])
  if (values.check) check(context)
  else run(values.builder, ['build', ...buildArguments(values['node-image'], values.tag), context])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function buildArguments(nodeImage, tag) {
  const args = ['--file', join(root, 'Dockerfile'), '--tag', tag]
  return nodeImage === undefined ? args : [...args, '--build-arg', `NODE_IMAGE=${nodeImage}`]
}

/** @throws Error where the image does not run, runs as root, or is too large */
function check(context) {
  const podman = ensure('podman')
  const storage = join(folder, 'storage.conf')
  writeFileSync(storage, `[storage]\ndriver = "vfs"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/storage"\n`)
  const env = { ...process.env, CONTAINERS_STORAGE_CONF: storage }
  const inPodman = (...args) => run(podman, args, { env, stdio: ['ignore', 'pipe', 2] })
  const base = join(folder, 'base')
  makeBase(base)
  inPodman('build', '--tag', 'localhost/node', base)
  inPodman('build', ...buildArguments('localhost/node', 'localhost/sociable'), context)
  const [{ User, Config }] = JSON.parse(inPodman('inspect', 'localhost/sociable'))
  if (User !== '65532:65532') throw new Error(`the image runs as ${User}`)
  const mount = inPodman('image', 'mount', 'localhost/sociable').trim()
  // As a runtime would start it, but in the namespaces of this machine, which may not allow others
  const asUser = [`--userspec=${User}`, mount, ...Config.Entrypoint]
  const image = run('chroot', [...asUser, '--version'], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 2],
  })
  const { version } = JSON.parse(readFileSync(join(root, 'packages/sociable/package.json'), 'utf8'))
  if (image.trim() !== version) throw new Error(`the image answers ${image}, not ${version}`)
  const size = spawnSync('sh', ['-c', `tar -c -C '${mount}' . | gzip | wc -c`], { encoding: 'utf8' })
  console.log(
    `The image runs as 65532:65532, answers ${version}, and has ${(Number(size.stdout) / 1e6).toFixed(1)} MB compressed`,
  )
  if (!(Number(size.stdout) < LIMIT)) throw new Error(`it is larger than ${LIMIT} bytes`)
}

/** What stands for the base image: Node at the same place, with the libraries that it is linked to. */
function makeBase(to) {
  const node = ensureNode('24')
  const { stdout } = spawnSync('ldd', [node], { encoding: 'utf8' })
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path)
  for (const path of libraries) {
    mkdirSync(join(to, dirname(path)), { recursive: true })
    copyFileSync(path, join(to, path))
  }
  mkdirSync(join(to, 'nodejs/bin'), { recursive: true })
  cpSync(node, join(to, 'nodejs/bin/node'))
  writeFileSync(join(to, 'Containerfile'), 'FROM scratch\nCOPY . /\n')
}

function run(command, args, options = {}) {
  const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 2, 2], ...options })
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${error?.message ?? `status ${status}`}`)
  return stdout
}

// Builds the oracle (our Go program that calls the reference) and the reference's own CLI into .cache/, where Go is present.
// `node conformance/build.mjs` alone builds both; Go's build cache makes it incremental.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const binaries = {
  oracle: { path: join(folder, '.cache', 'oracle'), module: join(folder, 'oracle'), package: '.' },
  soci: {
    path: join(folder, '.cache', 'soci'),
    module: join(folder, 'soci-cli'),
    package: 'github.com/awslabs/soci-snapshotter/cmd/soci',
  },
}

/** Why the reference cannot be built here, in one line; undefined if it can. */
export function whyNot() {
  if (run('go', ['version']).status !== 0) return 'Go is not installed: the reference implementation cannot be built'
  if (!hasCompiler()) return 'no C compiler (gcc): the reference implementation needs cgo'
  if (!hasZlib() && !installZlib())
    return 'libz.a is missing and could not be installed: apt-get install zlib1g-dev, then try again'
  return undefined
}

/**
 * Path of our Go program that answers for the reference, built now if its sources changed.
 * @throws Error when it cannot be built, with the compiler's words.
 */
export function buildOracle() {
  return build(binaries.oracle)
}

/** Path of the reference's own `soci` command, built now if needed. @throws Error as buildOracle does. */
export function buildSoci() {
  return build(binaries.soci)
}

function build({ path, module, package: name }) {
  const reason = whyNot()
  if (reason) throw new Error(reason)
  const { status, stderr, error } = run('go', ['build', '-trimpath', '-o', path, name], {
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '1' },
  })
  if (status !== 0) throw new Error(`go build ${name} failed: ${error?.message ?? stderr.trim()}`)
  return path
}

function hasCompiler() {
  return run(process.env.CC ?? 'gcc', ['--version']).status === 0
}

function hasZlib() {
  const found = run(process.env.CC ?? 'gcc', ['-print-file-name=libz.a']).stdout.trim()
  return found !== 'libz.a' && existsSync(found) && existsSync('/usr/include/zlib.h')
}

function installZlib() {
  if (process.getuid?.() !== 0 || run('apt-get', ['--version']).status !== 0) return false
  const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', 'zlib1g-dev']).status === 0
  return install() || (run('apt-get', ['update']).status === 0 && install())
}

function run(command, args, options) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20, ...options })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${buildOracle()}\n${buildSoci()}\n`)
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}

// How much of what a start really reads `sociable profile --static` finds: against a trace of the same image by strace.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { sociable } from '../sociable.mjs'

/**
 * @typedef {{ traced: number, found: number, share: number, excess: number, missing: object[], extra: object[] }} Coverage
 *   bytes of whole files; `share` of the traced bytes that are found, `excess` by the traced bytes
 */

/**
 * @param {string} layout an OCI layout with the tag `latest`
 * @param {string} folder where the image is unpacked and the trace is written
 * @param {number} seconds after which a start that goes on is ended
 * @returns {Promise<Coverage>}
 */
export async function coverage(layout, folder, seconds) {
  const bundle = join(folder, 'bundle')
  execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], { stdio: 'ignore' })
  const root = realpathSync(join(bundle, 'rootfs'))
  const guess = await profile(['--static', `oci:${layout}:latest`])
  const trace = join(folder, 'start.log')
  await start(bundle, root, trace, seconds)
  const traced = await profile([trace, '--root', root])
  return compare(root, traced, guess)
}

/** In a chroot, with the command, environment and folder that the image names. */
async function start(bundle, root, trace, seconds) {
  const { process: run } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
  const mounts = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec "$@"'
  const traced = ['strace', '-f', '-qq', '-o', trace, 'unshare', `--root=${root}`, `--wd=${run.cwd}`, ...run.args]
  const options = ['--mount', '--pid', '--fork', 'sh', '-c', mounts, root, ...traced]
  const env = Object.fromEntries(run.env.map((text) => text.split(/=(.*)/s)))
  const child = spawn('unshare', options, { stdio: 'ignore', detached: true, env })
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), seconds * 1000)
  await once(child, 'exit')
  clearTimeout(timer)
}

async function profile(args) {
  const [command, ...before] = sociable
  const { stdout } = await promisify(execFile)(command, [...before, 'profile', '--quiet', ...args], {
    maxBuffer: 64 << 20,
  })
  return JSON.parse(stdout).files
}

function compare(root, traced, guess) {
  const read = sizes(root, traced)
  const guessed = sizes(root, guess)
  const pick = (from, test) => [...from].filter(test).map(([path, size]) => ({ path, size }))
  const missing = pick(read, ([path]) => !guessed.has(path))
  const extra = pick(guessed, ([path]) => !read.has(path) && !NOT_IN_TRACES.test(path))
  const sum = (files) => files.reduce((total, { size }) => total + size, 0)
  const total = sum(pick(read, () => true))
  const found = total - sum(missing)
  return { traced: total, found, share: found / total, excess: sum(extra) / total, missing, extra }
}

/** The kernel opens the interpreters of programs and scripts, the runtime the files in /etc; strace shows neither. */
const NOT_IN_TRACES = /\/ld-[^/]*\.so[^/]*$|^\/usr\/bin\/dash$|^\/etc\/(?:passwd|group)$/

/** Sizes by the real path inside the root; of a file that is read in part, that part. */
function sizes(root, files) {
  const found = new Map()
  for (const { path, ranges } of files) {
    const real = realInside(root, path)
    if (real === undefined) continue
    const size = statSync(join(root, real)).size
    found.set(real, ranges === undefined ? size : ranges.reduce((total, [from, to]) => total + to - from, 0))
  }
  return found
}

/** As chroot resolves it: absolute symlinks stay inside. */
function realInside(root, path) {
  let at = '/'
  const pending = path.split('/').reverse()
  for (let links = 0; pending.length > 0; ) {
    const part = pending.pop()
    if (part === '') continue
    const next = resolve('/', at, part)
    let facts
    try {
      facts = lstatSync(join(root, next))
    } catch {
      return undefined
    }
    if (!facts.isSymbolicLink()) {
      at = next
      continue
    }
    if (++links > 40) return undefined
    const target = readlinkSync(join(root, next))
    if (target.startsWith('/')) at = '/'
    pending.push(...target.split('/').reverse())
  }
  return statSync(join(root, at)).isFile() ? at : undefined
}

if (process.argv[2] !== undefined && import.meta.url === `file://${realpathSync(process.argv[1])}`) {
  const [, , layout, folder, seconds = '20'] = process.argv
  const { missing, extra, ...rest } = await coverage(layout, folder, Number(seconds))
  console.log(rest)
  const print = (files) =>
    files
      .sort((a, b) => b.size - a.size)
      .slice(0, 40)
      .map(({ path, size }) => `${size}\t${path}`)
      .join('\n')
  console.log(`missing ${missing.length}:\n${print(missing)}\nextra ${extra.length}:\n${print(extra)}`)
}

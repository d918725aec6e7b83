// One cold start: containerd and the snapshotter begin with empty state in namespaces of their own, which end with the run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Where state lies: on a disk, and short enough that the paths of sockets below it are valid. */
const STATE = '/var/tmp'

// /var/lib has the snapshotter's content store and /run the shim's sockets, neither of which can be placed elsewhere by an option
const IN_NAMESPACES = `
set -e
[ -z "$2" ] || mount -t tmpfs tmpfs "$1"
for folder in var/lib run; do mkdir -p "$1/$folder"; mount --bind "$1/$folder" "/$folder"; done
mkdir -p /var/lib/soci-snapshotter-grpc "$1/state"
cp "$1.toml" "$1/soci-config.toml"
shift 2
exec "$@"
`

/**
 * @typedef {object} Start
 * @property {import('./parts.mjs').Parts} parts
 * @property {string} image in a registry
 * @property {string} [snapshotter] configuration of the SOCI snapshotter, TOML; without one the image is pulled whole, into overlayfs
 * @property {boolean} [serve] wait for an answer over HTTP as well
 * @property {boolean} [second] start a second container
 * @property {boolean} [pages] list the pages that the start has brought into memory: events `pages`
 * @property {boolean} [list] list the files in place of a start: events `entry`
 * @property {boolean} [inMemory] keep the state in memory: needs no disk that overlayfs takes
 * @property {(event: object) => void | Promise<void>} [onEvent] called for each event in turn
 */

/**
 * Pulls and starts an image.
 * @param {Start} start
 * @returns {Promise<Record<string, any>>} the last event of each kind, by its name: `pulled`, `first-line`, `first-answer`,
 *   `second-line`, …: seconds since the pull (or the second start) began
 * @throws Error with the program's words and the end of the logs
 */
export async function coldStart({ parts, image, snapshotter, serve, second, pages, list, inMemory, onEvent }) {
  const folder = mkdtempSync(join(STATE, 'sociable-'))
  writeFileSync(`${folder}.toml`, snapshotter ?? '')
  try {
    const state = join(folder, 'state')
    const args = ['-containerd', parts.containerd, '-folder', state, '-image', image]
    if (snapshotter !== undefined)
      args.push('-soci-snapshotter', parts.snapshotter, '-soci-config', join(folder, 'soci-config.toml'))
    if (serve) args.push('-port', String(await freePort()))
    if (second) args.push('-second')
    if (pages) args.push('-pages')
    if (list) args.push('-list')
    const namespaces = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child']
    const inside = ['sh', '-c', IN_NAMESPACES, 'sh', folder, inMemory ? 'memory' : '', parts.client, ...args]
    const child = spawn('unshare', [...namespaces, ...inside], { stdio: ['ignore', 'pipe', 'pipe'] })
    let messages = ''
    child.stderr.on('data', (data) => (messages = (messages + data).slice(-2000)))
    const closed = once(child, 'close')
    const events = {}
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line)
      events[event.event] = event
      await onEvent?.(event)
    }
    const [status] = await closed
    if (status !== 0) throw new Error(`starting ${image}: ${events.error?.message ?? messages.trim()}${logs(state)}`)
    return events
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(`${folder}.toml`, { force: true })
  }
}

/** The last warning or error that the snapshotter logged, for messages. */
function logs(state) {
  try {
    const lines = readFileSync(join(state, 'soci.log'), 'utf8').split('\n')
    const last = lines.filter((line) => /"level":"(warning|error|fatal)"/.test(line)).at(-1)
    return last === undefined ? '' : `; the snapshotter says: ${last.slice(0, 600)}`
  } catch {
    return '' // no snapshotter, or state in memory, which has gone
  }
}

async function freePort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

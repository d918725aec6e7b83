// A registry of this project's own, in this process, that counts what its clients ask for and what passes over the wire.
import { subscribe } from 'node:diagnostics_channel'
import { layoutRepositories, serveRegistry } from '../packages/oci/dist/src/index.js'

/**
 * @typedef {object} Traffic since the last time it was asked for
 * @property {number} requests
 * @property {number} writes requests that change something: all but GET and HEAD
 * @property {number} read bytes that clients have read, headers and all
 * @property {number} sent bytes that clients have sent
 */

/**
 * @param {string} folder of layouts, one for each repository; may be empty
 * @returns {Promise<{ readonly host: string, traffic(): Traffic, close(): Promise<void> }>}
 */
export async function startDemoRegistry(folder) {
  const sockets = []
  const methods = []
  subscribe('net.server.socket', ({ socket }) => sockets.push(socket))
  subscribe('http.server.request.start', ({ request }) => methods.push(request.method))
  const server = await serveRegistry({ repositories: await layoutRepositories(folder, { write: true }) })
  const total = () => ({
    requests: methods.length,
    writes: methods.filter((method) => method !== 'GET' && method !== 'HEAD').length,
    read: sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
    sent: sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
  })
  let before = total()
  return {
    host: server.host,
    traffic() {
      const now = total()
      const since = Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - before[name]]))
      before = now
      return since
    },
    close: () => server.close(),
  }
}

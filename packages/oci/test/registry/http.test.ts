import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Http } from '../../src/registry/http.js'
import { listen } from '../doubles/listen.js'

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

const answers: readonly (readonly [string, (request: IncomingMessage, response: ServerResponse) => void])[] = [
  ['is answered early', (_, response) => void response.writeHead(413, { 'content-length': 0 }).end()],
  ['breaks at once', ({ socket }) => void socket.resetAndDestroy()],
  ['breaks later', ({ socket }) => void setTimeout(() => socket.resetAndDestroy(), 50)],
]

for (const [name, answer] of answers)
  test(`an upload that ${name} leaves nothing that keeps the process`, async (t) => {
    const server = await listen(answer)
    t.after(() => server.close())
    const http = new Http()
    t.after(() => http.close())
    const before = timers()
    // One chunk, more than the connection holds: undici asks for the next one only when the connection has ended.
    const body = async function* () {
      yield new Uint8Array(8 << 20)
    }
    const headers = { 'content-length': String(8 << 20) }
    const sent = http.send({ method: 'PUT', url: new URL(server.url), headers, body })
    await sent.then(
      (response) => response.discard(),
      () => {},
    )
    for (let waited = 0; timers() > before && waited < 5000; waited += 20) await sleep(20)
    assert.equal(timers(), before)
  })

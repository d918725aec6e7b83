// What a user learns while a registry keeps the work waiting.
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Http } from '../../src/registry/http.js'
import { retrying } from '../../src/registry/retry.js'
import { TransientError } from '../../src/registry/transient.js'
import { listen } from '../doubles/listen.js'
import { all, openRepository } from './open.js'

const POLICY = { retries: 6, delay: 1, longestDelay: 4, longestRetryAfter: 60_000 }

/** Accepts connections and never says a word. */
async function silentServer(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const status of [408, 429, 500, 503])
  test(`each retry after ${status} is reported with host, pause and count`, async (t) => {
    let refusals = 0
    const server = await listen(({ url }, response) => {
      if (url === '/v2/' || refusals === 2) return void response.end('{"tags":["a"]}')
      refusals++
      response.writeHead(status).end()
    })
    t.after(() => server.close())
    const notices: string[] = []
    const onNotice = (message: string) => void notices.push(message)
    const store = await openRepository(t, server.host, 'app', { onNotice })
    assert.deepEqual(await all(store.tags({})), ['a'])
    assert.deepEqual(notices, [
      `${status} from ${server.host}: trying again in 0.1 s (1 of 6)`,
      `${status} from ${server.host}: trying again in 0.1 s (2 of 6)`,
    ])
  })

test('a retry is reported with the pause that Retry-After asks for', async () => {
  const abort = new AbortController()
  const notices: string[] = []
  const onRetry = (message: string) => {
    notices.push(message)
    abort.abort(new Error('seen'))
  }
  const run = retrying({ ...POLICY, onRetry }, abort.signal, async () => {
    throw new TransientError('RATE_LIMITED', 'long', { retryAfter: 4000, brief: '429 from registry.example' })
  })
  await assert.rejects(run, /seen/)
  assert.deepEqual(notices, ['429 from registry.example: trying again in 4 s (1 of 6)'])
})

test('no retry is reported where none is made', async () => {
  const notices: string[] = []
  const policy = { ...POLICY, retries: 1, onRetry: (message: string) => void notices.push(message) }
  const failures = [
    new TransientError('RATE_LIMITED', 'asks for too long a pause', { retryAfter: 61_000 }),
    new TypeError('a fault of the program'),
  ]
  for (const failure of failures)
    await assert.rejects(
      retrying(policy, undefined, async () => {
        throw failure
      }),
      failure,
    )
  assert.deepEqual(notices, [])
  const last = new TransientError('UNREACHABLE', 'again and again')
  await assert.rejects(
    retrying(policy, undefined, async () => {
      throw last
    }),
    last,
  )
  assert.deepEqual(notices, ['again and again: trying again in 0.1 s (1 of 1)'])
})

test('a registry that accepts and never answers is reported, and its failure is not taken for one of TLS', async (t) => {
  const host = await silentServer(t)
  const notices: string[] = []
  const onNotice = (message: string) => void notices.push(message)
  const opened = openRepository(t, host, 'app', { silenceNotice: 500, answerTimeout: 1000, onNotice })
  await assert.rejects(
    opened.then((store) => all(store.tags({}))),
    { code: 'UNREACHABLE', message: `GET http://${host}/v2/: no answer in 1 seconds` },
  )
  assert.deepEqual(notices, [`${host} accepted the request but has not answered for 0.5 s: still waiting`])
})

test('a server that never finishes the TLS handshake is reported as one without a connection', async (t) => {
  const host = await silentServer(t)
  let report: (message: string) => void = () => {}
  const notice = new Promise<string>((resolve) => {
    report = resolve
  })
  const http = new Http({ silenceNotice: 20, onNotice: (message) => report(message) })
  const abort = new AbortController()
  const sent = http.send({ method: 'GET', url: new URL(`https://${host}/v2/`), signal: abort.signal })
  sent.catch(() => {})
  assert.equal(await notice, `no TLS connection to ${host} after 0.02 s: still waiting`)
  abort.abort(new Error('enough'))
  await http.close()
  await assert.rejects(sent, /enough/)
})

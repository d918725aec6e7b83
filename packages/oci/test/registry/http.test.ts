import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHUNK_SIZE, ChunkPool } from '../../src/registry/chunk-pool.js'
import { Http } from '../../src/registry/http.js'
import { listen } from '../doubles/listen.js'
import { noise } from '../images.js'

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

test('a long head that comes in pieces, after a body on the same connection, is not written over', async (t) => {
  const body = noise(1 << 20)
  const long = 'abcdefghij'.repeat(5000)
  let connections = 0
  // As bytes, since Node's own server would send a head whole
  const server = createServer({ noDelay: true }, (socket) => {
    connections++
    socket.on('error', () => {})
    socket.on('data', async () => {
      const head = `HTTP/1.1 200 OK\r\nx-long: ${long}\r\ncontent-length: ${body.length}\r\n\r\n`
      for (let at = 0; at < head.length; at += 9000) {
        socket.write(head.slice(at, at + 9000))
        await sleep(5)
      }
      socket.write(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const http = new Http()
  t.after(() => http.close())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  for (let i = 0; i < 4; i++) {
    const response = await http.send({ method: 'GET', url })
    assert.equal(response.header('x-long'), long)
    assert.deepEqual(await response.bytes(2 << 20), body)
  }
  assert.ok(connections < 4, 'a connection was used again')
})

test('a body that is held back, and taken in pieces, comes whole', async (t) => {
  const body = noise(3 << 20)
  const server = await listen((_, response) => void response.end(body))
  t.after(() => server.close())
  const http = new Http()
  t.after(() => http.close())
  const response = await http.send({ method: 'GET', url: new URL(server.url) })
  const chunks: Uint8Array[] = []
  await response.deliver((chunk) => {
    chunks.push(new Uint8Array(chunk))
    return chunks.length % 3 === 0 ? sleep(2) : undefined
  })
  assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), body)
  const second = await http.send({ method: 'GET', url: new URL(server.url) })
  let size = 0
  await second.deliver((chunk) => {
    size += chunk.length
    return size > 1_000_000 ? false : undefined
  })
  assert.ok(size < body.length, 'no more than was wanted')
  const third = await http.send({ method: 'GET', url: new URL(server.url) })
  const reason = new Error('not this')
  const refused = third.deliver(() => {
    throw reason
  })
  await assert.rejects(refused, reason)
})

test('chunks: what one download has done with, another takes; more than may be held is let go of', () => {
  const pool = new ChunkPool(2 * CHUNK_SIZE)
  const taken = [pool.take(), pool.take(), pool.take()]
  for (const chunk of taken) pool.give(chunk)
  const again = [pool.take(), pool.take(), pool.take()]
  assert.equal(again.filter((chunk) => taken.includes(chunk)).length, 2)
  pool.lose(3)
  const [last] = [pool.take()]
  pool.give(last!)
  assert.equal(pool.take(), last)
})

test('connections are kept after HEAD, and a body that a server sends all the same does no harm', async (t) => {
  let connections = 0
  let body = ''
  // As bytes, since Node's own server would not send the body
  const server = createServer((socket) => {
    connections++
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const isHead = data.toString().startsWith('HEAD')
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n${isHead ? body : 'ok'}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const http = new Http()
  t.after(() => http.close())
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const head = async () => (await http.send({ method: 'HEAD', url })).status
  for (let i = 0; i < 20; i++) assert.equal(await head(), 200)
  assert.ok(connections <= 2, `${connections} connections`)
  body = 'HTTP/1.1 404 Not Found\r\n\r\n'
  const read = async () => new TextDecoder().decode(await (await http.send({ method: 'GET', url })).bytes(100))
  for (let i = 0; i < 5; i++) {
    assert.equal(await head(), 200)
    // What came too much ends the connection, and that is tried again
    const text = await read().catch(read)
    assert.equal(text, 'ok')
  }
})

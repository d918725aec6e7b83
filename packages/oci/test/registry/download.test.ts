// How a download goes: how much is asked for, held, and given back.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RegistryClient } from '../../src/registry/client.js'
import { openRegistry } from '../../src/registry/registry-store.js'
import { Registry } from '../../src/server/registry.js'
import { serveRegistry } from '../../src/server/registry-server.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { startConnectProxy } from '../doubles/connect-proxy.js'
import { type FaultProxy, startFaultProxy } from '../doubles/fault-proxy.js'
import { listen } from '../doubles/listen.js'
import { collect, describe, noise, pushImage, smallImage } from '../images.js'
import { openRepository, QUICK } from './open.js'

const MIB = 1 << 20
const big = noise(20 * MIB)
const layer = describe('x', big)

async function scene(t: TestContext, memory: number) {
  const server = await serveRegistry({ repositories: memoryRepositories() })
  const proxy = await startFaultProxy({ target: server.url })
  const client = new RegistryClient({ ...QUICK, memory })
  t.after(async () => {
    await client.close()
    await proxy.close()
    await server.close()
  })
  const store = await openRegistry({ registry: proxy.host, repository: 'app' }, client)
  await store.push(layer, big)
  return { proxy, client, store }
}

const ranges = ({ requests }: FaultProxy) => requests.filter(({ headers }) => headers.range !== undefined)

test('a reader that stops is waited for, and nothing is read beyond the memory', async (t) => {
  const { proxy, client, store } = await scene(t, 5 * MIB)
  const reading = store.fetch(layer)[Symbol.asyncIterator]()
  await reading.next()
  await new Promise((resolve) => setTimeout(resolve, 200)) // time to read as much as there is
  assert.equal(ranges(proxy).length, 5)
  assert.ok(client.budget.taken <= 5 * MIB && client.budget.taken >= 4 * MIB)
  await reading.return?.(undefined)
  assert.equal(client.budget.taken, 0)
})

test('several downloads share the memory, and give it back', async (t) => {
  const { client, store } = await scene(t, 5 * MIB)
  let most = 0
  const read = async () => {
    const chunks: Uint8Array[] = []
    for await (const chunk of store.fetch(layer)) {
      chunks.push(chunk)
      most = Math.max(most, client.budget.taken)
    }
    return new Uint8Array(Buffer.concat(chunks))
  }
  for (const bytes of await Promise.all([read(), read(), read(), read(), read()])) assert.deepEqual(bytes, big)
  assert.ok(most <= 5 * MIB)
  assert.equal(client.budget.taken, 0)
})

test('downloads that hold each other up come to their end', async (t) => {
  const { client, store } = await scene(t, 5 * MIB)
  // One reader takes a chunk of each in turn, from many at once.
  const readers = Array.from({ length: 12 }, () => store.fetch(layer)[Symbol.asyncIterator]())
  const sizes = readers.map(() => 0)
  for (let open = readers.length; open > 0; )
    for (const [i, reader] of readers.entries()) {
      const next = await reader.next()
      if (next.done) open = sizes.every((size) => size === layer.size) ? 0 : open
      else sizes[i]! += next.value.length
    }
  assert.ok(sizes.every((size) => size === layer.size))
  assert.equal(client.budget.taken, 0)
})

test('without any memory it goes on at the reader’s pace', async (t) => {
  const { proxy, store } = await scene(t, 0)
  assert.deepEqual(await collect(store.fetch(layer)), big)
  assert.equal(ranges(proxy).length, 20)
})

test('memory is given back after a failure, and after a call that is called off', async (t) => {
  const { proxy, client, store } = await scene(t, 5 * MIB)
  proxy.setFault(({ headers }) =>
    headers.range?.startsWith('bytes=3145728-') ? { kind: 'answer', status: 404 } : undefined,
  )
  await assert.rejects(collect(store.fetch(layer)), { code: 'NOT_FOUND' })
  assert.equal(client.budget.taken, 0)
  proxy.setFault(undefined)
  const abort = new AbortController()
  const reading = (async () => {
    for await (const _ of store.fetch(layer, { signal: abort.signal })) abort.abort(new Error('enough'))
  })()
  await assert.rejects(reading, /enough/)
  assert.equal(client.budget.taken, 0)
})

test('a small range of a large blob is one request of that size', async (t) => {
  const { proxy, store } = await scene(t, 5 * MIB)
  const before = proxy.requests.length
  assert.deepEqual(
    await collect(store.fetch(layer, { start: 7_000_000, end: 7_004_096 })),
    big.slice(7_000_000, 7_004_096),
  )
  assert.deepEqual(
    proxy.requests.slice(before).map(({ headers }) => headers.range),
    ['bytes=7000000-7004095'],
  )
})

test('a proxy by HTTP_PROXY and NO_PROXY; this machine is spoken to directly', async (t) => {
  const registry = new Registry({ repositories: memoryRepositories() })
  const server = await listen((request, response) => registry.handle(request, response))
  // Whatever the name, the registry above is what is found behind it.
  const proxy = await startConnectProxy(() => server.host)
  const before = process.env.HTTP_PROXY
  process.env.HTTP_PROXY = proxy.url
  t.after(async () => {
    if (before === undefined) delete process.env.HTTP_PROXY
    else process.env.HTTP_PROXY = before
    await proxy.close()
    await server.close()
    await registry.close()
  })
  const image = smallImage([{ name: 'a', data: 'first' }])
  const store = await openRepository(t, 'registry.test', 'app', { plainHttp: true })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  assert.ok(proxy.asked.length > 0)
  assert.ok(
    proxy.asked.every((url) => url.startsWith('http://registry.test/v2/')),
    proxy.asked.join(),
  )
  const count = proxy.asked.length
  const direct = await openRepository(t, server.host, 'app')
  assert.deepEqual(await direct.resolve('v1'), image.manifest)
  assert.equal(proxy.asked.length, count)
})

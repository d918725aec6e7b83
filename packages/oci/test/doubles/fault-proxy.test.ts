import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { noise } from '../images.js'
import { type Fault, tooMany } from './fault.js'
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './fault-proxy.js'
import { startLink } from './link.js'
import { listen } from './listen.js'

const body = noise(300_000)

const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))
after(() => assert.deepEqual(warnings, [], 'no listener is left behind'))

/** A server that answers GET with `body` and PUT with the length of what it got, and a proxy before it. */
async function start(t: TestContext, fault?: FaultProxyOptions['fault']): Promise<FaultProxy & { served(): number }> {
  let served = 0
  const server = await listen(async (request, response) => {
    served++
    let length = 0
    for await (const chunk of request) length += (chunk as Uint8Array).length
    const answer = request.method === 'GET' ? body : Buffer.from(String(length))
    response.writeHead(200, { 'content-length': answer.length, etag: '"x"' }).end(answer)
  })
  t.after(() => server.close())
  const proxy = await startFaultProxy({ target: server.url, ...(fault && { fault }) })
  t.after(() => proxy.close())
  return { ...proxy, served: () => served }
}

/** The bytes that come before the answer ends or breaks. */
async function read(url: string): Promise<{ status: number; bytes: Buffer; broken: boolean; length: string | null }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
  const chunks: Uint8Array[] = []
  let broken = false
  try {
    for await (const chunk of response.body!) chunks.push(chunk)
  } catch {
    broken = true
  }
  return {
    status: response.status,
    bytes: Buffer.concat(chunks),
    broken,
    length: response.headers.get('content-length'),
  }
}

test('fault proxy: passes both ways, and records', async (t) => {
  const proxy = await start(t)
  assert.deepEqual((await read(`${proxy.url}/a?b=c`)).bytes, Buffer.from(body))
  const put = await fetch(`${proxy.url}/a`, { method: 'PUT', body, headers: { 'x-mark': 'm' } })
  assert.equal(await put.text(), '300000')
  assert.deepEqual(
    proxy.requests.map(({ number, attempt, method, path }) => [number, attempt, method, path]),
    [
      [1, 1, 'GET', '/a?b=c'],
      [2, 1, 'PUT', '/a'],
    ],
  )
  assert.equal(proxy.requests[1]!.headers['x-mark'], 'm')
  assert.equal(proxy.bytes.received, 300_000)
})

const cases: readonly { readonly fault: Fault; readonly expect: Partial<Awaited<ReturnType<typeof read>>> }[] = [
  { fault: { kind: 'cut', after: 0 }, expect: { bytes: Buffer.alloc(0), broken: true, length: '300000' } },
  { fault: { kind: 'cut', after: 100_001 }, expect: { bytes: Buffer.from(body.slice(0, 100_001)), broken: true } },
  { fault: { kind: 'short', after: 7 }, expect: { bytes: Buffer.from(body.slice(0, 7)), broken: false, length: '7' } },
  { fault: { kind: 'wrong-length', by: 5 }, expect: { bytes: Buffer.from(body), broken: true, length: '300005' } },
  { fault: { kind: 'wrong-length', by: -5 }, expect: { bytes: Buffer.from(body.slice(0, -5)), length: '299995' } },
  { fault: { kind: 'drip', bytes: 100_000, every: 5 }, expect: { bytes: Buffer.from(body), broken: false } },
  { fault: { kind: 'headers', headers: { etag: undefined } }, expect: { bytes: Buffer.from(body), broken: false } },
  { fault: { kind: 'answer', status: 500, body: 'no' }, expect: { status: 500, bytes: Buffer.from('no') } },
  { fault: { kind: 'none', delay: 20 }, expect: { bytes: Buffer.from(body), broken: false } },
]

for (const { fault, expect } of cases)
  test(`fault proxy: ${JSON.stringify(fault)}`, async (t) => {
    const proxy = await start(t, () => fault)
    const result = await read(`${proxy.url}/`)
    for (const [name, value] of Object.entries(expect))
      assert.deepEqual(result[name as keyof typeof result], value, name)
  })

test('fault proxy: wrong bytes', async (t) => {
  const proxy = await start(t, () => ({ kind: 'wrong-bytes', at: 123_456 }))
  const { bytes } = await read(`${proxy.url}/`)
  assert.deepEqual(
    [...bytes.keys()].filter((i) => bytes[i] !== body[i]),
    [123_456],
  )
})

test('fault proxy: failures in a row, then it passes', async (t) => {
  const proxy = await start(t, ({ attempt }) => (attempt <= 2 ? tooMany(1) : undefined))
  const answers = [await fetch(proxy.url), await fetch(proxy.url), await fetch(proxy.url)]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [429, 429, 200],
  )
  assert.equal(answers[0]!.headers.get('retry-after'), '1')
  assert.equal(proxy.served(), 1)
  await Promise.all(answers.map((answer) => answer.arrayBuffer()))
})

test('fault proxy: a reset before the effect, and one after it', async (t) => {
  const proxy = await start(t, ({ attempt }) => ({ kind: 'reset', when: attempt === 1 ? 'before' : 'after' }))
  await assert.rejects(fetch(proxy.url, { method: 'PUT', body: 'x' }))
  assert.equal(proxy.served(), 0)
  await assert.rejects(fetch(proxy.url, { method: 'PUT', body: 'x' }))
  assert.equal(proxy.served(), 1)
})

test('fault proxy: an upload that is cut', async (t) => {
  const proxy = await start(t, () => ({ kind: 'cut-request', after: 1000 }))
  await assert.rejects(fetch(proxy.url, { method: 'PUT', body }))
  assert.equal(proxy.bytes.received, 1000)
})

test('fault proxy: silence, at once and in the middle', async (t) => {
  const proxy = await start(t, ({ attempt }) => (attempt === 1 ? { kind: 'hang' } : { kind: 'stall', after: 1000 }))
  await assert.rejects(fetch(proxy.url, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' })
  const response = await fetch(proxy.url, { signal: AbortSignal.timeout(200) })
  let length = 0
  await assert.rejects(
    async () => {
      for await (const chunk of response.body!) length += chunk.length
    },
    { name: 'TimeoutError' },
  )
  assert.equal(length, 1000)
})

test('fault proxy: a body without an end', async (t) => {
  const proxy = await start(t, () => ({ kind: 'endless' }))
  const response = await fetch(proxy.url)
  assert.equal(response.headers.get('content-length'), null)
  let length = 0
  for await (const chunk of response.body!) {
    length += chunk.length
    if (length > 5_000_000) break
  }
})

test('fault proxy: a redirect to a host that records, and one to itself', async (t) => {
  const other = await start(t)
  const proxy = await start(t, ({ path }) =>
    path === '/loop' ? { kind: 'redirect-loop' } : { kind: 'redirect', to: other.url },
  )
  const { bytes } = await read(`${proxy.url}/a?b=c`)
  assert.equal(bytes.length, body.length)
  assert.equal(other.requests[0]!.path, '/a?b=c')
  assert.equal(proxy.served(), 0)
  await assert.rejects(fetch(`${proxy.url}/loop`)) // fetch gives up after 20
  assert.ok(proxy.requests.length > 10)
})

test('link: carries bytes unchanged, no faster than it may', async (t) => {
  const proxy = await start(t)
  const link = await startLink({ target: proxy.host, bytesPerSecond: 1_000_000, latency: 20 })
  t.after(() => link.close())
  const started = performance.now()
  const [first, second] = await Promise.all([read(`${link.url}/1`), read(`${link.url}/2`)])
  const elapsed = performance.now() - started
  assert.deepEqual(first.bytes, Buffer.from(body))
  assert.deepEqual(second.bytes, Buffer.from(body))
  assert.ok(elapsed > 600 + 40 - 10, `${elapsed} ms`) // 600,000 bytes and one round trip
  assert.ok(link.bytes.down > 600_000 && link.bytes.down < 610_000)
  const put = await fetch(link.url, { method: 'PUT', body })
  assert.equal(await put.text(), '300000')
})

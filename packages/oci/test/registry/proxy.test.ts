import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Http } from '../../src/registry/http.js'
import { proxiesFrom } from '../../src/registry/proxy.js'
import { TransientError } from '../../src/registry/transient.js'
import { startConnectProxy } from '../doubles/connect-proxy.js'
import { listen } from '../doubles/listen.js'

const https = new URL('https://registry.corp.example/v2/')
const http = new URL('http://registry.corp.example/v2/')

for (const [environment, url, expected] of [
  [{}, https, undefined],
  [{ HTTPS_PROXY: '' }, https, undefined],
  [{ HTTPS_PROXY: 'proxy.corp:3128' }, https, 'http://proxy.corp:3128/'],
  [{ HTTPS_PROXY: 'proxy' }, https, 'http://proxy/'],
  [{ HTTPS_PROXY: '10.1.2.3:8080' }, https, 'http://10.1.2.3:8080/'],
  [{ HTTPS_PROXY: '[fd00::1]:8080' }, https, 'http://[fd00::1]:8080/'],
  [{ HTTPS_PROXY: 'https://proxy.corp:3128/' }, https, 'https://proxy.corp:3128/'],
  [{ HTTPS_PROXY: 'HTTP://proxy.corp:3128' }, https, 'http://proxy.corp:3128/'],
  [{ https_proxy: 'lower:1', HTTPS_PROXY: 'upper:2' }, https, 'http://lower:1/'],
  [{ https_proxy: '', HTTPS_PROXY: 'upper:2' }, https, 'http://upper:2/'],
  [{ HTTP_PROXY: 'proxy:1' }, https, undefined],
  [{ HTTP_PROXY: 'proxy:1' }, http, 'http://proxy:1/'],
  [{ HTTPS_PROXY: 'proxy:1' }, http, undefined],
  [{ ALL_PROXY: 'proxy:1' }, https, 'http://proxy:1/'],
  [{ all_proxy: 'proxy:1', HTTP_PROXY: 'other:2' }, http, 'http://other:2/'],
] as const)
  test(`the proxy of ${url.protocol} with ${JSON.stringify(environment)}`, () => {
    assert.equal(proxiesFrom(environment)(url)?.url.href, expected)
  })

for (const [list, address, direct] of [
  ['registry.corp.example', 'https://registry.corp.example/', true],
  ['corp.example', 'https://registry.corp.example/', true],
  ['.corp.example', 'https://registry.corp.example/', true],
  ['.corp.example', 'https://corp.example/', true],
  ['*.corp.example', 'https://registry.corp.example/', true],
  ['orp.example', 'https://registry.corp.example/', false],
  ['CORP.Example', 'https://Registry.corp.example./', true],
  ['corp.example.', 'https://registry.corp.example/', true],
  ['registry.corp.example:5000', 'https://registry.corp.example/', false],
  ['registry.corp.example:5000', 'https://registry.corp.example:5000/', true],
  ['registry.corp.example:443', 'https://registry.corp.example/', true],
  ['a, b ,corp.example', 'https://registry.corp.example/', true],
  ['*', 'https://registry.corp.example/', true],
  ['10.0.0.0/8', 'https://10.200.3.4:5000/', true],
  ['10.0.0.0/8', 'https://11.0.0.1/', false],
  ['10.0.0.0/33', 'https://10.0.0.1/', false],
  ['10.0.0.0/8', 'https://registry.corp.example/', false],
  ['10.1.2.3', 'https://10.1.2.3/', true],
  ['10.1.2.3:5000', 'https://10.1.2.3:443/', false],
  ['2.3', 'https://10.1.2.3/', false],
  ['fd00::/8', 'https://[fd12::1]:5000/', true],
  ['fd12::1', 'https://[fd12::1]:5000/', true],
  ['[fd12::1]:5000', 'https://[fd12::1]:5000/', true],
  ['[fd12::1]:5001', 'https://[fd12::1]:5000/', false],
  ['', 'https://127.0.0.1:5000/', true],
  ['', 'https://localhost:5000/', true],
  ['', 'https://[::1]:5000/', true],
] as const)
  test(`NO_PROXY="${list}" and ${address}: ${direct ? 'direct' : 'through the proxy'}`, () => {
    for (const name of ['NO_PROXY', 'no_proxy'])
      assert.equal(proxiesFrom({ HTTPS_PROXY: 'proxy:1', [name]: list })(new URL(address)) === undefined, direct)
  })

test('what is not an address of an HTTP proxy is refused, and its value is in no message', () => {
  for (const HTTPS_PROXY of [
    'socks5://user:secret@proxy:1',
    'http://',
    'http://user:secret@',
    'ftp://secret',
    'a b:secret',
  ])
    assert.throws(
      () => proxiesFrom({ HTTPS_PROXY })(https),
      ({ code, message }) => code === 'UNREACHABLE' && /HTTPS_PROXY/.test(message) && !message.includes('secret'),
      HTTPS_PROXY,
    )
})

test('a login in the address goes to the proxy, its parts decoded', () => {
  const { authorization, url } = proxiesFrom({ HTTPS_PROXY: 'user:p%40ss%3Aword@proxy:1' })(https)!
  assert.equal(authorization, `Basic ${Buffer.from('user:p@ss:word').toString('base64')}`)
  assert.equal(url.href, 'http://proxy:1/')
})

test('plain HTTP is sent to the proxy as it is: no tunnel, and the login of the proxy reaches nobody else', async (t) => {
  const seen: Record<string, unknown>[] = []
  const server = await listen((request, response) => {
    seen.push({ ...request.headers, url: request.url })
    response.end('answer')
  })
  const proxy = await startConnectProxy(() => server.host, { login: 'user:secret' })
  const client = new Http({ environment: { HTTP_PROXY: `user:secret@${proxy.host}` } })
  t.after(async () => {
    for (const one of [client, proxy, server]) await one.close()
  })
  const response = await client.send({ method: 'GET', url: new URL('http://registry.corp.example:5000/v2/?a=1') })
  assert.equal(Buffer.from(await response.bytes(100)).toString(), 'answer')
  assert.deepEqual(proxy.asked, ['http://registry.corp.example:5000/v2/?a=1'])
  assert.equal(seen[0]!.url, '/v2/?a=1')
  assert.equal(seen[0]!.host, 'registry.corp.example:5000')
  assert.equal(seen[0]!['proxy-authorization'], undefined)
})

for (const [status, words, transient] of [
  [407, /requires a login, as in http:\/\/USER:PASSWORD@/, false],
  [403, /does not let this host through/, false],
  [502, /cannot reach the host/, true],
] as const)
  for (const scheme of ['https', ...(status === 407 ? ['http'] : [])])
    test(`${scheme}: a proxy that answers ${status} is named, without its login${transient ? '' : ', for good'}`, async (t) => {
      const proxy = await startConnectProxy(() => undefined, { refuse: status })
      const address = `http://user:secret@${proxy.host}`
      const client = new Http({ environment: { HTTPS_PROXY: address, HTTP_PROXY: address } })
      t.after(async () => {
        for (const one of [client, proxy]) await one.close()
      })
      await assert.rejects(
        client.send({ method: 'GET', url: new URL(`${scheme}://registry.corp.example/v2/`) }),
        (error) => {
          assert.ok(error instanceof Error)
          assert.equal(error instanceof TransientError, transient)
          assert.match(error.message, words)
          assert.ok(error.message.includes(proxy.host) && !error.message.includes('secret'))
          return true
        },
      )
      assert.equal(proxy.asked.length, 1)
    })

test('an error of the program itself is not taken for one of the network', async (t) => {
  const client = new Http({ environment: {} })
  t.after(() => client.close())
  const mistake = new TypeError('x is not a function')
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1)
    throw mistake
  }
  const server = await listen((request, response) => {
    request.resume()
    request.on('end', () => response.end())
  })
  t.after(() => server.close())
  await assert.rejects(client.send({ method: 'PUT', url: new URL(server.url), body }), mistake)
})

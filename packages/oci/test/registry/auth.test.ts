// Logins: what is asked for, what is sent where, and what never is.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { StoreError } from '../../src/error.js'
import type { RegistryOptions } from '../../src/registry/client.js'
import type { Credential, Credentials } from '../../src/registry/credentials/credential.js'
import type { RegistryStore } from '../../src/registry/registry-store.js'
import { Registry } from '../../src/server/registry.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { type Certificate, selfSignedCertificate } from '../doubles/certificate.js'
import { type FaultProxy, startFaultProxy } from '../doubles/fault-proxy.js'
import { listen } from '../doubles/listen.js'
import { BASIC_PASSWORD, BASIC_USER, startDockerRegistry } from '../doubles/real-registries.js'
import { startTokenServer, type TokenServer, type TokenServerOptions } from '../doubles/token-server.js'
import { collect, describe, noise, pushImage, smallImage } from '../images.js'
import { openRepository } from './open.js'

const image = smallImage([{ name: 'a', data: 'first' }])
const LOGIN: Credential = { kind: 'password', username: BASIC_USER, password: BASIC_PASSWORD, source: 'the test' }
const SECRETS = [BASIC_PASSWORD, Buffer.from(`${BASIC_USER}:${BASIC_PASSWORD}`).toString('base64')]

interface Guarded {
  readonly tokens: TokenServer
  /** Before the registry: what came there. */
  readonly proxy: FaultProxy
  open(credentials?: Credentials, options?: RegistryOptions): Promise<RegistryStore>
}

/** A registry of ours behind a token server, so that tokens can be ended at once. */
async function guarded(t: TestContext, options: TokenServerOptions = {}): Promise<Guarded> {
  const tokens = await startTokenServer(options)
  const registry = new Registry({ repositories: memoryRepositories() })
  const server = await listen(tokens.guard((request, response) => registry.handle(request, response)))
  const proxy = await startFaultProxy({ target: server.url })
  t.after(async () => {
    await proxy.close()
    await server.close()
    await tokens.close()
    await registry.close()
  })
  const open = (credentials: Credentials = async () => LOGIN, more: RegistryOptions = {}) =>
    openRepository(t, proxy.host, 'app', { ...more, credentials })
  return { tokens, proxy, open }
}

for (const field of ['token', 'access_token', 'both'] as const)
  test(`Bearer: docker-registry with a token as "${field}"`, async (t) => {
    const tokens = await startTokenServer({ field })
    t.after(() => tokens.close())
    const registry = await startDockerRegistry(t, { auth: tokens.auth })
    if (registry === undefined) return
    const store = await openRepository(t, registry.host, 'deep/app', { credentials: async () => LOGIN })
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    assert.deepEqual(await store.resolve('v1'), image.manifest)
    // The first request names both, as the token is to be good for the push that begins.
    assert.deepEqual(
      tokens.requests.map(({ method, grant, scopes, service }) => [method, grant, scopes, service]),
      [['GET', 'basic', ['repository:deep/app:pull,push'], tokens.auth.service]],
    )
    const other = await openRepository(t, registry.host, 'other', { credentials: async () => LOGIN })
    await pushImage(other, image)
    const source = await openRepository(t, registry.host, 'deep/app', { credentials: async () => LOGIN })
    await collect(source.fetch(image.layers[0]!))
    assert.deepEqual(tokens.requests.at(-1)!.scopes, ['repository:deep/app:pull'])
  })

test('Bearer: a mount asks for both repositories', async (t) => {
  const tokens = await startTokenServer()
  t.after(() => tokens.close())
  const registry = await startDockerRegistry(t, { auth: tokens.auth })
  if (registry === undefined) return
  const login = { credentials: async () => LOGIN }
  const source = await openRepository(t, registry.host, 'source', login)
  await pushImage(source, image)
  const destination = await openRepository(t, registry.host, 'destination', login)
  assert.ok(await destination.mount(image.layers[0]!, source))
  assert.deepEqual(tokens.requests.at(-1)!.scopes, ['repository:destination:pull,push', 'repository:source:pull'])
})

test('Bearer: nobody may pull, where anybody may', async (t) => {
  const { tokens, open } = await guarded(t, { anonymous: ['pull'] })
  await pushImage(await open(), image)
  const anonymous = await open(async () => undefined)
  assert.deepEqual(await collect(anonymous.fetch(image.layers[0]!)), image.layerBytes[0])
  assert.deepEqual([tokens.requests.at(-1)!.grant, tokens.requests.at(-1)!.user], ['none', ''])
  const other = smallImage([{ name: 'b', data: 'other' }])
  await assert.rejects(pushImage(anonymous, other), {
    code: 'UNAUTHORIZED',
    message: /there is no login for 127.*docker login/,
  })
})

test('Bearer: tokens are renewed before they end, and when they have ended, once for all requests', async (t) => {
  const { tokens, proxy, open } = await guarded(t)
  const store = await open(undefined, { memory: 5 << 20 })
  const big = noise(6 << 20)
  const layer = describe('x', big)
  await store.push(layer, big)
  await pushImage(store, image)
  assert.equal(tokens.requests.length, 1)
  let first = true
  const chunks: Uint8Array[] = []
  for await (const chunk of store.fetch(layer)) {
    chunks.push(chunk)
    if (first) tokens.expireAll()
    first = false
  }
  assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), big)
  tokens.expireAll()
  const before = tokens.requests.length
  await Promise.all(image.layers.concat(image.config, layer).map((descriptor) => collect(store.fetch(descriptor))))
  await Promise.all([store.resolve(image.manifest.digest), store.exists(layer), store.exists(image.config)])
  assert.equal(tokens.requests.length, before + 1)
  // An upload, whose content can be read once, meets no ended token: it is asked for with the request before.
  tokens.expireAll()
  const bytes = noise(2000, 'upload')
  await store.push(
    describe('x', bytes),
    (function* () {
      yield bytes
    })(),
  )
  assert.ok(proxy.requests.length > 0)
})

test('Bearer: where all tokens have ended at once, none of that time is tried in place of another', async (t) => {
  const { tokens, open } = await guarded(t)
  await pushImage(await open(), image)
  const store = await open()
  const config = () => collect(store.fetch(image.config))
  await config() // its token is good for reading,
  const bytes = noise(1000, 'other')
  await store.push(describe('x', bytes), bytes) // and this one for that too
  const before = tokens.requests.length
  tokens.expireAll()
  assert.deepEqual(await config(), image.configBytes)
  assert.equal(tokens.requests.length, before + 1)
})

test('Bearer: a token that does not say how long it lives is good for a minute, a short one is renewed', async (t) => {
  for (const [expiresIn, requests] of [
    [undefined, 1],
    [3600, 1],
    [0.001, 4],
  ] as const) {
    const { tokens, open } = await guarded(t, { expiresIn })
    const store = await open()
    await assert.rejects(store.resolve('v1'), { code: 'NOT_FOUND' })
    const before = tokens.requests.length
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await store.exists(image.config)
    }
    assert.equal(tokens.requests.length - before, requests - 1)
  }
})

test('Bearer: an identity token is exchanged by POST', async (t) => {
  const { tokens, open } = await guarded(t)
  const token = tokens.identityToken(BASIC_USER)
  const store = await open(async () => ({ kind: 'identity-token', token, source: 'the test' }))
  await pushImage(store, image)
  assert.deepEqual(
    tokens.requests.map(({ method, grant, scopes }) => [method, grant, scopes]),
    [['POST', 'refresh_token', ['repository:app:pull,push']]],
  )
})

test('Bearer: a token of the registry’s own is sent as it is', async (t) => {
  const { tokens, proxy, open } = await guarded(t)
  const store = await open(async () => ({ kind: 'registry-token', token: 'abc', source: 'the test' }))
  await assert.rejects(store.resolve('v1'), { code: 'UNAUTHORIZED', message: /the test is not accepted/ })
  assert.equal(tokens.requests.length, 0)
  assert.equal(proxy.requests.at(-1)!.headers.authorization, 'Bearer abc')
  const broken = await open(async () => ({ kind: 'registry-token', token: 'a\r\nb: c', source: 'the test' }))
  await assert.rejects(broken.resolve('v1'), { code: 'PROTOCOL', message: /characters that a header cannot have/ })
})

test('Bearer: a login that is refused is followed by the next one, else the message says what to do', async (t) => {
  const { tokens, proxy, open } = await guarded(t)
  const wrong: Credential = { ...LOGIN, password: 'guessed', source: 'an old file' }
  const store = await open(async (_, { refused = [] } = {}) => (refused.length === 0 ? wrong : LOGIN))
  await pushImage(store, image)
  assert.deepEqual(
    tokens.requests.map(({ status }) => status),
    [401, 200],
  )
  const asked = tokens.requests.length
  const refused = await open(async (_, { refused: before = [], note } = {}) => {
    note?.('docker-credential-x is not installed')
    return before.length === 0 ? wrong : undefined
  })
  await assert.rejects(refused.resolve('v1'), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'UNAUTHORIZED')
    assert.match(
      error.message,
      /GET http:.*\/token\?.* answered 401 .*an old file is not accepted; docker-credential-x is not installed: docker login 127/,
    )
    assert.doesNotMatch(error.message, /guessed/)
    assert.match((error as StoreError).problem, /docker-credential-x is not installed$/) // for those without a command line
    return true
  })
  assert.equal(tokens.requests.length, asked + 1)
  assert.ok(proxy.requests.every(({ headers }) => !/^Basic/.test(headers.authorization ?? ''))) // only the token server gets it
})

test('Bearer: GET is not offered', async (t) => {
  const { tokens, open } = await guarded(t)
  const gate = await startFaultProxy({
    target: tokens.url,
    fault: ({ method }) => (method === 'GET' ? { kind: 'answer', status: 405 } : undefined),
  })
  t.after(() => gate.close())
  const store = await openThrough(t, open, gate)
  await assert.rejects(store.resolve('v1'), { code: 'NOT_FOUND' })
  assert.deepEqual(
    tokens.requests.map(({ method, grant }) => [method, grant]),
    [['POST', 'password']],
  )
})

/** The guarded registry, its challenges leading to another token server. */
async function openThrough(
  t: TestContext,
  open: Guarded['open'],
  tokens: { readonly url: string },
): Promise<RegistryStore> {
  const store = await open()
  const host = store.name.split('/')[0]!
  const challenge = `Bearer realm="${tokens.url}/token",service="registry.test",scope="repository:app:pull"`
  const proxy = await startFaultProxy({
    target: `http://${host}`,
    fault: ({ headers }) =>
      headers.authorization === undefined
        ? { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } }
        : undefined,
  })
  t.after(() => proxy.close())
  return openRepository(t, proxy.host, 'app', { credentials: async () => LOGIN })
}

for (const [name, fault, code, message] of [
  ['it answers 403', { kind: 'answer', status: 403 }, 'DENIED', /token.* answered 403/],
  ['it answers 404', { kind: 'answer', status: 404 }, 'NOT_FOUND', /token.* answered 404/],
  ['it gives no token', { kind: 'answer', status: 200, body: '{"token":7}' }, 'PROTOCOL', /gave no token/],
  ['it gives no JSON', { kind: 'answer', status: 200, body: '<' }, 'PROTOCOL', /gave no token/],
  ['its answer has no end', { kind: 'endless' }, 'PROTOCOL', /more than the limit of 1048576 bytes/],
  ['it redirects for ever', { kind: 'redirect-loop' }, 'PROTOCOL', /redirected more than/],
] as const)
  test(`Bearer: a token server that is broken: ${name}`, async (t) => {
    const { tokens, open } = await guarded(t)
    const gate = await startFaultProxy({ target: tokens.url, fault: () => fault })
    t.after(() => gate.close())
    const store = await openThrough(t, open, gate)
    await assert.rejects(store.resolve('v1'), { code, message })
  })

test('Bearer: a token server that is down for a moment', async (t) => {
  const { tokens, open } = await guarded(t)
  const gate = await startFaultProxy({
    target: tokens.url,
    fault: ({ number }) => (number <= 3 ? { kind: 'answer', status: 503 } : undefined),
  })
  t.after(() => gate.close())
  const store = await openThrough(t, open, gate)
  await assert.rejects(store.resolve('v1'), { code: 'NOT_FOUND' })
})

test('a token server that redirects gets the password sent nowhere else', async (t) => {
  const { tokens, open } = await guarded(t, { anonymous: ['pull'] })
  const elsewhere = await startFaultProxy({ target: tokens.url })
  const gate = await startFaultProxy({ target: tokens.url, fault: () => ({ kind: 'redirect', to: elsewhere.url }) })
  t.after(() => Promise.all([gate.close(), elsewhere.close()]))
  const store = await openThrough(t, open, gate)
  await assert.rejects(store.resolve('v1'), { code: 'NOT_FOUND' })
  assert.match(gate.requests[0]!.headers.authorization!, /^Basic/)
  assert.equal(elsewhere.requests.length, 1)
  assert.equal(elsewhere.requests[0]!.headers.authorization, undefined)
})

for (const [name, challenge, code, message] of [
  ['a realm that is not an address', 'Bearer realm="here"', 'PROTOCOL', /token realm that is not an address/],
  ['a realm that is a file', 'Bearer realm="file:///etc/passwd"', 'PROTOCOL', /not private/],
  ['a way that is not known', 'Negotiate', 'UNAUTHORIZED', /offers to log in by negotiate/],
  ['Bearer without a realm', 'Bearer service="x"', 'UNAUTHORIZED', /offers to log in by bearer/],
  ['no challenge', '', 'UNAUTHORIZED', /offers no way to log in/],
  ['a broken one', 'Bearer realm="x', 'PROTOCOL', /in an unknown form/],
] as const)
  test(`a challenge with ${name}`, async (t) => {
    const server = await listen((_, response) => void response.writeHead(401, { 'www-authenticate': challenge }).end())
    t.after(() => server.close())
    const store = await openRepository(t, server.host, 'app', { credentials: async () => LOGIN })
    await assert.rejects(store.resolve('v1'), { code, message })
  })

/** A TLS registry that wants its users' logins sent to an address. */
async function tlsRegistry(t: TestContext, certificate: Certificate, realm: string) {
  const server = await listen(
    (_, response) => void response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end(),
    { tls: certificate },
  )
  t.after(() => server.close())
  return server
}

test('a registry on TLS that wants the login sent in the clear', async (t) => {
  const tokens = await startTokenServer()
  t.after(() => tokens.close())
  const server = await tlsRegistry(t, selfSignedCertificate(), `${tokens.url}/token`)
  const options = { insecure: true, credentials: async () => LOGIN }
  const store = await openRepository(t, server.host, 'app', options)
  await assert.rejects(store.resolve('v1'), {
    code: 'PROTOCOL',
    message: /wants the login to be sent to http:.*not private/,
  })
  assert.equal(tokens.requests.length, 0)
})

test('TLS: a certificate that is not trusted, and one that is not to be checked', async (t) => {
  const certificate = selfSignedCertificate()
  const registry = await startDockerRegistry(t, { tls: certificate, auth: 'basic' })
  if (registry === undefined) return
  const login = { credentials: async () => LOGIN }
  const strict = await openRepository(t, registry.host, 'app', login).catch((error: unknown) => error as Error)
  const failure =
    strict instanceof Error ? strict : await strict.resolve('v1').catch((error: unknown) => error as Error)
  assert.ok(failure instanceof Error)
  assert.match(failure.message, /certificate of .* is not trusted .*NODE_EXTRA_CA_CERTS.*--insecure/)
  const store = await openRepository(t, registry.host, 'app', { ...login, insecure: true })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  assert.deepEqual(await store.resolve('v1'), image.manifest)
  const plain = await openRepository(t, registry.host, 'app', { ...login, plainHttp: true })
  await assert.rejects(plain.resolve('v1'), { name: 'StoreError' })
})

test('TLS where the registry speaks plain HTTP', async (t) => {
  const { proxy } = await guarded(t)
  const store = await openRepository(t, proxy.host, 'app', { plainHttp: false })
  await assert.rejects(store.resolve('v1'), { code: 'UNREACHABLE', message: /does not speak TLS .*--plain-http/ })
})

test('Basic: the login goes to the registry, and to nobody that it redirects to', async (t) => {
  const registry = await startDockerRegistry(t, { auth: 'basic' })
  if (registry === undefined) return
  const direct = await openRepository(t, registry.host, 'app', { credentials: async () => LOGIN })
  await pushImage(direct, image)
  // The storage needs no login: a proxy brings its own.
  const authorization = `Basic ${SECRETS[1]}`
  const inner = await startFaultProxy({
    target: registry.url,
    fault: ({ headers }) => {
      headers.authorization = authorization
      return undefined
    },
  })
  const storage = await startFaultProxy({ target: inner.url })
  const front = await startFaultProxy({
    target: registry.url,
    fault: ({ method, path, headers }) =>
      method === 'GET' && path.includes('/blobs/') && headers.authorization !== undefined
        ? { kind: 'redirect', to: storage.url }
        : undefined,
  })
  t.after(() => Promise.all([inner.close(), storage.close(), front.close()]))
  const store = await openRepository(t, front.host, 'app', { credentials: async () => LOGIN })
  assert.deepEqual(await collect(store.fetch(image.layers[0]!)), image.layerBytes[0])
  assert.equal(storage.requests.length, 1)
  assert.equal(storage.requests[0]!.headers.authorization, undefined)
  assert.equal(front.requests.at(-1)!.headers.authorization, authorization)
})

test('Basic: no secret is in any message, whatever the server repeats', async (t) => {
  for (const status of [401, 403, 404, 418, 500]) {
    const server = await listen((request, response) => {
      if (request.headers.authorization === undefined)
        return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      const body = JSON.stringify({
        errors: [{ code: 'X', message: `you sent ${BASIC_PASSWORD}, ${request.headers.authorization}` }],
      })
      response
        .writeHead(status, { 'content-type': 'application/json', 'www-authenticate': 'Basic realm="x"' })
        .end(body)
    })
    t.after(() => server.close())
    const store = await openRepository(t, server.host, 'app', { credentials: async () => LOGIN, retry: { retries: 1 } })
    for (const call of [
      () => collect(store.fetch(image.layers[0]!)),
      () => store.resolve('v1'),
      () => store.tag(image.manifest, 'v1'),
    ])
      await assert.rejects(call, (error: Error) => {
        for (let beneath: unknown = error; beneath instanceof Error; beneath = beneath.cause)
          for (const secret of SECRETS)
            assert.ok(!`${beneath.message}${beneath.stack}`.includes(secret), beneath.message)
        return true
      })
  }
})

test('a login that ends is asked for again', async (t) => {
  let password = 'first'
  let asked = 0
  const server = await listen((request, response) => {
    const right = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
    if (request.headers.authorization !== right)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    response.writeHead(404).end()
  })
  t.after(() => server.close())
  const credentials: Credentials = async () => {
    asked++
    return { kind: 'password', username: 'AWS', password, source: 'the test', expiresAt: Date.now() + 3600_000 }
  }
  const store = await openRepository(t, server.host, 'app', { credentials })
  assert.ok(!(await store.exists(image.config)))
  assert.ok(!(await store.exists(image.config)))
  assert.equal(asked, 1)
  password = 'second' // refused from now on, long before its end
  assert.ok(!(await store.exists(image.config)))
  assert.equal(asked, 2)
  const expiring = await openRepository(t, server.host, 'app', {
    credentials: async () => {
      asked++
      return { kind: 'password', username: 'AWS', password, source: 'the test', expiresAt: Date.now() - 1 }
    },
  })
  asked = 0
  await expiring.exists(image.config)
  await expiring.exists(image.config)
  assert.equal(asked, 2)
})

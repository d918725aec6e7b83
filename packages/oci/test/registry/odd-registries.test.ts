// Registries, and what stands before them, that keep to the specification in their own way.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { parseEcrHost } from '../../src/document/ecr-host.js'
import { authText } from '../../src/registry/credentials/auth-file.js'
import { secretsOf } from '../../src/registry/credentials/credential.js'
import { askCredentialHelper } from '../../src/registry/credentials/credential-helper.js'
import { defaultCredentials } from '../../src/registry/credentials/default.js'
import { redactText } from '../../src/registry/redact.js'
import { fallbackTag } from '../../src/registry/referrers.js'
import { Registry } from '../../src/server/registry.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { listen } from '../doubles/listen.js'
import { artifact, describe, encodeJson, pushImage, smallImage } from '../images.js'
import { temporaryFolder } from '../tools.js'
import { all, openRepository } from './open.js'

const image = smallImage([{ name: 'a', data: 'content' }])
const EMPTY = Buffer.from('{}')
const LOGIN = { kind: 'password', username: 'me', password: 's3cret', source: 'the test' } as const
const BASIC = `Basic ${Buffer.from('me:s3cret').toString('base64')}`

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean | undefined

/** A registry whose answers `odd` gives where it returns true; requests that came, as `GET /v2/…`. */
async function odd(t: TestContext, odd: Handler) {
  const registry = new Registry({ repositories: memoryRepositories() })
  const seen: string[] = []
  const server = await listen((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    if (odd(request, response) !== true) return registry.handle(request, response)
  })
  t.after(async () => {
    await server.close()
    await registry.close()
  })
  return { host: server.host, seen }
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): true {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body)
  return true
}

for (const [name, reply] of [
  ['400', (r: ServerResponse) => answer(r, 400)],
  ['401', (r: ServerResponse) => answer(r, 401, { 'www-authenticate': 'Basic realm="x"' })],
  ['403', (r: ServerResponse) => answer(r, 403)],
  ['429', (r: ServerResponse) => answer(r, 429, { 'retry-after': '60' })],
  ['500', (r: ServerResponse) => answer(r, 500)],
  ['503', (r: ServerResponse) => answer(r, 503)],
  ['a redirect to nowhere', (r: ServerResponse) => answer(r, 302, { location: 'http://127.0.0.1:1/' })],
  [
    'a next page at another host',
    (r: ServerResponse) =>
      answer(
        r,
        200,
        { 'content-type': 'application/vnd.oci.image.index.v1+json', link: '<http://127.0.0.1:1/>; rel="next"' },
        '{"schemaVersion":2,"manifests":[]}',
      ),
  ],
  [
    'no JSON',
    (r: ServerResponse) => answer(r, 200, { 'content-type': 'application/vnd.oci.image.index.v1+json' }, '<html>'),
  ],
] as const)
  test(`referrers that answer with ${name}: none are known, after one try and one notice; an artifact goes under the fallback tag`, async (t) => {
    const { host, seen } = await odd(t, ({ url = '' }, response) =>
      url.includes('/referrers/') ? reply(response) : undefined,
    )
    const notices: string[] = []
    const store = await openRepository(t, host, 'app', { onNotice: (message) => notices.push(message) })
    await pushImage(store, image)
    assert.deepEqual(await all(store.referrers(image.manifest)), [])
    assert.equal(seen.filter((request) => request.includes('/referrers/')).length, 1)
    assert.equal(notices.length, 1)
    assert.match(notices[0]!, /^the referrers of sha256:\w+ cannot be listed, so none are known: /)
    const attached = artifact(image.manifest)
    await store.push(describe('', EMPTY), EMPTY)
    await store.push(attached.descriptor, attached.bytes)
    await store.attach(attached.descriptor)
    assert.deepEqual(
      (await all(store.referrers(image.manifest))).map(({ digest }) => digest),
      [attached.descriptor.digest],
    )
  })

for (const [name, api] of [
  ['no referrers API', 404],
  ['a referrers API that fails', 503],
] as const)
  for (const status of [400, 403, 429, 500])
    test(`${name}, and a fallback tag that answers ${status}: no referrers are known, and a notice says why`, async (t) => {
      const { host, seen } = await odd(t, ({ url = '' }, response) => {
        if (url.includes('/referrers/')) return answer(response, api)
        if (url.endsWith(`/manifests/${fallbackTag(image.manifest.digest)}`)) return answer(response, status)
        return undefined
      })
      const notices: string[] = []
      const retry = { retries: 1, delay: 1 }
      const store = await openRepository(t, host, 'app', { retry, onNotice: (message) => notices.push(message) })
      await pushImage(store, image)
      assert.deepEqual(await all(store.referrers(image.manifest)), [])
      assert.match(notices.at(-1)!, /^the referrers of sha256:\w+ cannot be listed, so none are known: /)
      const tries = seen.filter((request) => request.includes(fallbackTag(image.manifest.digest))).length
      if (api !== 503) return
      assert.equal(tries, 1)
      const attached = artifact(image.manifest)
      await store.push(describe('', EMPTY), EMPTY)
      await store.push(attached.descriptor, attached.bytes)
      await assert.rejects(store.attach(attached.descriptor), new RegExp(`manifests/sha256-.*${status}`))
    })

test('an API that does not list what was pushed, and does not say OCI-Subject: the fallback tag is written, and read', async (t) => {
  const { host } = await odd(t, ({ url = '', method }, response) => {
    if (url.includes('/referrers/'))
      return answer(
        response,
        200,
        { 'content-type': 'application/vnd.oci.image.index.v1+json' },
        '{"schemaVersion":2,"manifests":[]}',
      )
    if (method === 'PUT' && url.includes('/manifests/')) {
      const { setHeader } = response
      response.setHeader = (name, value) =>
        name.toLowerCase() === 'oci-subject' ? response : setHeader.call(response, name, value)
      const { writeHead } = response
      response.writeHead = ((status: number, headers: Record<string, string> = {}) =>
        writeHead.call(
          response,
          status,
          Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'oci-subject')),
        )) as typeof writeHead
    }
    return undefined
  })
  const store = await openRepository(t, host, 'app')
  await pushImage(store, image)
  const attached = artifact(image.manifest)
  await store.push(describe('', EMPTY), EMPTY)
  await store.push(attached.descriptor, attached.bytes)
  await store.attach(attached.descriptor)
  assert.equal(
    (await store.resolve(fallbackTag(image.manifest.digest))).mediaType,
    'application/vnd.oci.image.index.v1+json',
  )
  assert.deepEqual(
    (await all(store.referrers(image.manifest))).map(({ digest }) => digest),
    [attached.descriptor.digest],
  )
})

for (const hidden of [401, 403, 404])
  for (const base of [401, 200])
    test(`a registry that answers ${hidden} without a challenge, and challenges at /v2/ with ${base}: a known login is used`, async (t) => {
      const { host, seen } = await odd(t, ({ url, headers }, response) => {
        if (headers.authorization === BASIC) return undefined
        if (url === '/v2/') return answer(response, base, { 'www-authenticate': 'Basic realm="x"' })
        return answer(response, hidden)
      })
      const store = await openRepository(t, host, 'app', { credentials: async () => LOGIN, plainHttp: true })
      await pushImage(store, image)
      await store.tag(image.manifest, 'v1')
      assert.equal((await store.resolve('v1')).digest, image.manifest.digest)
      assert.equal(seen.filter((request) => request === 'GET /v2/').length, 1)
      const stranger = await openRepository(t, host, 'app', { plainHttp: true })
      await assert.rejects(stranger.resolve('v1'))
    })

test('a mount that fails in any way gives false', async (t) => {
  for (const status of [400, 401, 403, 404, 405, 409, 500, 501]) {
    const { host } = await odd(t, ({ url = '', method }, response) =>
      method === 'POST' && url.includes('mount=') ? answer(response, status) : undefined,
    )
    const from = await openRepository(t, host, 'from')
    const to = await openRepository(t, host, 'to')
    await pushImage(from, image)
    assert.equal(await openMount(to, from), false, String(status))
  }
  async function openMount(to: Awaited<ReturnType<typeof openRepository>>, from: typeof to): Promise<boolean> {
    // Both stores are of their own clients here; the mount is by the registry's address
    return await to.mount(image.layers[0]!, from)
  }
})

for (const status of [307, 308])
  test(`uploads and manifests redirected by ${status} within the registry arrive`, async (t) => {
    const moved = new Set<string>()
    const { host } = await odd(t, (request, response) => {
      const { method, url = '' } = request
      const key = `${method} ${url.replace(/digest=.*/, '')}`
      if (method !== 'POST' && method !== 'PUT') return undefined
      if (url.includes('moved=1') || moved.has(key)) return undefined
      moved.add(key)
      request.resume()
      return answer(response, status, { location: `${url}${url.includes('?') ? '&' : '?'}moved=1` })
    })
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    assert.ok(moved.size > 2)
    assert.equal((await store.resolve('v1')).digest, image.manifest.digest)
  })

test('what is written is not sent to another origin', async (t) => {
  const elsewhere = await odd(t, () => undefined)
  const { host } = await odd(t, ({ method }, response) =>
    method === 'POST' || method === 'PUT'
      ? answer(response, 307, { location: `http://${elsewhere.host}/v2/app/` })
      : undefined,
  )
  const store = await openRepository(t, host, 'app')
  await assert.rejects(pushImage(store, image), { code: 'PROTOCOL', message: /not sent to another host/ })
  assert.deepEqual(elsewhere.seen, [])
})

for (const status of [200, 202, 204])
  test(`a PUT answered with ${status} is done`, async (t) => {
    const { host } = await odd(t, ({ method }, response) => {
      if (method !== 'PUT') return undefined
      const { writeHead } = response
      response.writeHead = ((code: number, headers: Record<string, string>) =>
        writeHead.call(response, code === 201 ? status : code, headers)) as typeof writeHead
      return undefined
    })
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    assert.equal((await store.resolve('v1')).digest, image.manifest.digest)
  })

for (const status of [403, 404, 405, 501])
  test(`a HEAD of a manifest answered with ${status} is asked again by GET`, async (t) => {
    const { host } = await odd(t, ({ method, url = '' }, response) =>
      method === 'HEAD' && url.includes('/manifests/') ? answer(response, status) : undefined,
    )
    const store = await openRepository(t, host, 'app')
    await pushImage(store, image)
    await store.tag(image.manifest, 'v1')
    assert.deepEqual(await store.resolve('v1'), image.manifest)
    await assert.rejects(store.resolve('none'), { code: 'NOT_FOUND' })
  })

test('a refusal has the words of the registry, which a HEAD cannot bring', async (t) => {
  const { host } = await odd(t, ({ url = '', method }, response) =>
    url.includes('/manifests/')
      ? answer(
          response,
          403,
          {},
          method === 'HEAD' ? '' : '{"errors":[{"code":"DENIED","message":"quota of the team"}]}',
        )
      : undefined,
  )
  const store = await openRepository(t, host, 'app')
  await assert.rejects(store.resolve('v1'), { code: 'DENIED', message: /quota of the team/ })
})

test('a manifest compressed on its way is decoded, within the limit', async (t) => {
  let bomb = false
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: image.manifest.mediaType,
    config: describe('a/b', new Uint8Array(1)),
    layers: [],
  })
  const { host } = await odd(t, ({ url = '' }, response) => {
    if (!url.includes('/manifests/')) return undefined
    const body = gzipSync(bomb ? Buffer.alloc(64 << 20) : manifest)
    response.writeHead(200, {
      'content-type': image.manifest.mediaType,
      'content-encoding': 'gzip',
      'content-length': body.length,
    })
    response.end(body)
    return true
  })
  const store = await openRepository(t, host, 'app')
  assert.equal((await store.resolve('v1')).digest, describe('', manifest).digest)
  bomb = true
  await assert.rejects(store.resolve('v1'), { code: 'PROTOCOL', message: /not valid gzip, or has more than/ })
})

test('a manifest of schema 1 is named', async (t) => {
  const { host } = await odd(t, ({ url = '' }, response) =>
    url.includes('/manifests/')
      ? answer(
          response,
          200,
          { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' },
          '{"schemaVersion":1}',
        )
      : undefined,
  )
  await assert.rejects((await openRepository(t, host, 'app')).resolve('v1'), { code: 'PROTOCOL', message: /schema 1/ })
})

test('logins: keys that are addresses with a path, and DOCKER_AUTH_CONFIG', async (t) => {
  const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') })
  const find = authText(
    'x',
    JSON.stringify({
      auths: {
        'https://jfrog.example/api/docker/local': auth('me:path'),
        'jfrog.example/team': auth('me:team'),
        'https://host.example:5000/v2/': auth('me:v2'),
      },
    }),
  )
  const password = async (host: string, repository?: string) => {
    const found = await find(host, { repository })
    return found?.kind === 'password' ? found.password : undefined
  }
  assert.equal(await password('jfrog.example', 'app'), 'path')
  assert.equal(await password('jfrog.example', 'team/app'), 'team')
  assert.equal(await password('host.example:5000', 'app'), 'v2')
  assert.equal(await password('other.example', 'app'), undefined)
  const home = temporaryFolder(t)
  const environment = {
    HOME: home,
    DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { 'a.example': auth('me:variable') } }),
  }
  const found = await defaultCredentials(environment)('a.example')
  assert.equal(found?.kind === 'password' && found.password, 'variable')
  const notes: string[] = []
  await defaultCredentials({ HOME: home, DOCKER_AUTH_CONFIG: 's3cret' })('a.example', {
    note: (text) => notes.push(text),
  })
  assert.deepEqual(notes, ['DOCKER_AUTH_CONFIG is not a JSON file with logins'])
})

test('logins in a pipe are not waited for', { skip: process.platform === 'win32', timeout: 30_000 }, async (t) => {
  const folder = temporaryFolder(t)
  assert.equal(spawnSync('mkfifo', [join(folder, 'config.json')]).status, 0)
  const notes: string[] = []
  const credentials = defaultCredentials({ HOME: folder, DOCKER_CONFIG: folder })
  assert.equal(await credentials('a.example', { note: (text) => notes.push(text) }), undefined)
  assert.match(notes.join(), /config\.json is not a regular file/)
})

test('a credential helper: its child that lives on delays nothing, and nothing that it says is shown', {
  skip: process.platform === 'win32',
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder(t)
  const make = (name: string, script: string) => {
    writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, `docker-credential-${name}`), 0o755)
  }
  make('agent', 'sleep 50 &\necho \'{"Username":"me","Secret":"s3cret"}\'')
  make('talks', 'echo "the password s3cret is wrong"\necho s3cret >&2\nexit 1')
  const before = process.env.PATH
  process.env.PATH = `${folder}:${before}`
  t.after(() => {
    process.env.PATH = before
  })
  const found = await askCredentialHelper('agent', 'a.example', undefined)
  assert.equal(found?.kind === 'password' && found.password, 's3cret')
  await assert.rejects(askCredentialHelper('talks', 'a.example', undefined), ({ message }) => {
    assert.equal(message, 'docker-credential-talks failed with status 1')
    return true
  })
})

test('a password is shown in no form', () => {
  const password = 'p@ss w"ör\\d/+?'
  const secrets = secretsOf({ kind: 'password', username: 'me', password, source: '' })
  const pair = `me:${password}`
  for (const form of [
    password,
    encodeURIComponent(password),
    new URLSearchParams({ p: password }).toString().slice(2),
    JSON.stringify({ password }),
    Buffer.from(pair).toString('base64'),
    Buffer.from(pair).toString('base64').replace(/=+$/, ''),
    Buffer.from(pair).toString('base64url'),
    Buffer.from(password).toString('base64'),
  ]) {
    const shown = redactText(`it says ${form} there`, secrets)
    assert.ok(shown.includes('…') && !shown.includes('ss w') && !shown.includes('ss%20w'), shown)
  }
})

test('hosts that look like those of ECR', () => {
  for (const host of [
    '123456789012.dkr.ecr.lambda-url.on.aws',
    '123456789012.dkr.ecr.eu-west-1.on.aws',
    '123456789012.dkr-ecr.eu-west-1.amazonaws.com',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example',
    '123456789012.dkr.ecr.evil.amazonaws.com',
    '12345678901.dkr.ecr.eu-west-1.amazonaws.com',
  ])
    assert.equal(parseEcrHost(host), undefined, host)
  for (const [host, region] of [
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['123456789012.dkr-ecr.ap-southeast-2.on.aws', 'ap-southeast-2'],
    ['123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov', 'us-iso-east-1'],
    ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
  ] as const)
    assert.equal(parseEcrHost(host)?.region, region, host)
})

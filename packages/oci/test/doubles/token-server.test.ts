import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listen } from './listen.js'
import { BASIC_PASSWORD, BASIC_USER, startDockerRegistry } from './real-registries.js'
import { startTokenServer, type TokenServer, type TokenServerOptions } from './token-server.js'

const basic = `Basic ${Buffer.from(`${BASIC_USER}:${BASIC_PASSWORD}`).toString('base64')}`
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

async function token(server: TokenServer, scope: string, authorization?: string): Promise<Record<string, string>> {
  const url = `${server.auth.realm}?service=${server.auth.service}&scope=${scope}&offline_token=true`
  const response = await fetch(url, authorization === undefined ? {} : { headers: { authorization } })
  return (await response.json()) as Record<string, string>
}

async function start(t: { after(end: () => Promise<void>): void }, options?: TokenServerOptions): Promise<TokenServer> {
  const server = await startTokenServer(options)
  t.after(() => server.close())
  return server
}

test('docker-registry takes its tokens, for what they allow', async (t) => {
  const server = await start(t, { anonymous: ['pull'] })
  const registry = await startDockerRegistry(t, { auth: server.auth })
  if (registry === undefined) return
  const refused = await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: 'POST' })
  assert.equal(refused.status, 401)
  assert.equal(
    // docker-registry names the two actions in the order of a Go map: one time in seven the other way round
    refused.headers.get('www-authenticate')?.replace(/:push,pull"$/, ':pull,push"'),
    `Bearer realm="${server.auth.realm}",service="${server.auth.service}",scope="repository:app:pull,push"`,
  )
  const upload = async (token: string) =>
    (await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: 'POST', ...bearer(token) })).status
  const tags = async (token: string) => (await fetch(`${registry.url}/v2/app/tags/list`, bearer(token))).status
  const mine = await token(server, 'repository:app:pull,push', basic)
  assert.equal(await upload(mine.token!), 202)
  const anonymous = await token(server, 'repository:app:pull,push')
  assert.equal(await upload(anonymous.token!), 401)
  assert.equal(await tags(anonymous.token!), 404) // may look, and there is nothing yet
  assert.equal(anonymous.refresh_token, undefined)
})

test('docker-registry refuses a token that has expired', async (t) => {
  const server = await start(t, { lifetime: -100 }) // it takes them 60 s longer
  const registry = await startDockerRegistry(t, { auth: server.auth })
  if (registry === undefined) return
  const expired = await token(server, 'repository:app:pull', basic)
  assert.equal((await fetch(`${registry.url}/v2/app/tags/list`, bearer(expired.token!))).status, 401)
})

test('tokens by password, by refresh token, and none for others', async (t) => {
  const server = await start(t, { field: 'access_token' })
  const first = await token(server, 'repository:app:pull', basic)
  assert.ok(first.access_token !== undefined && first.token === undefined)
  const ask = (form: Record<string, string>) =>
    fetch(server.auth.realm, { method: 'POST', body: new URLSearchParams({ scope: 'repository:app:pull', ...form }) })
  const again = await ask({ grant_type: 'refresh_token', refresh_token: first.refresh_token! })
  assert.ok('access_token' in ((await again.json()) as object))
  assert.equal((await ask({ grant_type: 'refresh_token', refresh_token: 'x' })).status, 401)
  assert.equal((await ask({ grant_type: 'password', username: BASIC_USER, password: 'x' })).status, 401)
  assert.equal((await ask({ grant_type: 'password', username: BASIC_USER, password: BASIC_PASSWORD })).status, 200)
  assert.ok('errors' in (await token(server, 'repository:app:pull')))
  assert.deepEqual(
    server.requests.map(({ grant, status }) => [grant, status]),
    [
      ['basic', 200],
      ['refresh_token', 200],
      ['refresh_token', 401],
      ['password', 401],
      ['password', 200],
      ['none', 401],
    ],
  )
})

test('a guarded handler', async (t) => {
  const server = await start(t)
  const guarded = await listen(server.guard((_, response) => void response.end('in')))
  t.after(() => guarded.close())
  const { token: pull } = await token(server, 'repository:a/b:pull', basic)
  const get = (path: string, init = {}) => fetch(`${guarded.url}${path}`, init)
  assert.equal((await get('/v2/a/b/tags/list', bearer(pull!))).status, 200)
  assert.equal((await get('/v2/', bearer(pull!))).status, 200)
  assert.equal((await get('/v2/')).status, 401)
  const more = await get('/v2/a/b/blobs/uploads/?mount=x&from=c', { method: 'POST', ...bearer(pull!) })
  assert.match(
    more.headers.get('www-authenticate')!,
    /scope="repository:a\/b:pull,push repository:c:pull",error="insufficient_scope"$/,
  )
  server.expireAll()
  const late = await get('/v2/a/b/tags/list', bearer(pull!))
  assert.match(late.headers.get('www-authenticate')!, /error="invalid_token"$/)
})

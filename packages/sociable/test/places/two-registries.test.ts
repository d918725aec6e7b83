// Two registries in one command: what is meant for one of them never sends the login of the other in clear text, or to whoever has any certificate.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { memoryRepositories } from '@sociable/oci'
import { makeLayout, temporaryFolder } from '../cli/layout.js'
import { run } from '../cli/run.js'
import { doubles } from '../support/registries.js'

const served = new URL('../../../../oci/dist/src/server/registry.js', import.meta.url).href
const { Registry } = (await import(served)) as typeof import('../../../oci/dist/src/server/registry.js')

const LOGIN = { username: 'me', password: 'very-secret' }
const BASIC = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`

interface Host {
  readonly name: string
  /** `Authorization` headers that came, by whether over TLS. */
  readonly seen: { readonly tls: string[]; readonly plain: string[] }
}

/**
 * Hosts with names of their own, behind a proxy: so none is on this machine. `secure` speaks TLS and wants a login, `plain` speaks none and wants a login
 * where that is said; `self-signed` speaks TLS with a certificate that nobody trusts.
 */
async function scene(t: TestContext, plainWantsLogin = false) {
  const { listen, selfSignedCertificate, startConnectProxy } = await doubles()
  const cwd = await temporaryFolder(t)
  const layout = await makeLayout(`${cwd}/image`)
  await layout.add('app', [{ file: 'content' }])
  const close: (() => unknown)[] = []
  t.after(async () => {
    for (const each of close) await each()
  })
  const tls = selfSignedCertificate(['secure.example'])
  const untrusted = selfSignedCertificate(['untrusted.example'])
  const hosts: Record<string, Host> = {}
  const leads = new Map<string, string>()
  const start = async (name: string, certificate: typeof tls | undefined, wantsLogin: boolean) => {
    const registry = new Registry({ repositories: memoryRepositories() })
    const seen = { tls: [] as string[], plain: [] as string[] }
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      const { authorization } = request.headers
      if (authorization !== undefined) seen[certificate === undefined ? 'plain' : 'tls'].push(authorization)
      if (!wantsLogin || authorization === BASIC) return void registry.handle(request, response)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"', 'content-length': 0 }).end()
    }
    if (certificate === undefined) {
      const server = await listen(handle)
      close.push(() => server.close())
      leads.set(name, server.host)
    } else {
      const server = createServer({ cert: certificate.certificate, key: certificate.key }, handle)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      close.push(() => {
        server.closeAllConnections()
        server.close()
      })
      leads.set(name, `127.0.0.1:${(server.address() as AddressInfo).port}`)
    }
    hosts[name] = { name, seen }
  }
  await start('secure.example', tls, true)
  await start('plain.example', undefined, plainWantsLogin)
  await start('untrusted.example', untrusted, plainWantsLogin)
  const proxy = await startConnectProxy((host) => leads.get(host))
  close.push(() => proxy.close())
  writeFileSync(join(cwd, 'ca.pem'), tls.certificate)
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')
  const auths = Object.fromEntries(
    ['secure.example', 'plain.example', 'untrusted.example'].map((name) => [name, { auth }]),
  )
  writeFileSync(join(cwd, 'config.json'), JSON.stringify({ auths }))
  const env = {
    HOME: cwd,
    DOCKER_CONFIG: cwd,
    NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'),
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: proxy.url,
  }
  return { hosts, sociable: (...args: string[]) => run(args, { cwd, env }) }
}

for (const [flag, other] of [
  ['--plain-http', 'plain.example'],
  ['--insecure', 'untrusted.example'],
] as const) {
  test(`${flag} between two registries: each is reached as it speaks, and the one's login stays private`, async (t) => {
    const { hosts, sociable } = await scene(t)
    const pushed = await sociable('copy', 'oci:image:app', 'secure.example/app:1')
    assert.equal(pushed.status, 0, pushed.err)
    for (const [from, to] of [
      ['secure.example/app:1', `${other}/app:1`],
      [`${other}/app:1`, 'secure.example/app:2'],
    ]) {
      const copied = await sociable('copy', from!, to!, flag)
      assert.equal(copied.status, 0, copied.err)
    }
    assert.ok(hosts['secure.example']!.seen.tls.includes(BASIC))
    assert.deepEqual(hosts['secure.example']!.seen.plain, [])
    assert.deepEqual(hosts[other]!.seen, { tls: [], plain: [] })
  })

  test(`${flag} between two registries sends no login to the one that needs it, unless that is named`, async (t) => {
    const { hosts, sociable } = await scene(t, true)
    await sociable('copy', 'oci:image:app', 'secure.example/app:1')
    const refused = await sociable('copy', 'secure.example/app:1', `${other}/app:1`, flag)
    assert.equal(refused.status, 1)
    assert.match(refused.err, new RegExp(`${flag}-registry ${other}`))
    assert.deepEqual(hosts[other]!.seen, { tls: [], plain: [] })
    const named = await sociable('copy', 'secure.example/app:1', `${other}/app:1`, `${flag}-registry`, other)
    assert.equal(named.status, 0, named.err)
    assert.deepEqual(hosts['secure.example']!.seen.plain, [])
  })

  test(`${flag} with one registry is for that one, login and all`, async (t) => {
    const { hosts, sociable } = await scene(t, true)
    const pushed = await sociable('copy', 'oci:image:app', `${other}/app:1`, flag)
    assert.equal(pushed.status, 0, pushed.err)
    const { tls, plain } = hosts[other]!.seen
    assert.ok([...tls, ...plain].includes(BASIC))
  })
}

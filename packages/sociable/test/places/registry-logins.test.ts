// Whole converts behind logins: tokens and addresses that end in the middle, TLS with an authority of one's own, passwords.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryRepositories, serveRegistry } from '@sociable/oci'
import { convert, copyImage, createIndex, inspect, type ProgressEvent } from '../../src/index.js'
import { run } from '../cli/run.js'
import { TestFolder } from '../support/folder.js'
import { doubles } from '../support/registries.js'
import { AMD64, layer, NAMED_APP, SMALL, twoPlatforms } from '../support/samples.js'

const folder = new TestFolder()
const FLAGS = ['--min-layer-size', String(SMALL.minLayerSize), '--span-size', String(SMALL.spanSize)]
/** Requests after which all tokens end: more than are under way at once, as one that meets two ends has no luck. */
const EVERY = 20
const input = `oci:${folder.layout(twoPlatforms)}:app`
/** Its big layer comes in several ranges, where little memory makes them small. */
const bigInput = `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'big', 8_000_000), layer(layout, 'a')], AMD64, NAMED_APP)))}:app`
const BIG = { spanSize: 1 << 20, minLayerSize: 0, memory: 16 << 20 }

async function digestFromLayout(from: string, options: typeof BIG | typeof SMALL): Promise<string> {
  return (await convert(from, `oci:${folder.fresh()}:v`, options)).digest
}

test('Bearer: tokens that end every few requests are renewed, and the convert does not notice', async (t) => {
  const { BASIC_PASSWORD, BASIC_USER, startFaultProxy, startTokenServer } = await doubles()
  const server = await serveRegistry({ repositories: memoryRepositories() })
  t.after(() => server.close())
  const tokens = await startTokenServer()
  t.after(() => tokens.close())
  const guarded = await startFaultProxy({
    target: server.url,
    guard: tokens.guard,
    fault({ number }) {
      if (number % EVERY === 0) tokens.expireAll()
      return undefined
    },
  })
  t.after(() => guarded.close())
  const login = { username: BASIC_USER, password: BASIC_PASSWORD }
  const image = `${guarded.host}/team/app:1`
  await copyImage(input, image, login)
  const before = { requests: guarded.requests.length, tokens: tokens.requests.length }
  const result = await convert(image, undefined, { ...SMALL, ...login })
  assert.equal(result.digest, await digestFromLayout(input, SMALL))
  const renewals = tokens.requests.length - before.tokens
  const ends = (guarded.requests.length - before.requests) / EVERY
  assert.ok(ends >= 1.5 && renewals > ends, `${renewals} tokens, ${ends} ends`)
  for (const { status, grant } of tokens.requests) assert.deepEqual([status, grant], [200, 'basic'])
  await createIndex(image, { ...SMALL, ...login })
  assert.equal((await inspect(image, login)).sociEnabled, true)

  const other = `${guarded.host}/team/other:1`
  const args = ['convert', image, other, ...FLAGS, '--username', BASIC_USER, '--password-stdin']
  const done = await run(args, { input: `${BASIC_PASSWORD}\n` })
  assert.equal(done.status, 0, done.err)
  assert.equal(done.out, `${other}@${result.digest}\n`)
})

test('docker-registry: Bearer, with a token server of its own', async (t) => {
  const { BASIC_PASSWORD, BASIC_USER, startDockerRegistry, startTokenServer } = await doubles()
  // Each is good for a second by its own words: a run asks for several
  const tokens = await startTokenServer({ expiresIn: 1 })
  t.after(() => tokens.close())
  const registry = await startDockerRegistry(t, { auth: tokens.auth })
  if (registry === undefined) return
  const login = { username: BASIC_USER, password: BASIC_PASSWORD }
  const image = `${registry.host}/team/app:1`
  await copyImage(input, image, login)
  const { digest } = await convert(image, undefined, { ...SMALL, ...login })
  assert.equal(digest, await digestFromLayout(input, SMALL))
  await assert.rejects(convert(image, undefined, SMALL), { code: 'UNAUTHORIZED', message: /docker login/ })
  assert.equal((await inspect(`${image}-soci`, login)).digest, digest)
})

test('ECR: addresses of a layer that end in the middle of it', async (t) => {
  const { startEcr } = await doubles()
  const ecr = await startEcr({ refuseOpenRanges: true })
  t.after(() => ecr.close())
  const [username, password] = Buffer.from(ecr.authorizationToken(), 'base64').toString().split(':')
  const login = { username, password }
  const image = `${ecr.host}/app:1`
  await copyImage(bigInput, image, login)
  const refusedBefore = ecr.storage.requests.filter(({ status }) => status() === 403).length
  let expired = 0
  let next = 2 << 20
  const onProgress = (event: ProgressEvent) => {
    if (event.type !== 'progress' || event.size < 1 << 20 || event.bytes < next) return
    next += 3 << 20
    expired++
    ecr.expireAddresses()
  }
  const { digest } = await convert(image, undefined, { ...BIG, ...login, onProgress })
  assert.equal(digest, await digestFromLayout(bigInput, BIG))
  assert.ok(expired >= 2, `${expired} times`)
  const refused = ecr.storage.requests.filter(({ status }) => status() === 403).length - refusedBefore
  assert.ok(refused > 0, 'an address was asked that had ended')
  for (const { headers } of ecr.storage.requests) assert.equal(headers.authorization, undefined)
})

test('docker-registry: TLS with an authority of its own, and a password', async (t) => {
  const { BASIC_PASSWORD, BASIC_USER, selfSignedCertificate, startDockerRegistry, temporaryFolder } = await doubles()
  const tls = selfSignedCertificate()
  const registry = await startDockerRegistry(t, { tls, auth: 'basic' })
  if (registry === undefined) return
  const home = temporaryFolder(t)
  const authority = join(home, 'authority.pem')
  writeFileSync(authority, tls.certificate)
  const auth = Buffer.from(`${BASIC_USER}:${BASIC_PASSWORD}`).toString('base64')
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
  const trusting = { NODE_EXTRA_CA_CERTS: authority, HOME: home }
  const image = `${registry.host}/team/app:1`

  const copied = await run(['copy', input, image], { env: { ...trusting, DOCKER_CONFIG: home } })
  assert.equal(copied.status, 0, copied.err)
  const converted = await run(['convert', image, ...FLAGS], { env: { ...trusting, DOCKER_CONFIG: home } })
  assert.equal(converted.status, 0, converted.err)
  const digest = await digestFromLayout(input, SMALL)
  assert.equal(converted.out, `${image}-soci@${digest}\n`)

  const args = ['inspect', `${image}-soci`, '--username', BASIC_USER, '--password-stdin']
  const byPassword = await run(args, { env: trusting, input: BASIC_PASSWORD })
  assert.equal(byPassword.status, 0, byPassword.err)
  const stranger = await run(['convert', image, ...FLAGS], { env: trusting })
  assert.equal(stranger.status, 1)
  assert.match(stranger.err, /https:\/\/.* answered 401.*docker login/s)
  const distrusting = await run(['convert', image, ...FLAGS], { env: { HOME: home, DOCKER_CONFIG: home } })
  assert.equal(distrusting.status, 1)
  assert.match(distrusting.err, /is not trusted .*NODE_EXTRA_CA_CERTS/)
  for (const { err } of [stranger, distrusting]) assert.ok(!err.includes(auth) && !err.includes(BASIC_PASSWORD))
})

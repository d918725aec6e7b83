import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { type TestContext, test } from 'node:test'
import { selfSignedCertificate } from './certificate.js'
import {
  BASIC_PASSWORD,
  BASIC_USER,
  startCraneRegistry,
  startDockerRegistry,
  startReferrersRegistry,
} from './real-registries.js'

test('docker-registry: starts, answers and ends', async (t) => {
  const registry = await startDockerRegistry(t)
  if (registry === undefined) return
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200)
  assert.equal((await fetch(`${registry.url}/v2/app/referrers/sha256:${'0'.repeat(64)}`)).status, 404)
  await registry.stop()
  await assert.rejects(fetch(`${registry.url}/v2/`))
})

test('docker-registry: with a password', async (t) => {
  const registry = await startDockerRegistry(t, { auth: 'basic' })
  if (registry === undefined) return
  const none = await fetch(`${registry.url}/v2/`)
  assert.equal(none.status, 401)
  assert.match(none.headers.get('www-authenticate')!, /^Basic /)
  assert.equal(await statusAs(registry.url, BASIC_PASSWORD), 200)
  assert.equal(await statusAs(registry.url, 'wrong'), 401)
})

test('docker-registry: over TLS', async (t) => {
  const tls = selfSignedCertificate()
  const registry = await startDockerRegistry(t, { tls })
  if (registry === undefined) return
  assert.equal(await statusOverTls(t, `${registry.url}/v2/`, tls.certificate), 200)
  await assert.rejects(statusOverTls(t, `${registry.url}/v2/`, undefined), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})

test('crane registry: starts, answers and ends', async (t) => {
  const registry = await startCraneRegistry(t)
  if (registry === undefined) return
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200)
  assert.equal((await fetch(`${registry.url}/v2/app/referrers/sha256:${'0'.repeat(64)}`)).status, 404) // no such repository yet
  await registry.stop()
  await assert.rejects(fetch(`${registry.url}/v2/`))
})

for (const kind of ['ociregistry', 'go-containerregistry'] as const)
  test(`${kind}: starts, lists referrers and ends`, async (t) => {
    const registry = await startReferrersRegistry(t, kind)
    if (registry === undefined) return
    const manifests = `${registry.url}/v2/app/manifests`
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
    const config = '{}'
    const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`
    const upload = await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: 'POST' })
    const location = new URL(upload.headers.get('location')!, registry.url)
    location.searchParams.set('digest', digest)
    assert.equal((await fetch(location, { method: 'PUT', body: config })).status, 201)
    const subject = { mediaType: headers['content-type'], digest: `sha256:${'1'.repeat(64)}`, size: 1 }
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: headers['content-type'],
      config: { mediaType: 'test/one', digest, size: 2 },
      layers: [],
      subject,
    })
    const pushed = await fetch(`${manifests}/v1`, { method: 'PUT', headers, body })
    assert.equal(pushed.status, 201)
    assert.equal(pushed.headers.get('oci-subject'), kind === 'ociregistry' ? subject.digest : null)
    const listed = await fetch(`${registry.url}/v2/app/referrers/${subject.digest}?artifactType=test%2Ftwo`)
    const { manifests: found } = (await listed.json()) as { manifests: { artifactType: string }[] | null }
    assert.deepEqual(
      (found ?? []).map(({ artifactType }) => artifactType),
      kind === 'ociregistry' ? [] : ['test/one'],
    )
    await registry.stop()
    await assert.rejects(fetch(`${registry.url}/v2/`))
  })

async function statusAs(url: string, password: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${BASIC_USER}:${password}`).toString('base64')}`
  return (await fetch(`${url}/v2/`, { headers: { authorization } })).status
}

function statusOverTls(t: TestContext, url: string, ca: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false, signal: t.signal, ...(ca && { ca }) }, (response) => {
      response.resume()
      resolve(response.statusCode!)
    })
    call.once('error', reject)
    call.end()
  })
}

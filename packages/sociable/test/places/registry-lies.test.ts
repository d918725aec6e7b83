// Registries that lie, each in the middle of a whole convert: an error that names the request, without secrets, and the destination's tag stays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '@sociable/oci'
import type { Fault } from '../../../oci/dist/test/doubles/fault.js'
import type { SeenRequest } from '../../../oci/dist/test/doubles/fault-proxy.js'
import { convert, copyImage, inspect } from '../../src/index.js'
import { TestFolder } from '../support/folder.js'
import { doubles, startRegistry } from '../support/registries.js'
import { AMD64, layer, layerBytes, NAMED_APP, SMALL, twoPlatforms } from '../support/samples.js'

const folder = new TestFolder()
const LAYER = digestOf(layerBytes('a'))

const isLayer = ({ method, path }: SeenRequest) => method === 'GET' && path.endsWith(`/blobs/${LAYER}`)
const isManifest = ({ method, path }: SeenRequest) => method === 'GET' && path.includes('/manifests/sha256:')
const isTag = ({ method, path }: SeenRequest) => method === 'HEAD' && path.endsWith('/manifests/1')
const isUploadEnd = ({ method, path }: SeenRequest) => method === 'PUT' && path.includes('/blobs/uploads/')
const isUploadBegin = ({ method, path }: SeenRequest) => method === 'POST' && path.includes('/blobs/uploads/')

interface Lie {
  readonly name: string
  readonly about: (request: SeenRequest) => boolean
  readonly fault: (request: SeenRequest) => Fault
  readonly code: string
  /** What the message has, in this order. */
  readonly says: readonly string[]
}

const layerName = `layer ${LAYER} of`
const lies: readonly Lie[] = [
  {
    name: 'a layer has other bytes',
    about: isLayer,
    fault: () => ({ kind: 'wrong-bytes', at: 2000 }),
    code: 'DIGEST_MISMATCH|GZIP_CORRUPT',
    says: [layerName],
  },
  {
    name: 'a layer is longer than its descriptor says',
    about: isLayer,
    fault: () => ({ kind: 'headers', headers: { 'content-length': '5000' } }),
    code: 'SIZE_MISMATCH',
    says: [layerName, `/blobs/${LAYER}`, '5000'],
  },
  {
    name: 'a layer is shorter than its descriptor says',
    about: isLayer,
    fault: () => ({ kind: 'short', after: 1000 }),
    code: 'SIZE_MISMATCH',
    says: [layerName, `/blobs/${LAYER}`, '1000'],
  },
  {
    name: 'a layer has no end',
    about: isLayer,
    fault: () => ({ kind: 'endless' }),
    code: 'SIZE_MISMATCH',
    says: [layerName, `/blobs/${LAYER}`],
  },
  {
    name: 'a manifest has other bytes',
    about: isManifest,
    fault: () => ({ kind: 'wrong-bytes', at: 50 }),
    code: 'DIGEST_MISMATCH',
    says: ['sha256:'],
  },
  {
    name: 'a manifest has no end',
    about: isManifest,
    fault: () => ({ kind: 'endless' }),
    code: 'PROTOCOL|SIZE_MISMATCH',
    says: ['/manifests/sha256:'],
  },
  {
    name: 'a manifest is said to be of 5 MiB',
    about: isTag,
    fault: () => ({ kind: 'headers', headers: { 'content-length': String(5 << 20) } }),
    code: 'PROTOCOL',
    says: [String(5 << 20), 'the limit of 4 MiB'],
  },
  {
    name: 'a tag has a digest that is nowhere',
    about: isTag,
    fault: () => ({ kind: 'headers', headers: { 'docker-content-digest': digestOf(Buffer.from('nowhere')) } }),
    code: 'NOT_FOUND',
    says: ['/app', digestOf(Buffer.from('nowhere'))],
  },
  {
    name: 'redirects have no end',
    about: isLayer,
    fault: () => ({ kind: 'redirect-loop' }),
    code: 'PROTOCOL',
    says: [layerName, `/blobs/${LAYER}`, 'loop'],
  },
  {
    name: 'an upload goes on nowhere',
    about: isUploadBegin,
    fault: () => ({ kind: 'answer', status: 202 }),
    code: 'PROTOCOL',
    says: ['POST', '/blobs/uploads/', 'Location'],
  },
  {
    name: 'an upload was stored as something else',
    about: isUploadEnd,
    fault: () => ({ kind: 'headers', headers: { 'docker-content-digest': LAYER } }),
    code: 'DIGEST_MISMATCH',
    says: ['PUT', '/blobs/uploads/', LAYER],
  },
  {
    name: 'an upload is redirected to another host',
    about: isUploadEnd,
    fault: () => ({ kind: 'redirect', to: 'http://127.0.0.1:1' }),
    code: 'PROTOCOL',
    says: ['PUT', '/blobs/uploads/', 'http://127.0.0.1:1'],
  },
]

const input = () => `oci:${folder.layout(twoPlatforms)}:app`
const formerInput = () =>
  `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'former')], AMD64, NAMED_APP)))}:app`

for (const { name, about, fault, code, says } of lies)
  test(`a registry lies: ${name}`, async (t) => {
    const registry = await startRegistry(t, 'our own')
    if (registry === undefined) return
    const { host, proxy } = registry
    const image = `${host}/app:1`
    await copyImage(input(), image)
    const former = await convert(formerInput(), `${image}-soci`, SMALL)
    let count = 0
    proxy.setFault((request) => {
      if (!about(request)) return undefined
      count++
      return fault(request)
    })
    await assert.rejects(convert(image, undefined, SMALL), (error: Error & { code?: string }) => {
      assert.match(String(error.code), new RegExp(`^(?:${code})$`), error.message)
      assert.match(error.message, new RegExp(says.map((part) => escaped(part)).join('.*'), 's'))
      return true
    })
    assert.ok(count > 0, 'it was asked')
    proxy.setFault(undefined)
    assert.equal((await inspect(`${image}-soci`)).digest, former.digest)
    const { digest } = await convert(input(), `oci:${folder.fresh()}:v`, SMALL)
    assert.equal((await convert(image, undefined, SMALL)).digest, digest, 'the next run finishes')
  })

test('a registry lies: the login should go to a realm that is not private', async (t) => {
  const { selfSignedCertificate, startFaultProxy } = await doubles()
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const proxy = await startFaultProxy({ target: registry.proxy.url, tls: selfSignedCertificate() })
  t.after(() => proxy.close())
  await copyImage(input(), `${registry.host}/app:1`)
  const former = await convert(formerInput(), `${registry.host}/app:1-soci`, SMALL)
  const realm = await startFaultProxy({ target: registry.proxy.url })
  t.after(() => realm.close())
  proxy.setFault(() => ({
    kind: 'answer',
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${realm.url}/token",service="x"` },
  }))
  const login = { username: 'me', password: 'very secret', insecure: true, plainHttp: false }
  await assert.rejects(convert(`${proxy.host}/app:1`, undefined, { ...SMALL, ...login }), (error: Error) => {
    assert.match(
      error.message,
      new RegExp(`HEAD https://${proxy.host}/v2/app/manifests/.*${realm.url}/token.*not private`),
    )
    assert.doesNotMatch(error.message, /very secret/)
    return true
  })
  assert.deepEqual(realm.requests, [], 'the password went nowhere')
  assert.equal((await inspect(`${registry.host}/app:1-soci`)).digest, former.digest)
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

// A registry under test, and calls to it.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { digestOf } from '../../src/document/digest.js'
import { OCI_MANIFEST } from '../../src/document/mediatype.js'
import { type RegistryServer, type RegistryServerOptions, serveRegistry } from '../../src/server/registry-server.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { type SmallImage, smallImage } from '../images.js'

export interface Client extends RegistryServer {
  /** A path below `/v2/`, or an address. */
  call(path: string, init?: RequestInit & { duplex?: 'half' }): Promise<Response>
  /** Calls, checks the status and gives the code of the error that the answer has. */
  refused(status: number, path: string, init?: RequestInit): Promise<string>
  pushBlob(repository: string, bytes: Uint8Array): Promise<string>
  pushImage(repository: string, tag: string, image?: SmallImage): Promise<void>
  putManifest(repository: string, reference: string, bytes: Uint8Array, type?: string): Promise<Response>
}

export async function startRegistry(t: TestContext, options: Partial<RegistryServerOptions> = {}): Promise<Client> {
  const failures: unknown[] = []
  const server = await serveRegistry({
    repositories: memoryRepositories(),
    onError: (error) => failures.push(error),
    ...options,
  })
  t.after(async () => {
    await server.close()
    assert.deepEqual(failures, [])
  })
  const call: Client['call'] = (path, init) =>
    fetch(path.startsWith('http') ? path : new URL(path.startsWith('/') ? path : `/v2/${path}`, server.url), init)
  const putManifest: Client['putManifest'] = (repository, reference, bytes, type = OCI_MANIFEST) =>
    call(`${repository}/manifests/${reference}`, { method: 'PUT', body: bytes, headers: { 'content-type': type } })
  const pushBlob: Client['pushBlob'] = async (repository, bytes) => {
    const digest = digestOf(bytes)
    const response = await call(`${repository}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes })
    assert.equal(response.status, 201, await response.text())
    return digest
  }
  return {
    ...server,
    call,
    pushBlob,
    putManifest,
    async refused(status, path, init) {
      const response = await call(path, init)
      const text = await response.text()
      assert.equal(response.status, status, text)
      assert.equal(response.headers.get('content-type'), 'application/json')
      const { errors } = JSON.parse(text) as { errors: { code: string; message: string }[] }
      assert.equal(errors.length, 1)
      assert.ok(errors[0]!.message !== '')
      return errors[0]!.code
    },
    async pushImage(repository, tag, image = smallImage([{ name: 'a', data: 'a' }])) {
      for (const bytes of [...image.layerBytes, image.configBytes]) await pushBlob(repository, bytes)
      assert.equal((await putManifest(repository, tag, image.manifestBytes)).status, 201)
    },
  }
}

// Whole results in registries, as the clients of other projects find and copy them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { convert, copyImage, createIndex, inspect } from '../../src/index.js'
import { makeLayout, noise, temporaryFolder } from '../cli/layout.js'
import { TestFolder } from '../support/folder.js'
import { doubles, startRegistry } from '../support/registries.js'
import { AMD64, layer, NAMED_APP, SMALL } from '../support/samples.js'

/** Not synchronous: the proxy that is asked is in this process. */
const execute = promisify(execFile)
const PLATFORMS = ['linux/amd64', 'linux/arm64']
const V1 = 'application/vnd.amazon.soci.index.v1+json'
const V2 = 'application/vnd.amazon.soci.index.v2+json'

interface Tools {
  crane(...args: string[]): Promise<string>
  oras(...args: string[]): Promise<string>
  skopeo(...args: string[]): Promise<string>
}

/** Undefined where one cannot be had: then the test was skipped. */
async function tools(t: TestContext): Promise<Tools | undefined> {
  const { tool } = await doubles()
  const paths: string[] = []
  for (const name of ['crane', 'oras', 'skopeo']) {
    const path = await tool(t, name)
    if (path === undefined) return undefined
    paths.push(path)
  }
  const [crane, oras, skopeo] = paths.map(
    (path) =>
      async (...args: string[]) =>
        (await execute(path, args)).stdout,
  )
  return { crane: crane!, oras: oras!, skopeo: skopeo! }
}

/** An image of two platforms whose configs tell what is in its layers, as `validate` wants it. */
async function pushImage(t: TestContext, name: string): Promise<void> {
  const layout = await makeLayout(await temporaryFolder(t))
  const base = { 'etc/os-release': 'ID=test\n', 'bin/base': noise(9000) }
  await layout.add('amd64', [base, { 'bin/app': noise(9000, 2) }])
  await layout.add('arm64', [base, { 'bin/app': noise(9000, 3) }], 'arm64')
  await layout.join('app')
  await copyImage(`oci:${layout.folder}:app`, name)
}

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

test('an image without a platform beside a signature: crane, oras and skopeo pick the image, not its SOCI index', async (t) => {
  const registry = await startRegistry(t, 'docker-registry')
  const clients = await tools(t)
  if (registry === undefined || clients === undefined) return
  const { crane, oras, skopeo } = clients
  const path = new TestFolder().layout((layout) => {
    const payload = layout.blob('{"critical":{}}', 'application/vnd.dev.cosign.simplesigning.v1+json')
    // The image first, as crane takes any entry without a platform for linux/amd64
    const entries = [layout.manifest([layer(layout, 'a')], AMD64), layout.manifest([payload], {})]
    layout.top(layout.imageIndex(entries, {}, NAMED_APP))
  })
  const name = `${registry.host}/app:1-soci`
  const { images } = await convert(`oci:${path}:app`, name, SMALL)
  const image = images[0]!.manifest.digest
  assert.equal((await crane('digest', '--platform', 'linux/amd64', name)).trim(), image)
  const descriptor = ['manifest', 'fetch', '--descriptor', '--plain-http', '--platform', 'linux/amd64', name]
  assert.equal(JSON.parse(await oras(...descriptor)).digest, image)
  const platform = ['--override-os', 'linux', '--override-arch', 'amd64']
  const { Layers } = JSON.parse(await skopeo(...platform, 'inspect', '--tls-verify=false', `docker://${name}`))
  const { layers } = JSON.parse(await crane('manifest', `${registry.host}/app@${image}`))
  assert.deepEqual(
    Layers,
    layers.map(({ digest }: { digest: string }) => digest),
  )
})

for (const kind of ['docker-registry', 'ociregistry', 'our own'] as const) {
  test(`${kind}: crane, oras and skopeo find a converted image, and what they copy is one`, async (t) => {
    const registry = await startRegistry(t, kind)
    const clients = await tools(t)
    if (registry === undefined || clients === undefined) return
    const { crane, oras, skopeo } = clients
    const { host } = registry
    await pushImage(t, `${host}/app:1`)
    const name = `${host}/app:1-soci`
    const { digest, images } = await convert(`${host}/app:1`, undefined, SMALL)
    const { images: found } = await inspect(name)
    assert.deepEqual(
      found.map(({ version, problems }) => [version, problems]),
      [
        ['v2', []],
        ['v2', []],
      ],
    )

    assert.equal((await crane('digest', name)).trim(), digest)
    assert.equal(digestOf(await oras('manifest', 'fetch', '--plain-http', name)), digest)
    const text = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`)
    assert.equal(digestOf(text), digest)
    const { manifests } = JSON.parse(text) as { manifests: { digest: string; artifactType?: string }[] }
    assert.deepEqual(
      manifests.filter(({ artifactType }) => artifactType === V2).map((entry) => entry.digest),
      images.map(({ index }) => index!.digest),
    )
    for (const platform of PLATFORMS) await crane('validate', '--remote', name, '--platform', platform)

    await crane('copy', name, `${host}/by-crane:1`)
    await oras('copy', '-r', '--from-plain-http', '--to-plain-http', name, `${host}/by-oras:1`)
    for (const copy of [`${host}/by-crane:1`, `${host}/by-oras:1`]) {
      const copied = await inspect(copy)
      assert.deepEqual([copied.digest, copied.images], [digest, found], copy)
    }
    // Debian's skopeo (1.9) writes the index anew, without the types of the artifacts in it
    const [from, to] = [`docker://${name}`, `docker://${host}/by-skopeo:1`]
    await skopeo('copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false', from, to)
    const copied = await inspect(`${host}/by-skopeo:1`)
    assert.deepEqual(
      copied.images.map(({ manifest, index }) => [manifest.digest, index?.digest]),
      found.map(({ manifest, index }) => [manifest.digest, index?.digest]),
    )
  })

  test(`${kind}: oras discovers what create attached, and copies it along`, async (t) => {
    const registry = await startRegistry(t, kind)
    const clients = await tools(t)
    if (registry === undefined || clients === undefined) return
    const { crane, oras, skopeo } = clients
    const { host } = registry
    const name = `${host}/app:1`
    await pushImage(t, name)
    const { images } = await createIndex(name, { ...SMALL, indexTag: 'index' })
    const { digest, images: found } = await inspect(name)
    for (const { manifest, index, name: platform } of images) {
      const subject = `${host}/app@${manifest.digest}`
      const listed = JSON.parse(await oras('discover', '--plain-http', '--format', 'json', subject))
      assert.deepEqual(
        (listed.manifests ?? listed.referrers).map((entry: { digest: string; artifactType: string }) => [
          entry.digest,
          entry.artifactType,
        ]),
        [[index!.digest, V1]],
      )
      assert.equal((await crane('digest', `${host}/app:index-${platform.replaceAll('/', '-')}`)).trim(), index!.digest)
      const byDigest = `docker://${host}/app@${index!.digest}`
      const text = await skopeo('inspect', '--raw', '--tls-verify=false', byDigest)
      assert.equal(digestOf(text), index!.digest)
      assert.equal(JSON.parse(text).subject.digest, manifest.digest)
      await crane('validate', '--remote', name, '--platform', platform)
    }
    await oras('copy', '-r', '--from-plain-http', '--to-plain-http', name, `${host}/by-oras:1`)
    const copied = await inspect(`${host}/by-oras:1`)
    assert.deepEqual([copied.digest, copied.images, copied.sociEnabled], [digest, found, true])
    await crane('copy', name, `${host}/by-crane:1`)
    assert.equal((await inspect(`${host}/by-crane:1`)).sociEnabled, false, 'which is what `sociable copy` is for')
  })
}

// The registry as clients of other projects see it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { openStore } from '../../src/open.js'
import { noise, pushImage, smallImage } from '../images.js'
import { temporaryFolder, tool } from '../tools.js'
import { startRegistry } from './client.js'

const execute = promisify(execFile)
const image = smallImage([{ name: 'a', data: noise(100_000) }])

async function run(t: TestContext, command: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(command, args, { signal: t.signal, timeout: 60_000 })
  return stdout.trim()
}

test('oras attaches an artifact, and finds it by the referrers API', async (t) => {
  const oras = await tool(t, 'oras')
  if (oras === undefined) return
  const { host, call, pushImage } = await startRegistry(t)
  await pushImage('app', 'v1', image)
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), 'content')
  const file = `${join(folder, 'file')}:text/plain`
  const attach = (type: string) =>
    run(t, oras, 'attach', '--disable-path-validation', '--plain-http', '--artifact-type', type, `${host}/app:v1`, file)
  await attach('test/one')
  await attach('test/two')
  const discover = ['discover', '--plain-http', '--format', 'json', '--artifact-type', 'test/two', `${host}/app:v1`]
  const found = JSON.parse(await run(t, oras, ...discover)) as Record<string, { artifactType: string }[]>
  const list = found.manifests ?? found.referrers
  assert.deepEqual(
    list?.map(({ artifactType }) => artifactType),
    ['test/two'],
  )
  // It did not fall back to the tag that stands for the API where there is none.
  assert.deepEqual(await (await call('app/tags/list')).json(), { name: 'app', tags: ['v1'] })
})

test('skopeo pushes an image, in chunks, and reads the same digest', async (t) => {
  const skopeo = await tool(t, 'skopeo')
  if (skopeo === undefined) return
  const { host } = await startRegistry(t)
  const path = join(temporaryFolder(t), 'image')
  const store = await openStore({ transport: 'oci', path }, { mode: 'write' })
  await pushImage(store, image)
  await store.tag(image.manifest, 'v1')
  await store.close()
  await run(t, skopeo, 'copy', '--dest-tls-verify=false', `oci:${path}:v1`, `docker://${host}/app:v1`)
  const inspected = await run(t, skopeo, 'inspect', '--tls-verify=false', `docker://${host}/app:v1`)
  assert.equal(JSON.parse(inspected).Digest, image.manifest.digest)
  await run(t, skopeo, 'delete', '--tls-verify=false', `docker://${host}/app:v1`)
})

test('crane copies between repositories by mounts', async (t) => {
  const crane = await tool(t, 'crane')
  if (crane === undefined) return
  const { host, call, pushImage } = await startRegistry(t)
  await pushImage('app', 'v1', image)
  await run(t, crane, 'copy', `${host}/app:v1`, `${host}/other/place:v2`)
  assert.equal(await run(t, crane, 'digest', `${host}/other/place:v2`), image.manifest.digest)
  await run(t, crane, 'validate', '--remote', `${host}/other/place:v2`)
  assert.equal(await run(t, crane, 'catalog', host), 'app\nother/place')
  assert.equal((await call(`other/place/blobs/${image.layers[0]!.digest}`, { method: 'HEAD' })).status, 200)
})

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { encodeIndex } from '../../src/document/manifest.js'
import { OCI_INDEX } from '../../src/document/mediatype.js'
import { createMemoryStore } from '../../src/memory.js'
import { memoryRepositories } from '../../src/server/repositories.js'
import { describe, pushImage, smallImage } from '../images.js'
import { type EcrOptions, startEcr } from './ecr.js'

const image = smallImage([{ name: 'a', data: 'a' }])
const other = smallImage([{ name: 'b', data: 'b' }])
const REGISTRY = '123456789012'

async function start(t: TestContext, options: EcrOptions = {}) {
  const store = createMemoryStore()
  const ecr = await startEcr({ repositories: memoryRepositories(new Map([['app', store]])), ...options })
  t.after(() => ecr.close())
  const call = async (action: string, asked: object): Promise<Record<string, unknown>> => {
    const headers = { 'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${action}` }
    const body = JSON.stringify({ registryId: REGISTRY, repositoryName: 'app', ...asked })
    return (await (await fetch(ecr.url, { method: 'POST', body, headers })).json()) as Record<string, unknown>
  }
  return { store, ecr, call, remove: (...imageIds: object[]) => call('BatchDeleteImage', { imageIds }) }
}

test('ECR API: images are listed in pages, with or without tags', async (t) => {
  const { store, call } = await start(t)
  await pushImage(store, image)
  await pushImage(store, other)
  for (const tag of ['v1', 'v2']) await store.tag(image.manifest, tag)
  const imageDigest = image.manifest.digest
  const tagged = [
    { imageTag: 'v1', imageDigest },
    { imageTag: 'v2', imageDigest },
  ]
  assert.deepEqual(await call('ListImages', { filter: { tagStatus: 'TAGGED' } }), { imageIds: tagged })
  const first = await call('ListImages', { maxResults: 1 })
  assert.deepEqual(first.imageIds, tagged.slice(0, 1))
  assert.deepEqual(await call('ListImages', { maxResults: 1, nextToken: first.nextToken }), {
    imageIds: tagged.slice(1),
  })
  const none = await call('ListImages', { repositoryName: 'none' })
  assert.equal(none.__type, 'RepositoryNotFoundException')
})

test('ECR API: images are described with their tags, sizes and kinds', async (t) => {
  const { store, call } = await start(t)
  await pushImage(store, image)
  for (const tag of ['v1', 'v2']) await store.tag(image.manifest, tag)
  const { imageDetails } = await call('DescribeImages', { imageIds: [{ imageTag: 'v2' }] })
  assert.deepEqual(imageDetails, [
    {
      registryId: REGISTRY,
      repositoryName: 'app',
      imageDigest: image.manifest.digest,
      imageStatus: 'ACTIVE',
      imageTags: ['v1', 'v2'],
      imageManifestMediaType: image.manifest.mediaType,
      imageSizeInBytes: [image.config, ...image.layers].reduce((sum, { size }) => sum + size, 0),
      artifactMediaType: 'application/vnd.oci.image.config.v1+json',
    },
  ])
  assert.deepEqual((await call('DescribeImages', { filter: { tagStatus: 'UNTAGGED' } })).imageDetails, [])
  const missing = await call('DescribeImages', { imageIds: [{ imageTag: 'v1' }, { imageTag: 'v3' }] })
  assert.equal(missing.__type, 'ImageNotFoundException')
})

test('ECR API: archived images, when they were pushed, and small pages', async (t) => {
  const { store, ecr, call } = await start(t, { pageSize: 1 })
  for (const [tag, one] of [
    ['v1', image],
    ['v2', other],
  ] as const) {
    await pushImage(store, one)
    await store.tag(one.manifest, tag)
  }
  const date = new Date('2026-01-02T03:04:05Z')
  ecr.setPushedAt('app', image.manifest.digest, date)
  ecr.archive('app', other.manifest.digest)
  const described = async (imageStatus?: string) => {
    const found: Record<string, unknown>[] = []
    let nextToken: unknown
    do {
      const answer = await call('DescribeImages', { nextToken, ...(imageStatus && { filter: { imageStatus } }) })
      const details = answer.imageDetails as Record<string, unknown>[]
      assert.ok(details.length <= 1)
      found.push(...details)
      nextToken = answer.nextToken
    } while (nextToken !== undefined)
    return found.map(({ imageTags, imageStatus: status, imagePushedAt }) => [imageTags, status, imagePushedAt])
  }
  const [active, archived] = [
    [['v1'], 'ACTIVE', date.getTime() / 1000],
    [['v2'], 'ARCHIVED', undefined],
  ]
  assert.deepEqual(await described('ACTIVE'), [active])
  assert.deepEqual(await described('ARCHIVED'), [archived])
  const all = await described()
  assert.deepEqual(all.sort(), [active, archived])
})

test('ECR API: tags are removed one by one, and an image goes with its last', async (t) => {
  const { store, remove } = await start(t)
  await pushImage(store, image)
  for (const tag of ['v1', 'v2', 'v3']) await store.tag(image.manifest, tag)
  const imageDigest = image.manifest.digest
  const removed = await remove({ imageTag: 'v1' }, { imageTag: 'v9' }, {}, { imageTag: 'v2', imageDigest: 'sha256:0' })
  assert.deepEqual(removed.imageIds, [{ imageTag: 'v1', imageDigest }])
  assert.deepEqual(
    (removed.failures as { failureCode: string }[]).map(({ failureCode }) => failureCode),
    ['ImageNotFound', 'MissingDigestAndTag', 'ImageTagDoesNotMatchDigest'],
  )
  assert.ok(await store.exists(image.manifest))
  await remove({ imageDigest })
  assert.equal(await store.exists(image.manifest), false)
  assert.deepEqual((await remove({ imageTag: 'v2' })).imageIds, [])
})

test('ECR API: what an index lists cannot be deleted before the index', async (t) => {
  const { store, remove } = await start(t)
  await pushImage(store, image)
  const bytes = encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [image.manifest] })
  const index = describe(OCI_INDEX, bytes)
  await store.push(index, bytes)
  await store.tag(index, 'multi')
  const child = { imageDigest: image.manifest.digest }
  const { failures } = await remove(child)
  assert.equal((failures as { failureCode: string }[])[0]!.failureCode, 'ImageReferencedByManifestList')
  await remove({ imageTag: 'multi' })
  assert.equal(await store.exists(index), false)
  assert.ok(await store.exists(image.manifest)) // as in ECR, what it listed stays
})

test('ECR API and registry: what a policy refuses is refused, told and recorded', async (t) => {
  const { ecr, remove, store } = await start(t, { policy: (action) => !/Delete|PutImage/.test(action) })
  await pushImage(store, image)
  const { __type, message } = await remove({ imageTag: 'v1' })
  assert.equal(__type, 'AccessDeniedException')
  assert.match(
    String(message),
    /perform: ecr:BatchDeleteImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository\/app /,
  )
  const authorization = `Basic ${ecr.authorizationToken()}`
  const ask = (path: string, method: string) =>
    fetch(`${ecr.url}/v2/app/${path}`, { method, headers: { authorization } })
  assert.equal((await ask(`manifests/${image.manifest.digest}`, 'GET')).status, 200)
  const put = await ask('manifests/v1', 'PUT')
  assert.equal(put.status, 403)
  assert.match(await put.text(), /"DENIED".*not authorized to perform: ecr:PutImage/)
  assert.equal((await ask('manifests/v1', 'DELETE')).status, 403)
  ecr.setPolicy(undefined)
  assert.equal((await ask('manifests/v1', 'DELETE')).status, 405)
  assert.deepEqual(
    ecr.calls.map(({ action, allowed }) => `${action} ${allowed}`),
    [
      'ecr:BatchDeleteImage false',
      'ecr:BatchGetImage true',
      'ecr:PutImage false',
      'ecr:PutImage false',
      'ecr:PutImage true',
    ],
  )
})

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { memoryRepositories, openStore, parseReference, type Store } from '@sociable/oci'
import { RegistryClient } from '@sociable/oci/registry'
import {
  convert,
  copyImage,
  inspect,
  listTags,
  type PrunedImage,
  type PruneOptions,
  prune,
  verify,
} from '../src/index.js'
import { makeLayout, temporaryFolder } from './cli/layout.js'
import { run } from './cli/run.js'
import { TestFolder } from './support/folder.js'
import type { LayoutBuilder, RawDescriptor } from './support/layout.js'
import { doubles, type Kind, startRegistry, writes } from './support/registries.js'
import { AMD64, ARM64, layer, NAMED_APP, SMALL } from './support/samples.js'

const folder = new TestFolder()
const KINDS: readonly Kind[] = ['docker-registry', 'our own']

function platformImage(layout: LayoutBuilder, seed: string, platform: object = AMD64): RawDescriptor {
  return layout.manifest([layer(layout, seed)], { ...platform, author: seed }, { platform })
}

function image(...seeds: string[]): string {
  return `oci:${folder.layout((layout) =>
    layout.top(
      layout.imageIndex(
        seeds.map((seed, i) => platformImage(layout, seed, i === 0 ? AMD64 : ARM64)),
        {},
        NAMED_APP,
      ),
    ),
  )}:app`
}

/** What a registry has of a repository, looked at without the library's verbs. */
async function openRepository(t: TestContext, host: string, repository: string): Promise<Store> {
  const registries = new RegistryClient({ plainHttp: true })
  t.after(() => registries.close())
  return await openStore(parseReference(`${host}/${repository}`), { registries })
}

const hasDigest = async (store: Store, digest: string): Promise<boolean> =>
  await store.resolve(digest).then(
    () => true,
    () => false,
  )

const states = (images: readonly PrunedImage[]) =>
  Object.fromEntries(images.map(({ image, state, reason }) => [image.split('/').slice(1).join('/'), [state, reason]]))

for (const kind of KINDS) {
  test(`${kind}: images whose origin is gone or another are deleted, with what only they use`, async (t) => {
    const registry = await startRegistry(t, kind)
    if (registry === undefined) return
    const { host } = registry
    const store = await openRepository(t, host, 'app/web')
    const make = async (tag: string, ...seeds: string[]) => {
      await copyImage(image(...seeds), `${host}/app/web:${tag}`)
      return await convert(`${host}/app/web:${tag}`, undefined, SMALL)
    }
    await make('live', 'live', 'shared')
    const moved = await make('moved', 'old', 'shared')
    const gone = await make('gone', 'gone')
    await make('renamed', 'renamed')
    await copyImage(image('new'), `${host}/app/web:moved`)
    await copyImage(`${host}/app/web:renamed-soci`, `${host}/app/web:production`)
    await copyImage(image('mine'), `${host}/app/web:mine-soci`)
    await copyImage(image('elsewhere'), `${host}/other:x`)
    await convert(`${host}/other:x`, undefined, SMALL)
    for (const tag of ['gone', 'renamed']) await store.delete!(await store.resolve(tag))
    const other = await openRepository(t, host, 'other')
    await other.delete!(await other.resolve('x'))

    registry.seen()
    const select: PruneOptions = { repositories: ['app/*'] }
    const dry = await prune(host, select)
    assert.deepEqual(states(dry.images), {
      'app/web:gone-soci': ['stale', 'gone is gone'],
      'app/web:live-soci': ['kept', 'it is of live'],
      'app/web:mine-soci': ['kept', 'it has no SOCI index (v2)'],
      'app/web:moved-soci': ['stale', 'moved is another image'],
      'app/web:renamed-soci': ['kept', 'renamed is gone, but production is the same image'],
    })
    assert.deepEqual([dry.deleted, dry.stale, dry.kept, dry.failed], [0, 2, 3, 0])
    assert.deepEqual(writes(registry.seen()), [])
    const [amd64, arm64] = moved.images
    const planned = dry.images.find(({ image }) => image.endsWith(':moved-soci'))!.manifests
    assert.deepEqual(
      planned.toSorted(),
      [moved.digest, amd64!.manifest.digest, amd64!.index!.digest].toSorted(),
      'the other platform is of the live image, too',
    )
    const one = await prune(host, { ...select, tags: ['gone'] })
    assert.deepEqual(Object.keys(states(one.images)), ['app/web:gone-soci'])

    const real = await prune(host, { ...select, delete: true })
    assert.deepEqual([real.deleted, real.stale, real.kept, real.failed], [2, 0, 3, 0])
    assert.deepEqual(
      real.images.map(({ manifests }) => manifests.toSorted()),
      dry.images.map(({ manifests }) => manifests.toSorted()),
      'the dry run said what would be deleted',
    )
    const tags = ['live', 'live-soci', 'mine-soci', 'moved', 'production', 'renamed-soci']
    assert.deepEqual([...(await listTags(`${host}/app/web`))].sort(), tags)
    for (const { digest, images } of [moved, gone])
      for (const one of [digest, images[0]!.manifest.digest, images[0]!.index!.digest])
        assert.equal(await hasDigest(store, one), false, one)
    assert.ok(await hasDigest(store, arm64!.manifest.digest))
    for (const tag of ['live', 'production']) {
      const name = `${host}/app/web:${tag === 'live' ? 'live-soci' : tag}`
      assert.deepEqual([(await verify(name)).findings, (await inspect(name)).sociEnabled], [[], true], name)
    }
    assert.deepEqual([...(await listTags(`${host}/other`))], ['x-soci'])

    registry.seen()
    const again = await prune(host, { ...select, delete: true })
    assert.deepEqual([again.deleted, again.kept, writes(registry.seen())], [0, 3, []])
  })
}

test('a start layer and 30 platforms make no other image of it', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host } = registry
  const cwd = await temporaryFolder(t)
  await (await makeLayout(`${cwd}/image`)).add('app', [{ 'etc/conf': 'a', 'bin/app': 'b'.repeat(5000) }])
  await copyImage(`oci:${cwd}/image:app`, `${host}/app:1`)
  const profile = { version: 1, files: [{ path: '/etc/conf' }] } as const
  const { images } = await convert(`${host}/app:1`, undefined, { ...SMALL, profile })
  assert.ok(images[0]!.startLayer !== undefined, 'its config is another')
  const many = folder.layout((layout) => {
    const all = Array.from({ length: 30 }, (_, i) =>
      platformImage(layout, `p${i}`, { os: 'linux', architecture: 'arm', variant: `v${i}` }),
    )
    layout.top(layout.imageIndex(all, {}, NAMED_APP))
  })
  await copyImage(`oci:${many}:app`, `${host}/app:30`)
  await convert(`${host}/app:30`, undefined, SMALL)
  assert.deepEqual(states((await prune(host, { delete: true })).images), {
    'app:1-soci': ['kept', 'it is of 1'],
    'app:30-soci': ['kept', 'it is of 30'],
  })
  await copyImage(image('other'), `${host}/app:1`)
  await copyImage(image('p1'), `${host}/app:30`)
  const { images: found } = await prune(host, { delete: true })
  assert.deepEqual(
    found.map(({ state, manifests }) => [state, manifests.length]),
    [
      ['deleted', 3],
      ['deleted', 61],
    ],
  )
})

test('an origin that is listed but cannot be read is not gone; an image in an index of a tag is in use', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host, proxy } = registry
  await copyImage(image('a'), `${host}/app:a`)
  const { digest, size, mediaType } = await convert(`${host}/app:a`, undefined, SMALL)
  proxy.setFault(({ path }) => (path.endsWith('/manifests/a') ? { kind: 'answer', status: 404 } : undefined))
  const listed = await prune(host, { delete: true })
  assert.deepEqual(states(listed.images), { 'app:a-soci': ['kept', 'a is listed, but cannot be read'] })
  proxy.setFault(({ path }) => (path.endsWith('/manifests/a') ? { kind: 'answer', status: 403 } : undefined))
  assert.deepEqual((await prune(host, { delete: true })).failed, 1)
  proxy.setFault(undefined)

  const store = await openRepository(t, host, 'app')
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ mediaType, digest, size }],
    }),
  )
  const { digestOf } = await import('@sociable/oci')
  const index = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digestOf(bytes), size: bytes.length }
  await store.push(index, bytes)
  await store.tag(index, 'bundle')
  await store.delete!(await store.resolve('a'))
  const nested = await prune(host, { delete: true })
  assert.deepEqual(states(nested.images), { 'app:a-soci': ['kept', 'a is gone, but bundle lists it'] })
  assert.equal((await inspect(`${host}/app:a-soci`)).sociEnabled, true)
})

test('a registry that deletes nothing fails each image with the reason, and other tags of a template are found', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host, proxy } = registry
  await copyImage(image('a'), `${host}/app:a`)
  await convert(`${host}/app:a`, `${host}/app:lazy-a.x`, SMALL)
  const store = await openRepository(t, host, 'app')
  await store.delete!(await store.resolve('a'))
  proxy.setFault(({ method }) => (method === 'DELETE' ? { kind: 'answer', status: 405 } : undefined))
  const args = ['prune', host, '--soci-tag', 'lazy-{tag}.x']
  const failed = await run([...args, '--yes', '--json'])
  assert.equal(failed.status, 1)
  assert.match(JSON.parse(failed.out).images[0].reason, /405/)
  const old = await run([...args, '--yes', '--older-than', '1d'])
  assert.match(old.out, /kept .*app:lazy-a\.x +a is gone; the registry does not tell when it was pushed/)
  proxy.setFault(undefined)
  const dry = await run(args)
  assert.deepEqual([dry.status, await listTags(`${host}/app`)], [0, ['lazy-a.x']])
  assert.match(dry.err, /0 deleted, 1 stale, 0 kept, 0 failed\n.*--yes/)
  assert.equal((await run([...args, '--yes'])).status, 0)
  assert.deepEqual(await listTags(`${host}/app`), [])
  for (const template of ['soci', '{tag}', '{tag}{tag}-', '-{tag}'])
    assert.equal((await run(['prune', host, `--soci-tag=${template}`])).status, 2, template)
  await assert.rejects(prune(host, { sociTag: 'soci' }), TypeError)
})

test('Amazon ECR: by its API, with the time of the push, also where tags are immutable', async (t) => {
  const { selfSignedCertificate, startConnectProxy, startEcr } = await doubles()
  const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
  const STORAGE = 'prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com'
  const tls = selfSignedCertificate([HOST, STORAGE])
  const repositories = memoryRepositories()
  const ecr = await startEcr({ repositories, existing: ['app'], immutable: ['app'], tls, storageName: STORAGE })
  const proxy = await startConnectProxy((host) =>
    host === HOST ? ecr.host : host === STORAGE ? ecr.storage.host : undefined,
  )
  t.after(async () => {
    for (const one of [proxy, ecr]) await one.close()
  })
  const cwd = await temporaryFolder(t)
  writeFileSync(join(cwd, 'ca.pem'), tls.certificate)
  const env = {
    HOME: cwd,
    NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'),
    HTTPS_PROXY: proxy.url,
    AWS_ENDPOINT_URL_ECR: ecr.url,
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const sociable = async (...args: string[]) => {
    const result = await run(args, { cwd, env })
    assert.equal(result.status, 0, result.err)
    return result
  }
  for (const tag of ['1', '2']) {
    await sociable('copy', image(`ecr-${tag}`), `${HOST}/app:${tag}`)
    await sociable('convert', `${HOST}/app:${tag}`, '--min-layer-size', '0')
  }
  const store = (await repositories.open('app'))!
  const before = await store.resolve('1-soci')
  await store.untag!('1')
  const young = await sociable('prune', HOST, '--older-than', '1d', '--yes')
  assert.match(young.out, /kept .*app:1-soci +1 is gone; pushed after /)
  assert.match(young.out, /kept .*app:2-soci +it is of 2/)
  const deleted = await sociable('prune', HOST, '--repository', 'a*', '--yes', '--json')
  const { images } = JSON.parse(deleted.out) as Awaited<ReturnType<typeof prune>>
  assert.deepEqual(
    images.map(({ state, manifests }) => [state, manifests.length]),
    [
      ['deleted', 3],
      ['kept', 0],
    ],
  )
  assert.ok(Date.parse(images[0]!.pushedAt!) <= Date.now())
  assert.deepEqual(images[0]!.digest, before.digest)
  for (const digest of images[0]!.manifests) assert.equal(await store.sizeOf(digest), undefined)
  assert.ok(ecr.calls.some(({ action }) => action === 'ecr:BatchDeleteImage'))
  assert.equal((await inspectIn(sociable, `${HOST}/app:2-soci`)).sociEnabled, true)

  await store.untag!('2')
  ecr.setPolicy((action) => action !== 'ecr:BatchDeleteImage')
  const refused = await run(['prune', HOST, '--yes'], { cwd, env })
  assert.equal(refused.status, 1)
  assert.match(refused.out, /failed .*app:2-soci .*Amazon ECR did not delete .*\(ecr:BatchDeleteImage\)/)
})

async function inspectIn(
  sociable: (...args: string[]) => Promise<{ readonly out: string }>,
  name: string,
): Promise<{ readonly sociEnabled: boolean }> {
  return JSON.parse((await sociable('inspect', name, '--json')).out)
}

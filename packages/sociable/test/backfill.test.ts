import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backfill, copyImage, inspect, listTags } from '../src/index.js'
import { finished, run, start } from './cli/run.js'
import { TestFolder } from './support/folder.js'
import { type Kind, startRegistry, writes } from './support/registries.js'
import { AMD64, layer, NAMED_APP, SMALL, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const KINDS: readonly Kind[] = ['docker-registry', 'our own']
const ALL = { minLayerSize: SMALL.minLayerSize }

function image(seed: string): string {
  return `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, seed)], AMD64, NAMED_APP)))}:app`
}

for (const kind of KINDS) {
  test(`${kind}: matching tags are converted, and a second run writes nothing`, async (t) => {
    const registry = await startRegistry(t, kind)
    if (registry === undefined) return
    const { host } = registry
    await copyImage(`oci:${folder.layout(twoPlatforms)}:app`, `${host}/app/web:1`)
    await copyImage(image('two'), `${host}/app/web:2`)
    await copyImage(image('job'), `${host}/app/job:1`)
    await copyImage(image('other'), `${host}/other:1`)
    await copyImage(image('signed'), `${host}/app/web:sha256-${'a'.repeat(64)}.sig`)
    const select = { ...ALL, repositories: ['app/*'] }

    registry.seen()
    const planned = await backfill(host, { ...select, dryRun: true })
    assert.deepEqual([planned.done, planned.pending, planned.failed], [0, 3, 0])
    const one = await backfill(host, { ...select, dryRun: true, tags: ['2'] })
    assert.deepEqual(
      one.images.map(({ image, state }) => [image, state]),
      [[`${host}/app/web:2`, 'pending']],
    )
    assert.deepEqual(writes(registry.seen()), [])

    const limited = await backfill(host, { ...select, limit: 1 })
    assert.deepEqual([limited.done, limited.pending, limited.failed], [1, 2, 0])
    const rest = await backfill(host, select)
    assert.deepEqual([rest.done, rest.pending, rest.failed], [2, 0, 0])
    for (const name of ['app/web:1', 'app/web:2', 'app/job:1'])
      assert.equal((await inspect(`${host}/${name}-soci`)).sociEnabled, true, name)
    assert.deepEqual(await listTags(`${host}/other`), ['1'])

    registry.seen()
    const again = await backfill(host, select)
    assert.deepEqual([again.done, again.pending, again.failed], [0, 0, 0])
    const reasons = new Map(again.images.map(({ image, reason }) => [image, reason]))
    assert.equal(reasons.get(`${host}/app/web:1`), 'has an index')
    assert.equal(reasons.get(`${host}/app/web:1-soci`), 'SOCI-enabled')
    assert.match(reasons.get(`${host}/app/web:sha256-${'a'.repeat(64)}.sig`)!, /^a signature/)
    assert.deepEqual(writes(registry.seen()), [])
  })

  test(`${kind}: a run that is killed is continued by the next`, async (t) => {
    const registry = await startRegistry(t, kind)
    if (registry === undefined) return
    const { host, proxy } = registry
    const tags = ['1', '2', '3', '4']
    for (const tag of tags) await copyImage(image(`killed-${tag}`), `${host}/app:${tag}`)
    const args = ['backfill', host, '--min-layer-size', '0', '--concurrency', '1']
    const child = start(args)
    proxy.setFault(({ method, path }) => {
      if (method !== 'PUT' || !path.endsWith('/manifests/3-soci')) return undefined
      child.kill('SIGKILL')
      return { kind: 'answer', status: 503 } // not passed on: whether it still arrives would be a matter of luck
    })
    assert.equal((await finished(child)).signal, 'SIGKILL')
    proxy.setFault(undefined)
    const former = (await listTags(`${host}/app`)).filter((tag) => tag.endsWith('-soci'))
    assert.deepEqual(former.sort(), ['1-soci', '2-soci'])
    const from = proxy.requests.length
    const next = await run([...args, '--json'])
    assert.equal(next.status, 0, next.err)
    assert.equal(JSON.parse(next.out).done, 4 - former.length)
    const tagged = proxy.requests
      .slice(from)
      .flatMap(({ method, path }) => (method === 'PUT' ? (/\/manifests\/(\d-soci)$/.exec(path)?.[1] ?? []) : []))
    assert.deepEqual(
      tagged.sort(),
      tags.map((tag) => `${tag}-soci`).filter((tag) => !former.includes(tag)),
    )
  })
}

test('a tag without room for -soci and another image at TAG-soci are skipped; a failure does not stop the others', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host, proxy } = registry
  const long = 'a'.repeat(124)
  for (const tag of [long, 'b', 'b-soci', 'c', 'd']) await copyImage(image(`skip-${tag}`), `${host}/app:${tag}`)
  proxy.setFault(({ method, path }) =>
    method !== 'PUT' && path.endsWith('/manifests/c') ? { kind: 'answer', status: 403 } : undefined,
  )
  const { status, out } = await run(['backfill', host, '--min-layer-size', '0', '--json', '--tag', `${long},b,c,d`])
  const { images } = JSON.parse(out) as Awaited<ReturnType<typeof backfill>>
  assert.deepEqual(
    images.map(({ state }) => state),
    ['skipped', 'skipped', 'failed', 'done'],
  )
  assert.match(images[0]!.reason!, /124 characters/)
  assert.match(images[1]!.reason!, /another image/)
  assert.equal(status, 1)
})

test('the command refuses what is not a registry, and what is not an age', async () => {
  assert.equal((await run(['backfill', 'registry.example/app'])).status, 2)
  assert.equal((await run(['backfill', 'registry.example', '--since', 'soon'])).status, 2)
})

test('--since skips images that were created earlier, and keeps those without a creation time', async (t) => {
  const registry = await startRegistry(t, 'our own')
  if (registry === undefined) return
  const { host } = registry
  for (const created of ['2020-01-01T00:00:00Z', '2025-01-01T00:00:00Z', undefined]) {
    const path = folder.layout((layout) =>
      layout.top(layout.manifest([layer(layout, `since-${created}`)], { ...AMD64, created }, NAMED_APP)),
    )
    await copyImage(`oci:${path}:app`, `${host}/app:${created?.slice(0, 4) ?? 'unknown'}`)
  }
  const { images } = await backfill(host, { ...ALL, since: new Date('2024-01-01'), dryRun: true })
  assert.deepEqual(
    images.map(({ image, state }) => [image.split(':').at(-1), state]),
    [
      ['2020', 'skipped'],
      ['2025', 'pending'],
      ['unknown', 'pending'],
    ],
  )
})

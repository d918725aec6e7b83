import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from '@sociable/oci'
import { convert, createIndex, listTags, waitForIndex } from '../src/index.js'
import { run } from './cli/run.js'
import { TestFolder } from './support/folder.js'
import { AMD64, layer, NAMED_APP, SMALL, twoManifests, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const ONCE = { timeout: 0 }

/** Waits without a clock: `steps` run one after the other at the looks that found nothing. */
async function waitThrough(image: string, steps: readonly (() => Promise<unknown>)[]) {
  const reasons: string[] = []
  const working: Promise<unknown>[] = []
  const result = await waitForIndex(image, {
    timeout: 60_000,
    interval: 1,
    onWait: (reason) => {
      if (reasons.at(-1) !== reason) reasons.push(reason)
      const step = steps[working.length]
      if (step !== undefined) working.push(step())
    },
  })
  await Promise.all(working)
  return { result, reasons }
}

test('an image with an index of its own is ready at once, v1 and v2', async () => {
  const path = folder.layout(twoPlatforms)
  const { digest } = await convert(`oci:${path}:app`, `oci:${path}:other`, SMALL)
  assert.deepEqual(await waitForIndex(`oci:${path}:other`, ONCE), {
    ready: true,
    image: `oci:${path}:other@${digest}`,
    digest,
  })
  await createIndex(`oci:${path}:app`, SMALL)
  assert.equal((await waitForIndex(`oci:${path}:app`, ONCE)).ready, true)
})

test('the image that convert makes beside it is waited for, and named by its digest', async () => {
  const path = folder.layout(twoPlatforms)
  let digest: string | undefined
  const { result, reasons } = await waitThrough(`oci:${path}:app`, [
    async () => {
      digest = (await convert(`oci:${path}:app`, undefined, SMALL)).digest
    },
  ])
  assert.deepEqual(result, { ready: true, image: `oci:${path}:app-soci@${digest}`, digest })
  assert.match(reasons[0]!, /has no image "app-soci"/)
})

test('an index of an earlier push does not count', async () => {
  const path = folder.layout((layout) => {
    const app = layout.imageIndex(twoManifests(layout), {}, NAMED_APP)
    const newer = layout.manifest([layer(layout, 'newer')], AMD64)
    layout.top(app, { ...newer, annotations: { 'org.opencontainers.image.ref.name': 'newer' } })
  })
  await convert(`oci:${path}:app`, undefined, SMALL)
  assert.equal((await waitForIndex(`oci:${path}:app`, ONCE)).ready, true)
  const store = await openStore(`oci:${path}`, { mode: 'write' })
  await store.tag(await store.resolve('newer'), 'app')
  await store.close()
  const { ready, reason } = await waitForIndex(`oci:${path}:app`, ONCE)
  assert.equal(ready, false)
  assert.match(reason!, /app-soci/)
})

test('an image that is not there yet is waited for; what no waiting helps fails', async () => {
  const path = folder.layout(twoPlatforms)
  const missing = await waitForIndex(`oci:${path}:later`, ONCE)
  assert.equal(missing.ready, false)
  assert.match(missing.reason!, /has no image "later"/)
  await assert.rejects(waitForIndex('registry.example/UPPER:1', ONCE), { name: 'ImageReferenceError' })
  const gone = new AbortController()
  gone.abort(new Error('enough'))
  await assert.rejects(waitForIndex(`oci:${path}:later`, { signal: gone.signal }), /enough/)
})

test('the command: 0 and the image when there is an index, 1 and the reason when the time is over', async () => {
  const path = folder.layout(twoPlatforms)
  const late = await run(['wait', `oci:${path}:app`, '--timeout', '0', '--quiet'])
  assert.equal(late.status, 1)
  assert.equal(late.out, '')
  assert.match(late.err, /^error: oci:.*:app: no SOCI index when the time was over\n.*app-soci/)
  await convert(`oci:${path}:app`, undefined, SMALL)
  const ready = await run(['wait', `oci:${path}:app`, '--timeout', '1h'])
  assert.deepEqual([ready.status, ready.err], [0, ''])
  assert.match(ready.out, /^oci:.*:app-soci@sha256:[0-9a-f]{64}\n$/)
  assert.equal((await run(['wait', `oci:${path}:app`, '--timeout', 'soon'])).status, 2)
})

test('tags: each name once, one per line', async () => {
  const path = folder.layout(twoPlatforms)
  await convert(`oci:${path}:app`, undefined, SMALL)
  assert.deepEqual(await listTags(`oci:${path}`), ['app', 'app-soci'])
  assert.equal((await run(['tags', `oci:${path}`])).out, 'app\napp-soci\n')
  assert.deepEqual(JSON.parse((await run(['tags', `oci:${path}`, '--json'])).out).tags, ['app', 'app-soci'])
})

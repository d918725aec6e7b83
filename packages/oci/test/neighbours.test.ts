// Two processes work on one layout or archive; one of them fails, is interrupted or is killed at each step in turn. What the other one named is there afterwards.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openStore } from '../src/open.js'
import type { Store } from '../src/store.js'
import { collect, pushImage, smallImage } from './images.js'
import { temporaryFolder } from './tools.js'

const RUNS = Number(process.env.SOCIABLE_NEIGHBOUR_RUNS ?? 20)
const image = smallImage([{ name: 'a', data: 'first' }], [{ name: 'b', data: 'second' }])
const blobs = [
  ...image.layers.map((layer, i) => [layer, image.layerBytes[i]!] as const),
  [image.config, image.configBytes] as const,
  [image.manifest, image.manifestBytes] as const,
]
const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
/** Pushes the image and names it, and ends in that way before the step of that number; says each step. */
const SCRIPT = `
import { openStore } from ${url('../src/open.js')}
import { smallImage } from ${url('./images.js')}
const [location, name, end, at, delay] = process.argv.slice(1)
const image = smallImage([{ name: 'a', data: 'first' }], [{ name: 'b', data: 'second' }])
let step = 0
let store
const next = async () => {
  process.stdout.write('.')
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay * Math.random()))
  if (step++ !== Number(at)) return
  if (end === 'killed') process.kill(process.pid, 'SIGKILL')
  if (end === 'interrupted') process.exit(130)
  await store?.close()
  process.exit(1)
}
await next()
store = await openStore(location, { mode: 'update' })
for (const [i, bytes] of image.layerBytes.entries()) {
  await next()
  await store.push(image.layers[i], bytes)
}
await next()
await store.push(image.config, image.configBytes)
await next()
await store.push(image.manifest, image.manifestBytes)
await next()
await store.tag(image.manifest, name)
await next()
await store.close()
`
const STEPS = 7

function child(...args: (string | number)[]): Promise<number | null> {
  const started = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, ...args.map(String)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return once(started, 'exit').then(([status]) => status as number | null)
}

/** All that the index names is there. */
async function assertWhole(location: string, ...names: string[]): Promise<void> {
  const store = await openStore(location)
  for (const name of names) assert.equal((await store.resolve(name)).digest, image.manifest.digest)
  for (const [descriptor, bytes] of blobs)
    assert.deepEqual(await collect(store.fetch(descriptor)), new Uint8Array(bytes))
  await store.close()
}

const kinds = { 'a new layout': 'oci', 'a new archive': 'oci-archive' } as const

for (const [what, transport] of Object.entries(kinds))
  describe(what, () => {
    for (const end of ['failed', 'interrupted', 'killed'] as const)
      test(`one process is ${end} at each step, and leaves nothing that the other one needs`, async (t) => {
        const folder = temporaryFolder(t)
        await Promise.all(
          Array.from({ length: STEPS }, async (_, at) => {
            const location = `${transport}:${join(folder, `${at}`)}`
            const store = await openStore(location, { mode: 'update' })
            await store.push(...blobs[0]!)
            assert.equal(
              await child(location, 'neighbour', end, at, 0),
              { failed: 1, interrupted: 130, killed: null }[end],
            )
            for (const [descriptor, bytes] of blobs) await store.push(descriptor, bytes)
            await store.tag(image.manifest, 'ours')
            await store.close()
            await assertWhole(location, 'ours')
          }),
        )
      })

    test('calls of two stores in any order, one of which gives up', async (t) => {
      for (let seed = 1; seed <= RUNS; seed++) {
        const location = `${transport}:${join(temporaryFolder(t), 'x')}`
        let state = seed
        const chance = (below: number) => {
          state = (state * 48271) % 2147483647
          return state % below
        }
        const [ours, theirs] = [
          await openStore(location, { mode: 'update' }),
          await openStore(location, { mode: 'update' }),
        ]
        const steps = (store: Store) =>
          blobs.map(
            ([descriptor, bytes]) =>
              () =>
                store.push(descriptor, bytes),
          )
        const first = [...steps(ours), () => ours.tag(image.manifest, 'ours'), () => ours.close()]
        const second = [...steps(theirs).slice(0, chance(blobs.length + 1)), () => theirs.close()]
        const running: Promise<void>[] = []
        while (first.length + second.length > 0) {
          const from = second.length === 0 || (first.length > 0 && chance(2) === 0) ? first : second
          const done = from.shift()!()
          // At times the other one goes on while this one runs
          if (from === first || chance(2) === 0) await done
          else running.push(done)
        }
        await Promise.all(running)
        await assertWhole(location, 'ours').catch((error) => {
          throw new Error(`seed ${seed}: ${error.message}`, { cause: error })
        })
      }
    })

    test('several at once: all results are kept', async (t) => {
      const folder = temporaryFolder(t)
      const location = `${transport}:${join(folder, 'x')}`
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
      const stores = await Promise.all(names.map(() => openStore(location, { mode: 'update' })))
      await Promise.all(
        stores.map(async (store, i) => {
          await pushImage(store, image)
          await store.tag(image.manifest, names[i]!)
          await store.close()
        }),
      )
      await assertWhole(location, ...names)
      assert.deepEqual(readdirSync(folder), ['x'])
    })
  })

test('processes on one layout and one archive, some killed at any moment: all that exited with 0 is there', async (t) => {
  for (const transport of Object.values(kinds)) {
    const folder = temporaryFolder(t)
    const location = `${transport}:${join(folder, 'x')}`
    const ends = await Promise.all([
      child(location, 'a', 'none', -1, 30),
      child(location, 'b', 'killed', 5, 30),
      child(location, 'c', 'none', -1, 30),
      child(location, 'd', 'failed', 4, 30),
    ])
    assert.deepEqual([ends[0], ends[2]], [0, 0])
    await assertWhole(location, 'a', 'c')
  }
})

test('what a killed process began in a new layout is removed by the next', async (t) => {
  const path = join(temporaryFolder(t), 'x')
  await child(`oci:${path}`, 'a', 'killed', 4, 0)
  assert.ok(existsSync(path))
  assert.equal(await child(`oci:${path}`, 'a', 'none', -1, 0), 0)
  assert.deepEqual(readdirSync(path).sort(), ['blobs', 'index.json', 'oci-layout'])
})

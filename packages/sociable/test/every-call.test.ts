// Every call to the destination fails in turn: before its effect, after it, or with the process ending there. Whatever it is, the
// destination's tag is what it was or what it should be, all that it names is there, and the next run finishes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemoryStore, type Store } from '@sociable/oci'
import { convert, copyImage, createIndex, inspect } from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { AMD64, layer, SMALL, twoPlatforms } from './support/samples.js'

const folder = new TestFolder()
const WAYS = ['before its effect', 'after its effect', 'the process ends there'] as const

/** Calls that this store counts, and that fail at a number. */
function failing(store: Store, at: number, way: (typeof WAYS)[number]): { store: Store; calls: () => number } {
  let calls = 0
  const fails = (): boolean => (way === 'the process ends there' ? calls >= at : calls === at)
  const call = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    calls++
    const isFailing = fails()
    if (isFailing && way !== 'after its effect') throw new Error(`call ${calls} failed`)
    const result = await work()
    if (isFailing) throw new Error(`call ${calls} failed after its effect`)
    return result
  }
  async function* stream<Item>(items: () => AsyncIterable<Item>): AsyncGenerator<Item> {
    await call(async () => {})
    yield* items()
  }
  return {
    calls: () => calls,
    store: {
      name: store.name,
      fetch: (...args) => stream(() => store.fetch(...args)),
      exists: (...args) => call(() => store.exists(...args)),
      push: (...args) => call(() => store.push(...args)),
      resolve: (...args) => call(() => store.resolve(...args)),
      tag: (...args) => call(() => store.tag(...args)),
      tags: (...args) => stream(() => store.tags(...args)),
      attach: (...args) => call(() => store.attach(...args)),
      referrers: (...args) => stream(() => store.referrers(...args)),
      close: () => store.close(),
    },
  }
}

interface Run {
  readonly name: string
  /** Makes the destination what it is before. */
  prepare(store: Store): Promise<unknown>
  work(store: Store): Promise<unknown>
}

const input = `oci:${folder.layout(twoPlatforms)}:app`
const former = `oci:${folder.layout((layout) => layout.top(layout.manifest([layer(layout, 'former')], AMD64)))}`

const RUNS: readonly Run[] = [
  {
    name: 'convert over a former image',
    prepare: (store) => convert(former, { store, reference: 'v' }, SMALL),
    work: (store) => convert(input, { store, reference: 'v' }, SMALL),
  },
  {
    name: 'convert within a store',
    prepare: (store) => copyImage(input, { store, reference: 'v' }),
    work: (store) => convert({ store, reference: 'v' }, { store, reference: 'v' }, SMALL),
  },
  {
    name: 'create',
    prepare: (store) => copyImage(input, { store, reference: 'v' }),
    work: (store) => createIndex({ store, reference: 'v' }, { ...SMALL, indexTag: 'index' }),
  },
  {
    name: 'copy over a former image',
    prepare: (store) => copyImage(former, { store, reference: 'v' }),
    work: (store) => copyImage(input, { store, reference: 'v' }),
  },
]

async function state(store: Store) {
  const { digest, images, sociEnabled } = await inspect({ store, reference: 'v' })
  return { digest, sociEnabled, problems: images.flatMap(({ problems }) => problems) }
}

describe('every call of a run fails in turn', () => {
  for (const { name, prepare, work } of RUNS)
    for (const way of WAYS)
      test(`${name}: ${way}`, async () => {
        const whole = createMemoryStore()
        await prepare(whole)
        const before = await state(whole)
        const counted = failing(whole, Number.POSITIVE_INFINITY, way)
        await work(counted.store)
        const after = await state(whole)
        let failures = 0
        for (let at = 1; at <= counted.calls(); at++) {
          const store = createMemoryStore()
          await prepare(store)
          await work(failing(store, at, way).store).catch(() => failures++)
          const found = await state(store)
          assert.ok(
            [before.digest, after.digest].includes(found.digest) && found.problems.length === 0,
            `call ${at}: ${JSON.stringify(found)}`,
          )
          for await (const tag of store.tags()) {
            const top = await store.resolve(tag)
            assert.ok(await store.exists(top), `call ${at}: ${tag}`)
          }
          await work(store)
          assert.deepEqual(await state(store), after, `after call ${at} the next run finishes`)
        }
        assert.ok(failures > counted.calls() / 2, `${failures} of ${counted.calls()} failed the run`)
      })
})

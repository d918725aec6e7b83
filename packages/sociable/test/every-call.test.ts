// Every call to the destination fails in turn: before its effect, after it, or with the process ending there. Whatever it is, the
// destination's tag is what it was or what it should be, all that it names is there, and the next run finishes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemoryStore } from '@sociable/oci'
import { faultyStore } from './support/faulty-store.js'
import { TestFolder } from './support/folder.js'
import { breakableRuns, stateOf } from './support/runs.js'

const folder = new TestFolder()
const WAYS = { 'before its effect': 'before', 'after its effect': 'after', 'the process ends there': 'dead' } as const

describe('every call of a run fails in turn', () => {
  for (const { name, prepare, work } of breakableRuns(folder))
    for (const [way, fault] of Object.entries(WAYS))
      test(`${name}: ${way}`, async () => {
        const whole = createMemoryStore()
        await prepare(whole)
        const before = await stateOf(whole)
        const counted = faultyStore(whole, () => undefined)
        await work(counted.store)
        const after = await stateOf(whole)
        let failures = 0
        for (let at = 1; at <= counted.calls(); at++) {
          const store = createMemoryStore()
          await prepare(store)
          const { store: failing } = faultyStore(store, ({ number }) => (number === at ? fault : undefined))
          await work(failing).catch(() => failures++)
          const found = await stateOf(store)
          assert.ok(
            [before.digest, after.digest].includes(found.digest) && found.problems.length === 0,
            `call ${at}: ${JSON.stringify(found)}`,
          )
          for await (const tag of store.tags()) {
            const top = await store.resolve(tag)
            assert.ok(await store.exists(top), `call ${at}: ${tag}`)
          }
          await work(store)
          assert.deepEqual(await stateOf(store), after, `after call ${at} the next run finishes`)
        }
        assert.ok(failures > counted.calls() / 2, `${failures} of ${counted.calls()} failed the run`)
      })
})

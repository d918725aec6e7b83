// Several faults at once, by chance that can be had again: of calls to a store, and of requests to a registry. Whatever they are, the
// destination's tag is what it was or what it should be, all that it names is there, and the next run finishes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemoryStore, memoryRepositories, openStore, type Store, serveRegistry } from '@sociable/oci'
import { RegistryClient } from '@sociable/oci/registry'
import type { Fault } from '../../oci/dist/test/doubles/fault.js'
import type { SeenRequest } from '../../oci/dist/test/doubles/fault-proxy.js'
import { again, type Chance, chance, seeds } from './support/chance.js'
import { faultyStore, type StoreFault } from './support/faulty-store.js'
import { TestFolder } from './support/folder.js'
import { doubles } from './support/registries.js'
import { breakableRuns, type RunState, stateOf } from './support/runs.js'

const folder = new TestFolder()
const RUNS = breakableRuns(folder)
/** Of a hundred calls, how many go wrong: few, so that a run gets far; or many, so that faults meet. */
const SHARES = [0.02, 0.05, 0.15, 0.4]
const IMPATIENT = { answerTimeout: 150, uploadTimeout: 150, pace: { bytes: 1000, milliseconds: 150 } }

async function check(store: Store, { before, after }: { before: RunState; after: RunState }): Promise<void> {
  const found = await stateOf(store)
  assert.ok(
    [before.digest, after.digest].includes(found.digest) && found.problems.length === 0,
    `the destination is neither what it was nor what it should be: ${JSON.stringify(found)}`,
  )
  for await (const tag of store.tags()) assert.ok(await store.exists(await store.resolve(tag)), `${tag} leads nowhere`)
}

/** Each seed's simulation; gives how many of its runs failed. */
async function simulate(count: number, run: (luck: Chance, share: number) => Promise<boolean>): Promise<void> {
  const all = seeds(count)
  let failed = 0
  for (const seed of all) {
    const luck = chance(seed)
    try {
      if (await run(luck, SHARES[luck.below(SHARES.length, 'share')]!)) failed++
    } catch (error) {
      throw new Error(`${again(seed)}: ${(error as Error).message}`, { cause: error })
    }
  }
  // Else it would prove nothing: faults that are all overcome, or never come
  if (all.length >= count) assert.ok(failed > count / 10, `only ${failed} of ${count} runs failed`)
}

/** How often it was asked, by what it is about. */
function counter(): (key: string) => number {
  const counts = new Map<string, number>()
  return (key) => {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count
  }
}

describe('several faults at once', () => {
  const STORE_FAULTS: readonly StoreFault[] = ['before', 'after', 'dead', 'break', 'damage']
  for (const { name, prepare, work } of RUNS)
    test(`of a store: ${name}`, async () => {
      const whole = createMemoryStore()
      await prepare(whole)
      const before = await stateOf(whole)
      await work(whole)
      const after = await stateOf(whole)
      await simulate(60, async (luck, share) => {
        const store = createMemoryStore()
        await prepare(store)
        const count = counter()
        let hasFailed = false
        // A user tries again, and again, while the faults go on
        for (let attempt = 1; attempt <= 3; attempt++) {
          const faulty = faultyStore(store, ({ name, about }) => {
            const key = `${name} ${about}`
            const question = `${key} ${count(key)}`
            if (luck.of(question) >= share) return undefined
            return STORE_FAULTS[luck.below(STORE_FAULTS.length, `which ${question}`)]
          })
          await work(faulty.store).catch(() => {
            hasFailed = true
          })
          await check(store, { before, after })
        }
        await work(store)
        assert.deepEqual(await stateOf(store), after, 'the next run does not finish')
        return hasFailed
      })
    })

  for (const { name, prepare, work } of RUNS)
    test(`of a registry: ${name}`, async (t) => {
      const { startFaultProxy } = await doubles()
      const server = await serveRegistry({ repositories: memoryRepositories() })
      t.after(() => server.close())
      const proxy = await startFaultProxy({ target: server.url })
      t.after(() => proxy.close())
      const open = async (host: string, repository: string): Promise<Store> => {
        const registries = new RegistryClient({
          credentials: async () => undefined,
          retry: { retries: 2, delay: 1, longestDelay: 4 },
          // So that silence is noticed within the test; without faults a slow machine is waited for
          ...(host === proxy.host && IMPATIENT),
        })
        t.after(() => registries.close())
        return openStore(`${host}/${repository}:v`, { registries })
      }
      const whole = await open(server.host, 'whole')
      await prepare(whole)
      const before = await stateOf(whole)
      await work(whole)
      const after = await stateOf(whole)
      await simulate(8, async (luck, share) => {
        const direct = await open(server.host, `run-${luck.seed}`)
        await prepare(direct)
        const count = counter()
        proxy.setFault((request) => {
          const key = keyOf(request)
          const question = `${key} ${count(key)}`
          return luck.of(question) < share ? requestFault(luck, question) : undefined
        })
        let hasFailed = false
        for (let attempt = 1; attempt <= 2; attempt++) {
          await work(await open(proxy.host, `run-${luck.seed}`)).catch(() => {
            hasFailed = true
          })
          await check(direct, { before, after })
        }
        await work(await open(server.host, `run-${luck.seed}`))
        assert.deepEqual(await stateOf(direct), after, 'the next run does not finish')
        return hasFailed
      })
    })
})

/** A request without what differs from run to run: the upload's name, and the repository. */
function keyOf({ method, path }: SeenRequest): string {
  return `${method} ${path.replace(/^\/v2\/[^/]+/, '').replace(/uploads\/[^?]*/, 'uploads/')}`
}

function requestFault(luck: Chance, question: string): Fault {
  const after = luck.below(3000, `bytes ${question}`)
  const faults: readonly Fault[] = [
    { kind: 'cut', after },
    { kind: 'cut-request', after },
    { kind: 'reset', when: 'before' },
    { kind: 'reset', when: 'after' },
    { kind: 'hang' },
    { kind: 'stall', after },
    { kind: 'wrong-bytes', at: after },
    { kind: 'wrong-length', by: 5 },
    { kind: 'wrong-length', by: -5 },
    { kind: 'endless' },
    { kind: 'short', after },
    { kind: 'redirect-loop' },
    // A platform whose manifest is not there is left as it is, with a warning: no fault of which a run could know
    ...[400, 401, 403, question.startsWith('GET /manifests/sha256:') ? 410 : 404, 429, 500, 503].map(
      (status): Fault => ({ kind: 'answer', status }),
    ),
    { kind: 'headers', headers: { 'docker-content-digest': undefined, location: undefined } },
    { kind: 'none', delay: 20 },
  ]
  return faults[luck.below(faults.length, `which ${question}`)]!
}

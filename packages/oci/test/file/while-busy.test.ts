import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whileBusy } from '../../src/file/while-busy.js'

/** A change that fails with these codes first. */
function failing(codes: readonly string[]): { readonly change: () => Promise<string>; tries: number } {
  const left = [...codes]
  const run = {
    tries: 0,
    async change() {
      run.tries++
      const code = left.shift()
      if (code !== undefined) throw Object.assign(new Error(code), { code })
      return 'done'
    },
  }
  return run
}

test('a file that another program has open is tried again', async () => {
  const run = failing(['EPERM', 'EACCES', 'EBUSY'])
  assert.equal(await whileBusy(run.change), 'done')
  assert.equal(run.tries, 4)
})

test('other failures are final, and one that stays is thrown', async (t) => {
  const other = failing(['ENOENT'])
  await assert.rejects(whileBusy(other.change), { code: 'ENOENT' })
  assert.equal(other.tries, 1)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const busy = failing(Array.from({ length: 100 }, () => 'EBUSY'))
  const ended = assert.rejects(whileBusy(busy.change), { code: 'EBUSY' })
  for (let i = 0; i < 20; i++) {
    t.mock.timers.tick(500)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ended
  assert.equal(busy.tries, 8)
})

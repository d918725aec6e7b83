import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LockFiles, withFileLock } from '../../src/file/file-lock.js'
import { encodeOwner, ownerNamed } from '../../src/file/owner.js'
import { temporaryFolder } from '../tools.js'

const MODULE = JSON.stringify(new URL('../../src/file/file-lock.js', import.meta.url).href)

/** Leaves the lock of a process that was killed. */
function killHolder(path: string): void {
  const script = `
    import { withFileLock } from ${MODULE}
    await withFileLock(${JSON.stringify(path)}, undefined, async () => process.kill(process.pid, 'SIGKILL'))`
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal, 'SIGKILL')
}

/** The file system, with calls for that path that fail first. */
const failing = (name: 'link' | 'rm', codes: string[], path: string): LockFiles => {
  const fail = (which: string, of: unknown) => {
    const code = which === name && of === path ? codes.shift() : undefined
    if (code !== undefined) throw Object.assign(new Error(code), { code })
  }
  return {
    ...fs,
    async link(from, to) {
      fail('link', to)
      await fs.link(from, to)
    },
    async rm(file, options) {
      fail('rm', file)
      await fs.rm(file, options)
    },
  }
}

test('a killed holder costs nothing, whatever the clock says, and one of many takes over', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'x.lock')
  for (const date of [new Date(0), new Date(), new Date('2099-01-01')]) {
    killHolder(path)
    utimesSync(path, date, date)
    let running = 0
    let done = 0
    const work = async () => {
      assert.equal(++running, 1)
      await new Promise((resolve) => setTimeout(resolve, 2))
      running--
      done++
    }
    await Promise.all(Array.from({ length: 20 }, () => withFileLock(path, undefined, work)))
    assert.equal(done, 20)
    assert.deepEqual(readdirSync(folder), [])
  }
})

test('a pid that another process has now is not the holder', { skip: process.platform !== 'linux' }, async (t) => {
  const path = join(temporaryFolder(t), 'x.lock')
  writeFileSync(path, encodeOwner({ ...ownerNamed('former'), started: '1' }))
  await withFileLock(path, undefined, async () => {})
})

test('a live holder is waited for, and waiting ends with the signal', async (t) => {
  const path = join(temporaryFolder(t), 'x.lock')
  await withFileLock(path, undefined, async () => {
    utimesSync(path, new Date(0), new Date(0))
    const waiting = withFileLock(path, AbortSignal.timeout(50), async () => assert.fail('two holders'))
    await assert.rejects(waiting, { name: /AbortError|TimeoutError/ })
  })
})

test('a file that names no holder is taken over', async (t) => {
  const path = join(temporaryFolder(t), 'x.lock')
  writeFileSync(path, '')
  await withFileLock(path, undefined, async () => assert.match(readFileSync(path, 'utf8'), /"pid":/))
})

test('who lost the lock changes nothing, and leaves the lock of who has it', async (t) => {
  const path = join(temporaryFolder(t), 'x.lock')
  const other = encodeOwner(ownerNamed('other'))
  const lost = withFileLock(path, undefined, async (lock) => {
    await fs.rm(path)
    writeFileSync(path, other)
    await lock.check()
  })
  await assert.rejects(lost, { code: 'UNREACHABLE', message: /taken over/ })
  assert.equal(readFileSync(path, 'utf8'), other)
})

test('a lock file in deletion, as Windows has it, and file systems without links', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'x.lock')
  for (const code of ['EPERM', 'EBUSY', 'EACCES']) {
    let ran = 0
    await withFileLock(path, undefined, async () => void ran++, failing('rm', [code, code], path))
    await withFileLock(path, undefined, async () => void ran++, failing('link', [code], path))
    assert.equal(ran, 2)
    assert.deepEqual(readdirSync(folder), [])
  }
  for (const code of ['EPERM', 'ENOTSUP', 'ENOSYS']) {
    let running = 0
    const work = async () => {
      assert.equal(++running, 1)
      await new Promise((resolve) => setTimeout(resolve, 2))
      running--
    }
    const files = failing('link', new Array(1000).fill(code), path)
    await Promise.all(Array.from({ length: 10 }, () => withFileLock(path, undefined, work, files)))
  }
  assert.deepEqual(readdirSync(folder), [])
})

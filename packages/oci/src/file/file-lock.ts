import { open, rm, stat } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { StoreError } from '../error.js'
import { fileError } from './random-access.js'

/** A lock is held for one small file's change. One that is older was left by a process that died. */
const STALE_AFTER = 30_000 // ms
const GIVE_UP_AFTER = 60_000 // ms
const RETRY_AFTER = 10 // ms

/** Runs `work` while no other holder of the lock file runs, in this process or another of this machine. */
export async function withFileLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const started = Date.now()
  while (!(await acquire(path))) {
    if (Date.now() - started > GIVE_UP_AFTER)
      throw new StoreError(
        'UNREACHABLE',
        `${path} has been there for ${GIVE_UP_AFTER / 1000} s: remove it if no other process uses the layout`,
      )
    await setTimeout(RETRY_AFTER * (1 + Math.random()), undefined, { signal })
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close()
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError(cause, path)
    const stats = await stat(path).catch(() => undefined)
    if (stats !== undefined && Date.now() - stats.mtimeMs > STALE_AFTER) await rm(path, { force: true })
    return false
  }
}

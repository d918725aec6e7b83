// A lock that is a file beside what it guards. Node has no flock, and libraries that do without decide by the file's age whether its holder has died, which a wrong
// clock breaks. Here the file names its holder from its first moment on (it is written elsewhere, then linked), and a waiting process asks the system whether that process
// runs. Where the system cannot tell (another machine or container), the holder's beats are counted, by the waiting process's own monotonic clock.
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { StoreError } from '../error.js'
import { removeAtExit } from './half-made.js'
import { decodeOwner, encodeOwner, ownerNamed, ownerState } from './owner.js'
import { fileError } from './random-access.js'
import { whileBusy } from './while-busy.js'

/** Milliseconds between two beats of a holder. */
const BEAT = 500
/** Milliseconds without a beat after which a holder counts as dead that the system cannot tell of. */
const SILENT_AFTER = 5000
/** The same for a file that names no holder: one that is being made is complete long before. */
const NAMELESS_AFTER = 1000
/** Milliseconds without a beat after which waiting for a live holder ends: it was stopped, or hangs. */
const GIVE_UP_AFTER = 60_000
/** Milliseconds after which waiting ends for something that is there and cannot be read: no lock file. One in deletion (Windows) goes before. */
const UNREADABLE_AFTER = 10_000
const RETRY_AFTER = 10 // ms

/** What a lock does to the file system. */
export type LockFiles = Pick<typeof fs, 'link' | 'open' | 'readFile' | 'rm'>

export interface HeldLock {
  /**
   * To be called right before what is guarded changes.
   * @throws StoreError UNREACHABLE where another took the lock over meanwhile: this process was stopped for so long that it counted as dead
   */
  check(): Promise<void>
}

/**
 * Runs `work` while no other holder of the lock runs, in this process or another. A holder that was killed is noticed at once on the same
 * machine, within 5 s on another one.
 * @throws StoreError UNREACHABLE where a live holder does nothing for a minute; DENIED where the folder cannot be written
 */
export async function withFileLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: (lock: HeldLock) => Promise<T>,
  files: LockFiles = fs,
): Promise<T> {
  const held = await acquire(path, signal, files)
  try {
    return await work(held)
  } finally {
    await held.release()
  }
}

interface Holding extends HeldLock {
  release(): Promise<void>
}

async function acquire(path: string, signal: AbortSignal | undefined, files: LockFiles): Promise<Holding> {
  const watch = watchHolder()
  let readable = performance.now()
  for (;;) {
    signal?.throwIfAborted()
    const text = await readLock(path, files)
    if (text === undefined) {
      const held = await tryAcquire(path, files)
      if (held !== undefined) return held
      if (performance.now() - readable > UNREADABLE_AFTER)
        throw new StoreError('UNREACHABLE', `${path} exists where a lock file has to be: remove it`)
    } else {
      readable = performance.now()
      const state = watch(text)
      if (state === 'dead') {
        await removeDead(path, text, signal, files)
        continue
      }
      if (state === 'stuck')
        throw new StoreError(
          'UNREACHABLE',
          `${path}: process ${decodeOwner(text)?.pid} holds this lock and has done nothing for ${GIVE_UP_AFTER / 1000} s; end it and try again`,
        )
    }
    await setTimeout(RETRY_AFTER * (1 + Math.random()), undefined, { signal })
  }
}

/** Gives, for what the lock file says, whether its holder has died or hangs. */
function watchHolder(): (text: string) => 'dead' | 'stuck' | 'alive' {
  let last: string | undefined
  let since = 0
  return (text) => {
    const now = performance.now()
    if (text !== last) since = now
    last = text
    const owner = decodeOwner(text)
    if (owner === undefined) return now - since > NAMELESS_AFTER ? 'dead' : 'alive'
    const state = ownerState(owner)
    if (state === 'dead' || (state === 'unknown' && now - since > SILENT_AFTER)) return 'dead'
    return now - since > GIVE_UP_AFTER ? 'stuck' : 'alive'
  }
}

/**
 * Removes the lock file of a dead holder. Only one process at a time may do that for one holder, under a lock of the holder's name, and it looks again
 * before: else a slow process would remove the file of who took over before it.
 */
async function removeDead(path: string, text: string, signal: AbortSignal | undefined, files: LockFiles) {
  const holder = firstLine(text)
  const name = createHash('sha256').update(holder).digest('hex').slice(0, 16)
  const guard = await acquire(`${path.replace(/\.[0-9a-f]{16}$/, '')}.${name}`, signal, files)
  try {
    const now = await readLock(path, files)
    if (now !== undefined && firstLine(now) === holder) await remove(path, files)
  } finally {
    await guard.release()
  }
}

async function tryAcquire(path: string, files: LockFiles): Promise<Holding | undefined> {
  const id = randomUUID()
  const first = encodeOwner(ownerNamed(id))
  const own = `${path}.${id}`
  const isGone = removeAtExit(own)
  const file = await files.open(own, 'wx').catch((cause) => {
    isGone()
    throw fileError(cause, path)
  })
  let handle = file
  try {
    await file.writeFile(first)
    const taken = await files.link(own, path).then(
      () => 'ours' as const,
      (error: NodeJS.ErrnoException) => error.code ?? '',
    )
    if (taken !== 'ours') {
      // A network file system may have linked it and lost the answer.
      const isOurs = firstLine((await readLock(path, files)) ?? '') === firstLine(first)
      const created = isOurs || taken === 'EEXIST' ? undefined : await createWithoutLink(path, first, files)
      if (!isOurs && created === undefined) {
        await file.close()
        return undefined
      }
      if (created !== undefined) {
        await file.close()
        handle = created
      }
    }
  } catch (error) {
    await file.close().catch(() => {})
    throw error instanceof StoreError ? error : fileError(error, path)
  } finally {
    await remove(own, files)
    isGone()
  }
  return holding(path, first, handle, files)
}

/** For file systems without hard links (exFAT, some network shares). A file in deletion (Windows) is there still. */
async function createWithoutLink(path: string, first: string, files: LockFiles): Promise<fs.FileHandle | undefined> {
  try {
    const handle = await files.open(path, 'wx')
    await handle.writeFile(first)
    return handle
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (['EEXIST', 'EPERM', 'EACCES', 'EBUSY'].includes(code)) return undefined
    throw error
  }
}

function holding(path: string, first: string, file: fs.FileHandle, files: LockFiles): Holding {
  const forget = removeAtExit(path, () => firstLine(readFileSync(path, 'latin1')) === firstLine(first))
  let beats = 0
  let beating: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // Into the open file, never by its name: that may be another's by now
    beating = beating.then(() => file.write(`${++beats}\n`, first.length)).catch(() => {})
  }, BEAT).unref()
  const isHeld = async () => firstLine((await readLock(path, files)) ?? '') === firstLine(first)
  return {
    async check() {
      if (!(await isHeld()))
        throw new StoreError('UNREACHABLE', `${path} was taken over while this process was stopped: try again`)
    },
    async release() {
      clearInterval(timer)
      await beating
      await file.close()
      if (await isHeld()) await remove(path, files)
      forget()
    },
  }
}

/** What the lock file says; `undefined` where there is none, or it cannot be read as it is in deletion. */
async function readLock(path: string, files: LockFiles): Promise<string | undefined> {
  return files.readFile(path, 'latin1').catch(() => undefined)
}

async function remove(path: string, files: LockFiles): Promise<void> {
  await whileBusy(() => files.rm(path, { force: true })).catch((cause) => {
    throw fileError(cause, path)
  })
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}

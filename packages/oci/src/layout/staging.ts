import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDigest } from '../document/digest.js'
import { removeAtExit } from '../file/half-made.js'
import { decodeOwner, encodeOwner, ownerNamed, ownerState } from '../file/owner.js'
import { fileError } from '../file/random-access.js'
import { whileBusy } from '../file/while-busy.js'

const PREFIX = '.new-'
const OWNER_FILE = 'owner'

/** A folder within a new layout for the blobs of one process, until the layout has its first name. */
export class Staging {
  readonly #path: string
  readonly #digests = new Set<string>()
  /** Digests on their way out. */
  #moving: Promise<void> = Promise.resolve()
  #isGone = (): void => {}
  /** Whether blobs no longer wait here: from the first `moveAll` on. */
  isMoved = false

  constructor(layout: string) {
    this.#path = join(layout, `${PREFIX}${randomUUID()}`)
  }

  /** Makes the folder, and those above it that are gone by now. */
  async make(): Promise<void> {
    this.#isGone = removeAtExit(this.#path)
    try {
      await mkdir(this.#path, { recursive: true })
      await writeFile(join(this.#path, OWNER_FILE), encodeOwner(ownerNamed('')))
    } catch (cause) {
      throw fileError(cause, this.#path)
    }
  }

  pathOf(digest: string): string {
    return join(this.#path, parseDigest(digest).hex)
  }

  add(digest: string): void {
    this.#digests.add(digest)
  }

  /** Where the blob waits; `undefined` for one that does not. */
  find(digest: string): string | undefined {
    return this.#digests.has(digest) ? this.pathOf(digest) : undefined
  }

  /** Moves all blobs to where `target` says. One call after the other. */
  moveAll(target: (digest: string) => Promise<string>): Promise<void> {
    this.isMoved = true
    const moved = this.#moving.then(async () => {
      for (const digest of this.#digests) {
        const path = await target(digest)
        await whileBusy(() => rename(this.pathOf(digest), path)).catch((cause) => {
          throw fileError(cause, path)
        })
        this.#digests.delete(digest)
      }
    })
    this.#moving = moved.catch(() => {})
    return moved
  }

  async remove(): Promise<void> {
    await whileBusy(() => rm(this.#path, { recursive: true, force: true })).catch(() => {})
    this.#isGone()
  }
}

/** Whether it is a file of a run, and no part of the layout. */
export function isPassing(name: string): boolean {
  return name.startsWith(PREFIX) || name.startsWith('index.json.lock')
}

/** Removes what processes left behind that were killed. */
export async function removeAbandoned(layout: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!name.startsWith(PREFIX)) continue
    const owner = decodeOwner(await readFile(join(layout, name, OWNER_FILE), 'utf8').catch(() => ''))
    if (owner !== undefined && ownerState(owner) === 'dead')
      await rm(join(layout, name), { recursive: true, force: true }).catch(() => {})
  }
}

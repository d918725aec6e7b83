import { chmodSync, rmdirSync, rmSync } from 'node:fs'
import { chmod, rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ImageError } from '../error.js'

/** What a call has made so far and takes away again if it fails, or if the process ends before the call does. */
export class HalfMadeTree {
  readonly #paths = new Set<string | Buffer>()
  /** Parents that were not there, the innermost first. */
  #parents: string[] = []
  /** Directories in the paths, each before what is in it: some have got their permissions, and nothing can be removed from a read-only one. */
  directories: () => readonly (string | Buffer)[] = () => []
  readonly #atExit = () => this.#removeNow()

  constructor() {
    process.on('exit', this.#atExit)
  }

  /** To be called before it can be there half, and never for what somebody else may have made. */
  add(path: string | Buffer): void {
    this.#paths.add(path)
  }

  /** @param first the outermost folder that was made, as `mkdir` tells; undefined for none */
  addParents(innermost: string, first: string | undefined): void {
    if (first === undefined) return
    for (let at = innermost; at.length >= first.length && at !== dirname(at); at = dirname(at)) this.#parents.push(at)
  }

  /** It is whole: nothing is removed any more. */
  keep(): void {
    process.off('exit', this.#atExit)
  }

  /** @throws ImageError LEFT_BEHIND with what is still there, and why */
  async remove(): Promise<void> {
    let failure: unknown
    for (const directory of this.directories()) await chmod(directory, 0o700).catch(() => {})
    for (const path of this.#paths)
      await rm(path, { recursive: true, force: true }).catch((error) => {
        failure ??= error
      })
    // One that somebody else has put something into stays
    for (const parent of this.#parents) await rmdir(parent).catch(() => {})
    this.keep()
    if (failure !== undefined)
      throw new ImageError('LEFT_BEHIND', `not all that was made could be removed: ${(failure as Error).message}`, {
        cause: failure,
      })
  }

  /** When the process exits: nothing asynchronous runs then. */
  #removeNow(): void {
    const attempt = (work: () => void): void => {
      try {
        work()
      } catch {
        // it cannot be reported any more
      }
    }
    for (const directory of this.directories()) attempt(() => chmodSync(directory, 0o700))
    for (const path of this.#paths) attempt(() => rmSync(path, { recursive: true, force: true }))
    for (const parent of this.#parents) attempt(() => rmdirSync(parent))
  }
}

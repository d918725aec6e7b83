// What an analysis has found so far, and what its parts share.
import type { ByteRange, ProfileFile } from '../profile.js'
import { cleanPath } from '../trace-path.js'
import type { ImageFiles } from './image-files.js'

/** A start that opens more files is no start worth guessing. */
const MAX_FILES = 50_000
const MAX_NOTES = 20
/** As Linux's PATH_MAX. */
const MAX_PATH_LENGTH = 4096

export interface StartConfig {
  readonly env: ReadonlyMap<string, string>
  readonly cwd: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

export class Start {
  readonly files: ImageFiles
  readonly env: ReadonlyMap<string, string>
  readonly cwd: string
  readonly #signal: AbortSignal | undefined
  /** Paths as they were named, by the real path. */
  readonly #added = new Map<string, ProfileFile>()
  readonly #notes = new Set<string>()

  constructor(files: ImageFiles, { env, cwd }: Pick<StartConfig, 'env' | 'cwd'>, signal: AbortSignal | undefined) {
    this.files = files
    this.env = env
    this.cwd = cwd
    this.#signal = signal
  }

  /**
   * A file that the start reads, where the image has it: all of it, or these ranges.
   * @returns whether it is there and was not known
   */
  async add(path: string, ranges?: readonly ByteRange[]): Promise<boolean> {
    this.#signal?.throwIfAborted()
    const named = path.startsWith('/') ? path : `${this.cwd}/${path}`
    if (named.length > MAX_PATH_LENGTH) return false
    const facts = await this.files.stat(named)
    if (facts?.type !== 'file' || this.#added.has(facts.path)) return false
    // Behind a symlink `..` is not what it looks like
    const clean = named.split('/').includes('..') ? facts.path : cleanPath(named)
    if (this.#added.size === MAX_FILES) {
      this.note(`more than ${MAX_FILES} files are read: the others are left out`)
      return false
    }
    if (clean !== undefined) this.#added.set(facts.path, { path: clean, ...(ranges !== undefined && { ranges }) })
    return true
  }

  /** Something that could not be followed. */
  note(text: string): void {
    if (this.#notes.size < MAX_NOTES) this.#notes.add(text)
  }

  get added(): readonly ProfileFile[] {
    return [...this.#added.values()]
  }

  get notes(): readonly string[] {
    return [...this.#notes]
  }
}

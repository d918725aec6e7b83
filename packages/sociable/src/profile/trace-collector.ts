import { matchesPattern } from '@sociable/oci'
import { joinRanges } from './merge-profiles.js'
import type { ByteRange, Profile, ProfileFile } from './profile.js'
import { TraceError } from './trace-error.js'
import { cleanPath, isWithin } from './trace-path.js'

export interface CollectOptions {
  /** Keeps only the files below this folder, and names them without it: for a trace of a chroot or of an unpacked image. @default all files */
  readonly root?: string | undefined
  /** Leaves out paths that match one of these patterns as a whole; `*` stands for any characters, `/` included. @default none */
  readonly exclude?: readonly string[] | undefined
}

/** What a parser reports. Paths are text (see path-bytes.ts) and absolute. */
export interface TraceEvents {
  /** A file is read: `ranges` of it, or all. */
  read(path: string, ranges?: readonly ByteRange[]): void
  /** A file or folder is made by the run: later reads of it are no reads of the image. */
  created(path: string): void
  /** Something is moved. */
  moved(from: string, to: string): void
  /** A path cannot be told: it is cut short in the trace, or relative to a folder that the trace does not show. */
  unresolved(): void
}

/** The kernel's file systems, and the folders that a runtime or a run fills. */
const NOT_IN_IMAGES = ['/proc', '/sys', '/dev', '/run', '/var/run', '/tmp', '/var/tmp']
/** As many as a profile may have. */
const MAX_FILES = 1_000_000
const MAX_RANGES = 4_000_000

/** Collects each file once, in the order of first use. */
export class TraceCollector implements TraceEvents {
  readonly #root: string | undefined
  readonly #exclude: readonly string[]
  /** Undefined for a whole file; else not joined yet. */
  readonly #files = new Map<string, ByteRange[] | undefined>()
  #rangeCount = 0
  readonly #created = new Set<string>()
  /** Paths that could not be told. */
  unresolvedPaths = 0

  constructor({ root, exclude = [] }: CollectOptions) {
    this.#root = root === undefined ? undefined : cleanPath(root)
    if (root !== undefined && this.#root === undefined && !/^\/+$/.test(root))
      throw new TraceError(`the root "${root}" is not an absolute path`)
    this.#exclude = exclude
  }

  read(path: string, ranges?: readonly ByteRange[]): void {
    const clean = this.#inImage(path)
    if (clean === undefined || this.#isCreated(clean)) return
    if (NOT_IN_IMAGES.some((folder) => isWithin(clean, folder))) return
    if (this.#exclude.some((pattern) => matchesPattern(clean, pattern))) return
    const known = this.#files.get(clean)
    const isKnown = known !== undefined || this.#files.has(clean)
    if (!isKnown && this.#files.size === MAX_FILES)
      throw new TraceError(
        `more than ${MAX_FILES} files are read: trace only the start, or leave files out by a pattern`,
      )
    if (ranges === undefined || (isKnown && known === undefined)) {
      this.#files.set(clean, undefined)
      return
    }
    this.#rangeCount += ranges.length
    if (this.#rangeCount > MAX_RANGES) throw new TraceError(`more than ${MAX_RANGES} ranges are read`)
    if (known === undefined) this.#files.set(clean, [...ranges])
    else for (const range of ranges) known.push(range)
  }

  created(path: string): void {
    const clean = this.#inImage(path)
    if (clean === undefined || this.#files.has(clean) || this.#isCreated(clean)) return
    if (this.#created.size === MAX_FILES)
      throw new TraceError(`more than ${MAX_FILES} files are made: trace only the start`)
    this.#created.add(clean)
  }

  moved(from: string, to: string): void {
    const clean = this.#inImage(from)
    if (clean !== undefined && this.#isCreated(clean)) this.created(to)
  }

  unresolved(): void {
    this.unresolvedPaths++
  }

  /** Another trace is of another run, which made other files. */
  forgetCreated(): void {
    this.#created.clear()
  }

  profile(): Profile {
    // What has files below it is a folder, however it was opened
    const folders = new Set<string>()
    for (const path of this.#files.keys())
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        const folder = path.slice(0, end)
        if (folders.has(folder)) break
        folders.add(folder)
      }
    const files = [...this.#files]
      .filter(([path]) => !folders.has(path))
      .map(([path, ranges]): ProfileFile => (ranges === undefined ? { path } : { path, ranges: joinRanges(ranges) }))
    return { version: 1, files }
  }

  #inImage(path: string): string | undefined {
    const clean = cleanPath(path)
    if (clean === undefined || this.#root === undefined) return clean
    return isWithin(clean, this.#root) ? cleanPath(clean.slice(this.#root.length)) : undefined
  }

  #isCreated(path: string): boolean {
    if (this.#created.size === 0) return false
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      if (this.#created.has(path.slice(0, end))) return true
    return false
  }
}

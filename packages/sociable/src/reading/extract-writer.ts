import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, link, lstat, mkdir, open, symlink } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { type FileEntry, FileError } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import type { ExtractOptions, ExtractResult, SkippedEntry } from './extract-result.js'
import { nameProblem, nameRefusal } from './file-name.js'
import { baseName, linkNameOf } from './layer-tree.js'
import type { LazyLayer } from './lazy-layer.js'
import { relativeTarget } from './link-target.js'
import { namingPath } from './named-path.js'
import { encodePath, isRaw } from './path-bytes.js'
import type { Found, Union } from './union.js'

/** What an image's files are read from. */
export interface ExtractSource {
  readonly union: Pick<Union, 'resolve' | 'children' | 'hardlinkTarget'>
  layerOf(digest: string): Pick<LazyLayer, 'locate' | 'readTogether'>
}

/** What Windows answers without its developer mode, and file systems without symlinks. */
const NO_SYMLINKS = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']
const NO_SYMLINK = 'this system does not allow symlinks here (on Windows, turn on the developer mode)'
const WRITABLE = ['reg', 'dir', 'symlink']
const KINDS: Readonly<Record<string, string>> = { char: 'a device', block: 'a device', fifo: 'a pipe' }
const PERMISSIONS = 0o777
const DEFAULT_DIRECTORY = 0o755
/** Only a file that was not there is written, and no link is followed to it. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
const NO_LINKS = ['EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** The calls of the file system that not every system answers alike. */
export interface ExtractFiles {
  readonly lstat: typeof lstat
  readonly mkdir: typeof mkdir
  readonly symlink: typeof symlink
}

/** A file's bytes, and the paths in the image that have them. */
interface Content {
  readonly entry: FileEntry
  readonly paths: string[]
}

/** Writes an image's tree into an empty folder that nothing else uses: directories at once, then files layer by layer, links last. */
export class TreeWriter {
  readonly #source: ExtractSource
  /** Path in the image that the folder stands for. */
  readonly #root: string
  readonly #folder: string
  readonly #options: ExtractOptions
  readonly #files: ExtractFiles
  readonly #contents = new Map<string, Map<number, Content>>() // by layer, then by the entry's number
  readonly #directories: { readonly path: string; readonly mode: number }[] = []
  readonly #symlinks: { readonly path: string; readonly target: string }[] = []
  readonly #skipped: SkippedEntry[] = []
  /** Hard links, of files that are being written. */
  readonly #otherNames: { readonly from: string | Buffer; readonly path: string }[] = []
  #fileCount = 0
  #links = 0
  #bytes = 0

  constructor(
    source: ExtractSource,
    root: string,
    folder: string,
    options: ExtractOptions,
    files: ExtractFiles = { lstat, mkdir, symlink },
  ) {
    this.#files = files
    this.#source = source
    this.#root = root
    this.#folder = folder
    this.#options = options
  }

  async addChildren(directory: string): Promise<void> {
    this.#options.signal?.throwIfAborted()
    for (const child of await this.#source.union.children(directory)) await this.add(child)
  }

  async add(found: Found): Promise<void> {
    const { path } = found
    const name = baseName(path)
    const problem = nameProblem(name, isRaw(name))
    if (problem !== undefined) return this.#skip(path, problem)
    if (found.entry === undefined || found.entry.type === 'dir') {
      // What is in a directory that cannot be made is skipped with it
      if (await this.#makeDirectory(path, found.entry?.mode ?? DEFAULT_DIRECTORY)) await this.addChildren(path)
      return
    }
    try {
      const { entry, layer } = await this.#source.union.hardlinkTarget(found)
      if (entry!.type === 'symlink') this.#symlinks.push({ path, target: linkNameOf(entry!) })
      else if (entry!.type === 'reg') this.#addFile(path, layer!.digest, entry!)
      else this.#skip(path, kindOf(entry!.type)!)
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
      this.#skip(path, error.message)
    }
  }

  #addFile(path: string, layer: string, entry: FileEntry): void {
    const contents = this.#contents.get(layer) ?? new Map<number, Content>()
    this.#contents.set(layer, contents)
    const known = contents.get(entry.index)
    if (known === undefined) contents.set(entry.index, { entry, paths: [path] })
    else known.paths.push(path)
  }

  /** Writes all that was added. */
  async finish(): Promise<ExtractResult> {
    for (const [digest, contents] of this.#contents) await this.#writeLayer(this.#source.layerOf(digest), contents)
    for (const { path, target } of this.#symlinks) await this.#writeSymlink(path, target)
    const [files, symlinks, bytes] = [this.#fileCount, this.#links, this.#bytes]
    return { files, directories: this.#directories.length, symlinks, bytes, skipped: this.#skipped }
  }

  /** Gives the directories their permissions, where they are now: a read-only directory cannot be moved. */
  async setPermissions(folder: string): Promise<void> {
    for (const { path, mode } of this.#directories.toReversed()) {
      this.#options.signal?.throwIfAborted()
      await chmod(this.#file(path, folder), mode & PERMISSIONS)
    }
  }

  /** The directories made, each before what is in it, where they are now. */
  directoriesIn(folder: string): (string | Buffer)[] {
    return this.#directories.map(({ path }) => this.#file(path, folder))
  }

  async #writeLayer(
    layer: ReturnType<ExtractSource['layerOf']>,
    contents: ReadonlyMap<number, Content>,
  ): Promise<void> {
    const { signal } = this.#options
    const entries: FileEntry[] = []
    for (const { entry, paths } of contents.values()) {
      try {
        await layer.locate(entry, signal)
        entries.push(entry)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        for (const path of paths) this.#skip(path, error.message)
      }
    }
    let current: NewFile | undefined
    try {
      for await (const { file, bytes } of layer.readTogether(entries, signal)) {
        if (current?.entry !== file) {
          await current?.close()
          const content = contents.get(file.index)!
          current = new NewFile(file, await this.#create(content), String(this.#file(content.paths[0]!)))
        }
        await current.write(bytes)
      }
    } finally {
      await current?.close()
    }
    for (const { from, path } of this.#otherNames.splice(0)) await this.#writeName(from, path)
  }

  /** Creates the file under the first of its paths that the system accepts. */
  async #create({ entry, paths }: Content): Promise<FileHandle | undefined> {
    let handle: FileHandle | undefined
    let first: string | Buffer | undefined
    for (const path of paths) {
      const file = this.#file(path)
      if (first !== undefined) this.#otherNames.push({ from: first, path })
      else if (await this.#isMade(path, async () => (handle = await open(file, NEW_FILE, 0o600)))) first = file
    }
    if (first === undefined) return undefined
    this.#fileCount++
    this.#bytes += entry.size
    return handle
  }

  /** Another name of a file that is whole: a hard link, or a copy where the system has none. */
  async #writeName(from: string | Buffer, path: string): Promise<void> {
    const file = this.#file(path)
    const make = () =>
      link(from, file).catch((error: NodeJS.ErrnoException) => {
        if (!NO_LINKS.includes(error.code ?? '')) throw error
        return copyFile(from, file, constants.COPYFILE_EXCL)
      })
    if (await this.#isMade(path, make)) this.#fileCount++
  }

  async #writeSymlink(path: string, target: string): Promise<void> {
    const written = this.#options.keepLinks ? target : relativeTarget(path, target, this.#root)
    if (written === undefined)
      this.#skip(path, `it is a symlink to ${target}, outside of the folder (--keep-links writes such links)`)
    else if (await this.#isMade(path, () => this.#files.symlink(encodePath(written), this.#file(path)), NO_SYMLINKS))
      this.#links++
  }

  /** Where a path of the image goes. Bytes, where it is not UTF-8. */
  #file(path: string, folder = this.#folder): string | Buffer {
    const within = this.#root === '' ? path : path.slice(this.#root.length + 1)
    return isRaw(within) ? Buffer.concat([Buffer.from(folder + sep), encodePath(within)]) : join(folder, within)
  }

  #skip(path: string, reason: string): void {
    this.#skipped.push({ path, reason })
    this.#options.onSkip?.({ path, reason })
  }

  /** Makes a directory, or takes the one that is there, as `A` is for `a` on a system that ignores case. False if it is skipped. */
  async #makeDirectory(path: string, mode: number): Promise<boolean> {
    const directory = this.#file(path)
    let isMerged = false
    const make = () =>
      this.#files.mkdir(directory, 0o700).catch(async (error: NodeJS.ErrnoException) => {
        // It is one of these: symlinks come last
        isMerged = error.code === 'EEXIST' && (await this.#files.lstat(directory)).isDirectory()
        if (!isMerged) throw error
      })
    if (!(await this.#isMade(path, make))) return false
    if (!isMerged) this.#directories.push({ path, mode })
    return true
  }

  /** False if the system refuses the name, or symlinks: then it is skipped. @param unsupported codes that mean that it has no such files */
  async #isMade(path: string, make: () => Promise<unknown>, unsupported: readonly string[] = []): Promise<boolean> {
    try {
      await make()
      return true
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      const refused = unsupported.includes(code) ? NO_SYMLINK : nameRefusal(code)
      if (refused === undefined) throw error
      this.#skip(path, refused)
      return false
    }
  }
}

/** Why an entry of this type is not written: it is neither a file nor a directory nor a symlink. */
export function kindOf(type: string): string | undefined {
  return WRITABLE.includes(type) ? undefined : `it is ${KINDS[type] ?? `a ${type}`}`
}

/** A file that gets its bytes in order, and its permissions and time at the end. */
class NewFile {
  readonly entry: FileEntry
  readonly #handle: FileHandle | undefined
  readonly #path: string

  /**
   * @param handle undefined where the bytes are not wanted
   * @param path for errors
   */
  constructor(entry: FileEntry, handle: FileHandle | undefined, path: string) {
    this.entry = entry
    this.#path = path
    this.#handle = handle
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#handle !== undefined) await namingPath(this.#path, this.#handle.writeFile(bytes))
  }

  async close(): Promise<void> {
    if (this.#handle === undefined) return
    try {
      const modified = Date.parse(this.entry.modTime) / 1000
      if (Number.isFinite(modified)) await this.#handle.utimes(modified, modified)
      await this.#handle.chmod(this.entry.mode & PERMISSIONS)
    } finally {
      await this.#handle.close()
    }
  }
}

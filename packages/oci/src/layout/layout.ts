import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { contentChunks, DOCUMENT_LIMIT } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { measuring, parseDigest, sizeMismatch, verifying } from '../document/digest.js'
import { StoreError } from '../error.js'
import { withFileLock } from '../file/file-lock.js'
import { removeAtExit } from '../file/half-made.js'
import { fileError, RandomAccessFile, type RangeOptions } from '../file/random-access.js'
import { whileBusy } from '../file/while-busy.js'
import type { CallOptions, Content, LocalContent, PushOptions } from '../store.js'
import { EMPTY_LAYOUT_INDEX, type LayoutIndex, parseLayoutIndex, withoutDigest, withoutName } from './layout-index.js'
import { LayoutStore } from './layout-store.js'
import { checkLayoutVersion, LAYOUT_FILE, LAYOUT_FILE_CONTENT } from './layout-version.js'
import { isPassing, removeAbandoned, Staging } from './staging.js'

export interface OpenLayoutOptions {
  /** Whether it may be written; then it need not exist yet. @default false */
  readonly write?: boolean | undefined
  /**
   * Whether blobs count from their `push` on, as in a registry: nothing is removed at `close`, and the layout is complete at once. Without it, blobs of a
   * layout that does not exist yet wait in a folder of this process until something gets a name.
   * @default false
   */
  readonly keep?: boolean | undefined
  /** Whether blobs may be symbolic links. If not, a link counts as absent. @default true, as Bazel makes such layouts */
  readonly followLinks?: boolean | undefined
}

/**
 * Opens an OCI image layout: a folder with `oci-layout`, `index.json` and `blobs/` (image-spec v1.1.1, image-layout.md). A folder that
 * is not a layout is not made one, unless it is empty. Blobs may be symbolic links to files; only digests ever become paths.
 *
 * Files appear under their names when they are complete and verified. index.json is replaced as a whole, under a lock file that all
 * processes of this library keep to; what else it says stays. The blobs of a new layout appear together with the first name: until then they are in a folder
 * that no other process looks into, so that none relies on what `close` removes if nothing gets a name. Blobs without a name in a layout that was there
 * stay, for the next try.
 * @throws StoreError NOT_FOUND, PROTOCOL
 */
export async function openLayout(
  name: string,
  path: string,
  { write = false, keep = false, followLinks = true }: OpenLayoutOptions = {},
): Promise<LayoutFolder> {
  const names = await readdir(path).catch((cause) => {
    if (write && (cause as NodeJS.ErrnoException).code === 'ENOENT') return [] as string[]
    throw fileError(cause, path)
  })
  if (write) await removeAbandoned(path, names)
  const hasVersion = names.includes(LAYOUT_FILE)
  if (hasVersion) checkLayoutVersion(await readSmall(join(path, LAYOUT_FILE)), name)
  if (!names.includes('index.json') && !(write && (hasVersion || names.every(isPassing))))
    throw new StoreError(
      'PROTOCOL',
      `${name}: ${path} is not an OCI image layout: it has no index.json${write ? ', and it is not empty' : ''}`,
    )
  const isNew = !hasVersion && !names.includes('index.json')
  return new LayoutFolder(name, path, { write, keep, followLinks, staging: isNew && !keep })
}

export class LayoutFolder extends LayoutStore {
  readonly #path: string
  readonly #writable: boolean
  readonly #keep: boolean
  readonly #followLinks: boolean
  /** Where blobs wait for the first name, and which do. */
  readonly #staging: Staging | undefined
  /** Blobs that were here when they were pushed, so that they were not written: they must still be here when a name leads to them. */
  readonly #relied = new Map<string, Descriptor>()
  /** Folders that were made here, as absolute paths. */
  readonly #made: string[] = []
  /** Writing that goes on. */
  readonly #pending = new Set<Promise<unknown>>()
  #ready: Promise<void> | undefined
  #isClosed = false

  constructor(
    name: string,
    path: string,
    { write, keep, followLinks, staging }: Required<OpenLayoutOptions> & { readonly staging: boolean },
  ) {
    super(name)
    this.#path = path
    this.#writable = write === true
    this.#keep = keep === true
    this.#followLinks = followLinks === true
    this.#staging = staging ? new Staging(path) : undefined
  }

  async locate(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<LocalContent | undefined> {
    signal?.throwIfAborted()
    const size = await this.blobSize(descriptor.digest)
    return size === undefined ? undefined : { path: this.#currentPath(descriptor.digest), offset: 0, size }
  }

  push(descriptor: Descriptor, content: Content, options: PushOptions = {}): Promise<void> {
    return this.#write(async () => {
      if (await this.#isThere(descriptor, options)) return
      const checked = options.verify === false ? measuring : verifying
      await this.#placeBlob(descriptor, async (temporary) => {
        const file = await RandomAccessFile.create(temporary)
        try {
          let position = 0
          for await (const chunk of checked(descriptor, contentChunks(content), this.name)) {
            options.signal?.throwIfAborted()
            await file.write(chunk, position)
            position += chunk.length
          }
        } finally {
          await file.close()
        }
      })
    })
  }

  pushFile(descriptor: Descriptor, from: string, { signal }: CallOptions = {}): Promise<boolean> {
    return this.#write(async () => {
      if (await this.#isThere(descriptor, { signal })) return true
      await this.#placeBlob(descriptor, async (temporary) => {
        const file = await realpath(from) // else a symbolic link would be linked, not its file
        await link(file, temporary).catch(() =>
          copyFile(file, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE),
        )
        const { size } = await stat(temporary)
        if (size !== descriptor.size) throw sizeMismatch(descriptor, size, from)
      })
      return true
    })
  }

  /** index.json first, so that it never names what is not there. */
  delete({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    return this.#write(async () => {
      if ((await this.blobSize(digest)) === undefined) return
      this.#relied.delete(digest)
      await this.#changeIndex(
        (index) => withoutDigest(index, digest, this.name),
        signal,
        () => whileBusy(() => rm(this.#currentPath(digest), { force: true })),
      )
    })
  }

  untag(reference: string, { signal }: CallOptions = {}): Promise<void> {
    return this.#write(() => this.#changeIndex((index) => withoutName(index, reference, this.name), signal))
  }

  /** Waits for what is being written. Of a layout that was begun here and where nothing got a name, nothing stays. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#pending)
    if (this.#staging === undefined) return
    await this.#staging.remove()
    // A folder that has something of somebody else's by now is not empty, and stays.
    for (const path of this.#made.splice(0).sort((a, b) => b.length - a.length)) await rmdir(path).catch(() => {})
  }

  protected async blobSize(digest: string): Promise<number | undefined> {
    const waiting = this.#currentPath(digest)
    const stats = (await statOf(waiting)) ?? (await statOf(this.#blobPath(digest))) // it may have moved in between
    if (!stats?.isFile() || (!this.#followLinks && (await this.#isLinked(digest)))) return undefined
    return stats.size
  }

  /** Whether a symbolic link is on the way from the layout's folder to the blob. */
  async #isLinked(digest: string): Promise<boolean> {
    const { algorithm, hex } = parseDigest(digest)
    const [folder, blob] = await Promise.all([realpath(this.#path), realpath(this.#blobPath(digest))])
    return blob !== join(folder, 'blobs', algorithm, hex)
  }

  protected async *blobRange(
    digest: string,
    start: number,
    end: number,
    options: RangeOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await RandomAccessFile.open(this.#currentPath(digest)).catch((error) => {
      if (this.#staging === undefined) throw error
      return RandomAccessFile.open(this.#blobPath(digest))
    })
    try {
      yield* file.range(start, end, options)
    } finally {
      await file.close()
    }
  }

  protected async readIndex(): Promise<LayoutIndex> {
    const path = join(this.#path, 'index.json')
    const bytes = await readSmall(path).catch((error) => {
      if (this.#writable && error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
      throw error
    })
    return bytes === undefined ? EMPTY_LAYOUT_INDEX : parseLayoutIndex(bytes, path)
  }

  protected changeIndex(change: (index: LayoutIndex) => LayoutIndex, signal: AbortSignal | undefined): Promise<void> {
    return this.#write(() => this.#changeIndex(change, signal))
  }

  /** @param then what belongs to the change and comes after it, before anybody else may change anything */
  async #changeIndex(
    change: (index: LayoutIndex) => LayoutIndex,
    signal: AbortSignal | undefined,
    then?: () => Promise<void>,
  ): Promise<void> {
    await this.#makeFolder(this.#path)
    const path = join(this.#path, 'index.json')
    await withFileLock(`${path}.lock`, signal, async (lock) => {
      const before = await this.readIndex()
      const after = change(before)
      if (after !== before) {
        await this.#placeVersion()
        await this.#staging?.moveAll((digest) => this.#makeBlobPath(digest))
        await this.#checkRelied()
        await lock.check()
        await this.#place(path, (temporary) => writeFile(temporary, after.bytes, { flag: 'wx' }))
      }
      await then?.()
    })
  }

  async #isThere(descriptor: Descriptor, options: CallOptions): Promise<boolean> {
    const isThere = await this.exists(descriptor, options)
    if (isThere) this.#relied.set(descriptor.digest, descriptor)
    return isThere
  }

  async #checkRelied(): Promise<void> {
    for (const [digest, { size }] of this.#relied)
      if ((await this.blobSize(digest)) !== size)
        throw new StoreError(
          'UNREACHABLE',
          `${this.name}: another process removed ${digest}, which was there before: run this again`,
        )
  }

  /** Runs a change that `close` waits for. */
  async #write<T>(change: () => Promise<T>): Promise<T> {
    if (!this.#writable) throw new StoreError('DENIED', `${this.name} was opened for reading only`)
    if (this.#isClosed) throw new StoreError('DENIED', `${this.name} is closed`)
    const done = change()
    this.#pending.add(done)
    try {
      return await done
    } finally {
      this.#pending.delete(done)
    }
  }

  /** The folder that blobs come into; with `keep`, it is a layout from here on. */
  #prepare(): Promise<void> {
    this.#ready ??= (async () => {
      await this.#makeFolder(this.#path)
      await this.#staging?.make()
      if (!this.#keep) return
      const path = join(this.#path, 'index.json')
      await withFileLock(`${path}.lock`, undefined, async () => {
        await this.#placeVersion()
        if ((await statOf(path)) !== undefined) return
        await this.#place(path, (temporary) => writeFile(temporary, EMPTY_LAYOUT_INDEX.bytes, { flag: 'wx' }))
      })
    })()
    this.#ready.catch(() => {
      this.#ready = undefined
    })
    return this.#ready
  }

  async #placeVersion(): Promise<void> {
    const path = join(this.#path, LAYOUT_FILE)
    if ((await statOf(path)) === undefined)
      await this.#place(path, (temporary) => writeFile(temporary, LAYOUT_FILE_CONTENT, { flag: 'wx' }))
  }

  /** Makes the folder and those above it. */
  async #makeFolder(folder: string): Promise<void> {
    const path = resolve(folder)
    const first = await mkdir(path, { recursive: true }).catch((cause) => {
      throw fileError(cause, path)
    })
    if (first === undefined) return
    const made = [path]
    while (made[0] !== resolve(first)) made.unshift(dirname(made[0]!))
    this.#made.push(...made)
  }

  async #placeBlob(descriptor: Descriptor, make: (temporary: string) => Promise<void>): Promise<void> {
    const { digest } = descriptor
    await this.#prepare()
    if (this.#staging === undefined || this.#staging.isMoved) {
      await this.#place(await this.#makeBlobPath(digest), make)
      return
    }
    await this.#place(this.#staging.pathOf(digest), make)
    this.#staging.add(digest)
    // Where the first name came while this was written
    if (this.#staging.isMoved) await this.#staging.moveAll((other) => this.#makeBlobPath(other))
  }

  async #makeBlobPath(digest: string): Promise<string> {
    const path = this.#blobPath(digest)
    await this.#makeFolder(dirname(path))
    return path
  }

  /** Lets `make` write a file beside the path, then moves it there; where that fails, nothing stays. */
  async #place(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = join(dirname(path), `.${randomUUID()}.partial`)
    const isGone = removeAtExit(temporary)
    try {
      await make(temporary)
      await whileBusy(() => rename(temporary, path))
    } catch (error) {
      throw error instanceof Error && 'errno' in error ? fileError(error, path) : error
    } finally {
      await rm(temporary, { force: true }) // where it was linked to what is at the path already, rename leaves it
      isGone()
    }
  }

  #currentPath(digest: string): string {
    return this.#staging?.find(digest) ?? this.#blobPath(digest)
  }

  /** @throws ImageReferenceError: what is not a digest never becomes a path */
  #blobPath(digest: string): string {
    const { algorithm, hex } = parseDigest(digest)
    return join(this.#path, 'blobs', algorithm, hex)
  }
}

/** `undefined` where there is nothing. */
async function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch((cause) => {
    const error = fileError(cause, path)
    if (error.code === 'NOT_FOUND') return undefined
    throw error
  })
}

async function readSmall(path: string): Promise<Uint8Array> {
  const stats = await stat(path).catch((cause) => {
    throw fileError(cause, path)
  })
  if (!stats.isFile()) throw new StoreError('PROTOCOL', `${path} is not a file`)
  if (stats.size > DOCUMENT_LIMIT)
    throw new StoreError('PROTOCOL', `${path} has ${stats.size} bytes, more than the limit of 32 MiB`)
  return readFile(path)
}

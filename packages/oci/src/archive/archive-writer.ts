import { contentChunks } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { measuring, parseDigest, sizeMismatch, verifying } from '../document/digest.js'
import { StoreError } from '../error.js'
import { type HeldLock, withFileLock } from '../file/file-lock.js'
import type { RangeOptions } from '../file/random-access.js'
import { EMPTY_LAYOUT_INDEX, type LayoutIndex } from '../layout/layout-index.js'
import { LayoutStore } from '../layout/layout-store.js'
import { LAYOUT_FILE, LAYOUT_FILE_CONTENT } from '../layout/layout-version.js'
import type { Content, PushOptions } from '../store.js'
import type { ArchiveSink } from './archive-sink.js'
import type { OpenArchive } from './archive-store.js'
import { blobName, digestNamed, readArchiveIndex } from './oci-archive.js'
import { BLOCK_SIZE, encodeTarHeader } from './tar-header.js'
import type { TarFile } from './tar-index.js'

const INDEX_FILE = 'index.json'

/** A blob that is in the archive, or on its way. */
interface Blob extends TarFile {
  readonly written: Promise<void>
  isWritten: boolean
}

/** What an archive that is changed had before: all but its index is taken over as it is. */
export interface PreviousArchive {
  readonly archive: OpenArchive
  readonly index: LayoutIndex
}

/** What a file that is updated has to do with other processes. */
export interface ArchiveUpdate {
  /** What was there at the beginning. */
  readonly previous: PreviousArchive | undefined
  /** What is there now, where another process has changed it since; a function that gives a writer which continues from there. */
  changed(): Promise<(() => Promise<ArchiveWriter>) | undefined>
}

export async function readPreviousArchive(name: string, archive: OpenArchive): Promise<PreviousArchive> {
  return { archive, index: await readArchiveIndex(name, archive) }
}

/**
 * An image layout that is written into a tar. A blob's place is set when its `push` is called, since its size is known: so the
 * order of the calls alone decides the archive's bytes, blobs come into a file side by side, and into a stream one after the other. index.json comes last, at
 * `close`; where nothing was tagged or attached, nothing is made.
 */
export class ArchiveWriter extends LayoutStore {
  readonly #sink: ArchiveSink
  readonly #previous: OpenArchive | undefined
  readonly #blobs = new Map<string, Blob>()
  readonly #update: ArchiveUpdate | undefined
  /** Blobs in the order in which they came, and what was done to the index: to be repeated on what another process wrote meanwhile. */
  readonly #changes: ((index: LayoutIndex) => LayoutIndex)[] = []
  #index: LayoutIndex
  #isNamed = false
  #isClosed = false
  /** Where the next entry comes. */
  #end = 0
  /** What a sequential sink has still to write. */
  #queue: Promise<void> = Promise.resolve()
  /** Why there is a hole in the archive: then it cannot be finished. */
  #failure: Error | undefined
  #started: Promise<void> | undefined

  constructor(name: string, sink: ArchiveSink, update?: ArchiveUpdate) {
    super(name)
    this.#sink = sink
    this.#update = update
    this.#previous = update?.previous?.archive
    this.#index = update?.previous?.index ?? EMPTY_LAYOUT_INDEX
  }

  async push(descriptor: Descriptor, content: Content, options: PushOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const { digest, size } = descriptor
    parseDigest(digest)
    if (this.#isClosed) throw new StoreError('DENIED', `${this.name} is closed`)
    const present: Blob | TarFile | undefined = this.#blobs.get(digest) ?? this.#previous?.files.get(blobName(digest))
    if (present !== undefined) {
      if (present.size !== size) throw sizeMismatch(descriptor, present.size, this.name)
      if ('written' in present) await present.written
      return
    }
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${digest} cannot have ${size} bytes`)
    this.#start()
    const checked = options.verify === false ? measuring : verifying
    const chunks = checked(descriptor, contentChunks(content), this.name)
    const { offset, done } = this.#append(blobName(digest), size, chunks, options.signal)
    const blob: Blob = { offset, size, written: done, isWritten: false }
    this.#blobs.set(digest, blob)
    await done
    blob.isWritten = true
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#started
      await Promise.all([...this.#blobs.values()].map((blob) => blob.written))
      if (!this.#isNamed) return await this.#sink.discard()
      const { path } = this.#sink
      if (path === undefined || this.#update === undefined) await this.#finish()
      else await withFileLock(`${path}.lock`, undefined, (lock) => this.#finishUpdate(lock))
    } catch (error) {
      await this.#sink.discard()
      // If no image was tagged, the caller already knows about the failure.
      if (this.#isNamed) throw error
    } finally {
      await this.#previous?.file.close()
    }
  }

  /** Ends the file; the lock is for one that others may update. */
  async #finish(lock?: HeldLock): Promise<void> {
    const index = this.#append(INDEX_FILE, this.#index.bytes.length, [this.#index.bytes], undefined)
    await index.done
    // Two blocks of zeros end a tar (POSIX pax, "ustar Interchange Format").
    await this.#sink.write(new Uint8Array(2 * BLOCK_SIZE), this.#end)
    await lock?.check()
    await this.#sink.finish()
  }

  /** Where another process has changed the file since it was opened, all that was done here is done again on what it is now. */
  async #finishUpdate(lock: HeldLock): Promise<void> {
    const reopen = await this.#update?.changed()
    if (reopen === undefined) return this.#finish(lock)
    const writer = await reopen()
    try {
      for (const [digest, { size }] of this.#blobs)
        await writer.push({ mediaType: '', digest, size }, this.blobRange(digest, 0, size, {}), { verify: false })
      for (const [name, { size }] of this.#previous?.files ?? []) {
        const digest = digestNamed(name)
        if (digest === undefined || (await writer.blobSize(digest)) !== undefined) continue
        await writer.push({ mediaType: '', digest, size }, this.blobRange(digest, 0, size, {}), { verify: false })
      }
      for (const change of this.#changes) await writer.changeIndex(change)
      writer.#isClosed = true
      await writer.#started
      await writer.#finish(lock)
    } catch (error) {
      await writer.#sink.discard()
      throw error
    } finally {
      await writer.#previous?.file.close()
    }
    await this.#sink.discard()
  }

  protected async blobSize(digest: string): Promise<number | undefined> {
    const blob = this.#blobs.get(digest)
    if (blob !== undefined) return blob.isWritten ? blob.size : undefined
    return this.#previous?.files.get(blobName(digest))?.size
  }

  protected async *blobRange(
    digest: string,
    start: number,
    end: number,
    options: RangeOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const blob = this.#blobs.get(digest)
    const file = blob === undefined ? this.#previous!.file : await this.#sink.readFrom()
    if (file === undefined) throw new StoreError('DENIED', `${this.name} cannot be read while it is written`)
    const { offset } = blob ?? this.#previous!.files.get(blobName(digest))!
    yield* file.range(offset + start, offset + end, options)
  }

  protected async readIndex(): Promise<LayoutIndex> {
    return this.#index
  }

  protected async changeIndex(change: (index: LayoutIndex) => LayoutIndex): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const after = change(this.#index)
    if (after === this.#index) return
    this.#start()
    this.#changes.push(change)
    this.#index = after
    this.#isNamed = true
  }

  /** Writes what every archive begins with, and what the previous one had, in its order. */
  #start(): void {
    if (this.#started !== undefined) return
    const entries = [
      this.#append(LAYOUT_FILE, LAYOUT_FILE_CONTENT.length, [LAYOUT_FILE_CONTENT], undefined),
      this.#append('blobs/', 0, [], undefined),
      this.#append('blobs/sha256/', 0, [], undefined),
    ]
    const previous = [...(this.#previous?.files ?? [])].filter(([name]) => name !== LAYOUT_FILE && name !== INDEX_FILE)
    for (const [name, { offset, size }] of previous.sort(([, a], [, b]) => a.offset - b.offset))
      entries.push(this.#append(name, size, this.#previous!.file.range(offset, offset + size), undefined))
    this.#started = Promise.all(entries.map(({ done }) => done)).then(() => {})
    this.#started.catch(() => {}) // `close` awaits it
  }

  /** Sets the place of the archive's next entry, and writes it there. */
  #append(
    name: string,
    size: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): { readonly offset: number; readonly done: Promise<void> } {
    const header = encodeTarHeader(name, size)
    const start = this.#end
    const offset = start + header.length
    const padding = (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE
    this.#end = offset + size + padding
    const write = async () => {
      if (this.#failure !== undefined) throw this.#failure
      try {
        await this.#sink.write(header, start)
        let position = offset
        for await (const chunk of chunks) {
          signal?.throwIfAborted()
          await this.#sink.write(chunk, position)
          position += chunk.length
        }
        if (this.#sink.sequential && padding > 0) await this.#sink.write(new Uint8Array(padding), position)
      } catch (error) {
        this.#failure ??= error as Error
        throw error
      }
    }
    const done = this.#sink.sequential ? this.#queue.then(write) : write()
    this.#queue = done.catch(() => {})
    return { offset, done }
  }
}

import { DOCUMENT_LIMIT } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { StoreError } from '../error.js'
import type { RandomAccessFile, RangeOptions } from '../file/random-access.js'
import type { LayoutIndex } from '../layout/layout-index.js'
import { LayoutStore } from '../layout/layout-store.js'
import type { LocalContent } from '../store.js'
import type { TarFile, TarIndex } from './tar-index.js'

/** An archive's file and what is in it. */
export interface OpenArchive {
  readonly file: RandomAccessFile
  readonly files: TarIndex
}

/** What has a digest in an archive: a file of it, or a document that was made of what is there. */
export type FindContent = (digest: string) => TarFile | Uint8Array | undefined

/** The images of an archive, for reading: blobs are ranges of its file. */
export class ArchiveStore extends LayoutStore {
  readonly #file: RandomAccessFile
  readonly #index: LayoutIndex
  readonly #find: FindContent
  #closed = false

  constructor(name: string, file: RandomAccessFile, index: LayoutIndex, find: FindContent) {
    super(name)
    this.#file = file
    this.#index = index
    this.#find = find
  }

  async locate(descriptor: Descriptor): Promise<LocalContent | undefined> {
    const found = this.#find(descriptor.digest)
    if (found === undefined || found instanceof Uint8Array || this.#file.path === undefined) return undefined
    return { path: this.#file.path, offset: found.offset, size: found.size }
  }

  async push(): Promise<void> {
    throw this.#notWritable()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#file.close()
  }

  protected async blobSize(digest: string): Promise<number | undefined> {
    const found = this.#find(digest)
    return found instanceof Uint8Array ? found.length : found?.size
  }

  protected async *blobRange(
    digest: string,
    start: number,
    end: number,
    options: RangeOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const found = this.#find(digest)!
    if (found instanceof Uint8Array) yield found.slice(start, end)
    else yield* this.#file.range(found.offset + start, found.offset + end, options)
  }

  protected async readIndex(): Promise<LayoutIndex> {
    return this.#index
  }

  protected async changeIndex(): Promise<void> {
    throw this.#notWritable()
  }

  #notWritable(): StoreError {
    return new StoreError('DENIED', `${this.name} was opened for reading only`)
  }
}

/** A small file of the archive, whole. @throws StoreError PROTOCOL where it is not small */
export async function readEntry({ file }: OpenArchive, entry: TarFile, what: string): Promise<Uint8Array> {
  if (entry.size > DOCUMENT_LIMIT)
    throw new StoreError('PROTOCOL', `${what} has ${entry.size} bytes, more than the limit of 32 MiB`)
  const bytes = new Uint8Array(entry.size)
  const length = await file.read(bytes, entry.offset)
  if (length < entry.size) throw new StoreError('PROTOCOL', `${what} ends after ${length} of ${entry.size} bytes`)
  return bytes
}

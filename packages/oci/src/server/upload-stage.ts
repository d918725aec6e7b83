import { rm } from 'node:fs/promises'
import type { Descriptor } from '../document/descriptor.js'
import { RandomAccessFile } from '../file/random-access.js'
import type { Store } from '../store.js'

/** Where the bytes of an upload are until it is complete. Calls do not overlap. */
export interface UploadStage {
  /** Bytes so far. */
  readonly size: number
  append(chunk: Uint8Array): Promise<void>
  /** All bytes so far. */
  read(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Puts the bytes, which are what the descriptor says, into the store. */
  moveTo(store: Store, descriptor: Descriptor): Promise<void>
  /** Forgets the bytes. Further calls do nothing. */
  discard(): Promise<void>
}

export function memoryStage(): UploadStage {
  return new MemoryStage()
}

/** The bytes are in a new file of that path; a store on the same file system takes it as it is. */
export async function fileStage(path: string): Promise<UploadStage> {
  return new FileStage(path, await RandomAccessFile.create(path))
}

class MemoryStage implements UploadStage {
  #chunks: Uint8Array[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  read(): Iterable<Uint8Array> {
    return this.#chunks
  }

  moveTo(store: Store, descriptor: Descriptor): Promise<void> {
    return store.push(descriptor, this.#chunks, { verify: false })
  }

  async discard(): Promise<void> {
    this.#chunks = []
  }
}

class FileStage implements UploadStage {
  readonly #path: string
  readonly #file: RandomAccessFile
  #size = 0
  #discarded = false

  constructor(path: string, file: RandomAccessFile) {
    this.#path = path
    this.#file = file
  }

  get size(): number {
    return this.#size
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#file.write(chunk, this.#size)
    this.#size += chunk.length
  }

  read(): AsyncIterable<Uint8Array> {
    return this.#file.range(0, this.#size)
  }

  async moveTo(store: Store, descriptor: Descriptor): Promise<void> {
    if (await store.pushFile?.(descriptor, this.#path)) return
    await store.push(descriptor, this.read(), { verify: false })
  }

  async discard(): Promise<void> {
    if (this.#discarded) return
    this.#discarded = true
    await this.#file.close()
    await rm(this.#path, { force: true })
  }
}

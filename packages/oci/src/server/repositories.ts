import { createMemoryStore } from '../memory.js'
import type { Store } from '../store.js'
import { memoryStage, type UploadStage } from './upload-stage.js'

/** A store that can be served: it tells the size of what it has by digest. */
export type ServedStore = Store & Required<Pick<Store, 'sizeOf'>>

/** The repositories of a registry, by name. All calls may overlap. */
export interface Repositories {
  /**
   * The repository; with `create`, a new one where there is none.
   * @throws StoreError DENIED where there cannot be one of that name
   */
  open(name: string, options: { readonly create: true }): Promise<ServedStore>
  open(name: string, options?: { readonly create?: boolean | undefined }): Promise<ServedStore | undefined>
  /** In any order. */
  names(): AsyncIterable<string> | Iterable<string>
  /** A place for the bytes of an upload until they are known to be what they should. */
  stage(): Promise<UploadStage>
  /** Closes the stores, and removes what is left of uploads. */
  close(): Promise<void>
}

/** Repositories in memory, those that are pushed to made as they come. */
export function memoryRepositories(stores: ReadonlyMap<string, ServedStore> = new Map()): Repositories {
  return new MemoryRepositories(stores)
}

class MemoryRepositories implements Repositories {
  readonly #stores: Map<string, ServedStore>

  constructor(stores: ReadonlyMap<string, ServedStore>) {
    this.#stores = new Map(stores)
  }

  open(name: string, options: { readonly create: true }): Promise<ServedStore>
  open(name: string, options?: { readonly create?: boolean | undefined }): Promise<ServedStore | undefined>
  async open(
    name: string,
    { create = false }: { readonly create?: boolean | undefined } = {},
  ): Promise<ServedStore | undefined> {
    const store = this.#stores.get(name)
    if (store !== undefined || !create) return store
    const made = createMemoryStore(name)
    this.#stores.set(name, made)
    return made
  }

  names(): Iterable<string> {
    return [...this.#stores.keys()]
  }

  async stage(): Promise<UploadStage> {
    return memoryStage()
  }

  async close(): Promise<void> {
    for (const store of this.#stores.values()) await store.close()
  }
}

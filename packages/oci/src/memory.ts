import { contentChunks, joinChunks } from './content.js'
import type { Descriptor } from './document/descriptor.js'
import { measuring, verifying } from './document/digest.js'
import { CHUNK_SIZE } from './file/random-access.js'
import { EMPTY_LAYOUT_INDEX, type LayoutIndex, withoutDigest, withoutName } from './layout/layout-index.js'
import { LayoutStore } from './layout/layout-store.js'
import type { CallOptions, Content, PushOptions } from './store.js'

/** A store that lives as long as its process needs it: for tests, and for images that are made on the way. */
export function createMemoryStore(name = 'memory:'): MemoryStore {
  return new MemoryStore(name)
}

export class MemoryStore extends LayoutStore {
  readonly #blobs = new Map<string, Uint8Array>()
  #index = EMPTY_LAYOUT_INDEX

  async push(descriptor: Descriptor, content: Content, options: PushOptions = {}): Promise<void> {
    if (await this.exists(descriptor, options)) return
    const checked = options.verify === false ? measuring : verifying
    const chunks: Uint8Array[] = []
    for await (const chunk of checked(descriptor, contentChunks(content), this.name)) {
      options.signal?.throwIfAborted()
      chunks.push(chunk.slice()) // the caller may change its own afterwards
    }
    this.#blobs.set(descriptor.digest, joinChunks(chunks))
  }

  async delete({ digest }: Descriptor, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#index = withoutDigest(this.#index, digest, this.name)
    this.#blobs.delete(digest)
  }

  async untag(reference: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#index = withoutName(this.#index, reference, this.name)
  }

  async close(): Promise<void> {}

  protected async blobSize(digest: string): Promise<number | undefined> {
    return this.#blobs.get(digest)?.length
  }

  protected async *blobRange(digest: string, start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    const blob = this.#blobs.get(digest)!
    for (let at = start; at < end; at += CHUNK_SIZE) yield blob.slice(at, Math.min(end, at + CHUNK_SIZE))
  }

  protected async readIndex(): Promise<LayoutIndex> {
    return this.#index
  }

  protected async changeIndex(change: (index: LayoutIndex) => LayoutIndex): Promise<void> {
    this.#index = change(this.#index)
  }
}

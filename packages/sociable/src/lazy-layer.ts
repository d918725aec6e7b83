import type { Descriptor, Store } from '@sociable/oci'
import { decodeZtoc, type FileEntry, indexLayer, LayerFormatError, readFile, type Toc } from '@sociable/ztoc'
import { inContext } from './error.js'
import { decideLayer } from './layer-type.js'
import { type OpenLayer, openLayer } from './union.js'
import { readZtoc } from './ztoc-reading.js'

/** Counts what is read from the store. */
export class FetchCounter {
  bytes = 0
  requests = 0
  ztocs = 0
  readonly wholeLayers: string[] = []

  async *count(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.requests++
    for await (const chunk of content) {
      this.bytes += chunk.length
      yield chunk
    }
  }
}

/** A layer of an image, opened when first needed: by its zTOC, or where it has none by reading it whole. */
export class LazyLayer {
  readonly descriptor: Descriptor
  readonly #store: Store
  readonly #ztoc: Descriptor | undefined
  readonly #counter: FetchCounter
  /** The reading that is shared by all calls, and the signal of the one that began it. */
  #opened: { readonly layer: Promise<OpenLayer>; readonly signal: AbortSignal | undefined } | undefined

  constructor(store: Store, descriptor: Descriptor, ztoc: Descriptor | undefined, counter: FetchCounter) {
    this.descriptor = descriptor
    this.#store = store
    this.#ztoc = ztoc
    this.#counter = counter
  }

  /** @throws StoreError, ZtocFormatError, LayerFormatError, with the layer named */
  async open(signal: AbortSignal | undefined): Promise<OpenLayer> {
    signal?.throwIfAborted()
    this.#opened ??= { layer: this.#read(signal), signal }
    const opened = this.#opened
    try {
      return await opened.layer
    } catch (error) {
      if (this.#opened === opened) this.#opened = undefined
      if (opened.signal !== signal && opened.signal?.aborted) return await this.open(signal) // another's abort
      throw inContext(error, `layer ${this.descriptor.digest}`)
    }
  }

  /** The bytes of a file that is an entry of this layer. */
  async *read(file: FileEntry, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { toc } = await this.open(signal)
    try {
      const fetchRange = (start: number, end: number) =>
        this.#counter.count(this.#store.fetch(this.descriptor, { start, end, signal }))
      for await (const bytes of readFile(toc, file, fetchRange)) {
        yield bytes
        signal?.throwIfAborted() // several spans may come with one range
      }
    } catch (error) {
      throw inContext(error, `layer ${this.descriptor.digest}`)
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<OpenLayer> {
    return openLayer(this.descriptor.digest, await this.#readToc(signal))
  }

  async #readToc(signal: AbortSignal | undefined): Promise<Toc> {
    if (this.#ztoc !== undefined) {
      const toc = await readZtoc(this.#store, this.#ztoc, this.descriptor, signal)
      this.#counter.ztocs++
      this.#counter.requests++
      this.#counter.bytes += this.#ztoc.size
      return toc
    }
    const { mediaType, digest, size } = this.descriptor
    const decision = decideLayer(mediaType, size, 0)
    if (!('index' in decision)) {
      const reason = 'skip' in decision ? decision.skip : decision.refuse
      throw new LayerFormatError('COMPRESSION_UNSUPPORTED', `its files cannot be read: ${reason}`)
    }
    this.#counter.wholeLayers.push(digest)
    const content = this.#counter.count(this.#store.fetch(this.descriptor, { verify: false, reuse: true, signal }))
    const { ztoc } = await indexLayer(content, {
      compression: decision.index,
      expected: { digest, size },
      ...(signal !== undefined && { signal }),
    })
    return decodeZtoc(Buffer.concat(ztoc.pieces))
  }
}

import { type Descriptor, type Manifest, type Store, verifying } from '@sociable/oci'
import {
  decodeZtoc,
  type FileEntry,
  fileRange,
  indexLayer,
  outputLimit,
  readFile,
  readRange,
  spanAt,
  type Toc,
} from '@sociable/ztoc'
import { inContext } from '../error.js'
import { LAYER_DIGEST, ZTOC_MEDIA_TYPE } from '../soci/soci-index.js'
import { readZtoc } from '../soci/ztoc-reading.js'
import { type OpenLayer, openLayer } from './union.js'
import { decodeZstd, readableCompression, sliceContent } from './zstd-layer.js'

/** Counts what is read from the store. */
export class FetchCounter {
  bytes = 0
  requests = 0
  ztocs = 0
  readonly wholeLayers: string[] = []
  /** Called before a layer without a zTOC is read whole, with 0 bytes, and then with its compressed bytes so far. */
  onWholeLayer: ((layer: Descriptor, bytes: number) => void) | undefined

  async *count(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.requests++
    for await (const chunk of content) {
      this.bytes += chunk.length
      yield chunk
    }
  }

  /** Counts the bytes of a layer that is read whole. */
  async *countWhole(layer: Descriptor, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.wholeLayers.push(layer.digest)
    this.onWholeLayer?.(layer, 0)
    let bytes = 0
    for await (const chunk of this.count(content)) {
      bytes += chunk.length
      yield chunk
      this.onWholeLayer?.(layer, bytes)
    }
  }
}

/** The zTOCs that a SOCI index lists, by the digest of their layers. */
export function indexedLayers(index: Manifest | undefined): ReadonlyMap<string, Descriptor> {
  const ztocs = new Map<string, Descriptor>()
  for (const descriptor of index?.layers ?? [])
    if (descriptor.mediaType === ZTOC_MEDIA_TYPE) ztocs.set(descriptor.annotations?.get(LAYER_DIGEST) ?? '', descriptor)
  return ztocs
}

/** The layers of a manifest, bottom first; one that stands several times is opened once. */
export function lazyLayers(
  store: Store,
  { layers = [] }: Manifest,
  ztocs: ReadonlyMap<string, Descriptor>,
  counter: FetchCounter,
  limit: number | undefined,
): LazyLayer[] {
  const opened = new Map<string, LazyLayer>()
  for (const layer of layers)
    opened.set(layer.digest, new LazyLayer(store, layer, ztocs.get(layer.digest), counter, limit))
  return layers.map(({ digest }) => opened.get(digest)!)
}

/** Where a layer is read from. */
export type LayerStore = Pick<Store, 'name' | 'fetch'>

/** A layer of an image, opened when first needed: by its zTOC, or where it has none by reading it whole. */
export class LazyLayer {
  readonly descriptor: Descriptor
  readonly #store: LayerStore
  readonly #ztoc: Descriptor | Toc | undefined
  readonly #counter: FetchCounter
  readonly #limit: number | undefined
  /** The reading that is shared by all calls, and the signal of the one that began it. */
  #opened: { readonly layer: Promise<OpenLayer>; readonly signal: AbortSignal | undefined } | undefined

  /**
   * @param ztoc the layer's, decoded or in the same store; undefined where it has none
   * @param limit bytes that it may unpack to, see `IndexLayerOptions`
   */
  constructor(
    store: LayerStore,
    descriptor: Descriptor,
    ztoc: Descriptor | Toc | undefined,
    counter: FetchCounter,
    limit?: number,
  ) {
    this.#limit = limit
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
      for await (const bytes of readFile(toc, file, this.#fetcher(signal))) {
        yield bytes
        signal?.throwIfAborted() // several spans may come with one range
      }
    } catch (error) {
      throw inContext(error, `layer ${this.descriptor.digest}`)
    }
  }

  /** The bytes [start, end) of the layer's tar, from whole verified spans. */
  async *readRange(start: number, end: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { toc } = await this.open(signal)
    try {
      yield* readRange(toc, start, end, this.#fetcher(signal), signal)
    } catch (error) {
      throw inContext(error, `layer ${this.descriptor.digest}`)
    }
  }

  /** Opens the layer where that was not done. @throws FileError where the entry has no bytes that could be located; ZtocFormatError */
  async locate(file: FileEntry, signal: AbortSignal | undefined): Promise<{ start: number; end: number }> {
    return fileRange((await this.open(signal)).toc, file)
  }

  /**
   * The bytes of several files that are entries of this layer, in the order in which they are in it, one after the other; of an empty one an empty chunk. What lies in the
   * same spans or in neighbours is fetched together: no span is fetched twice, unless files overlap, as they do in no tar.
   */
  async *readTogether(
    files: readonly FileEntry[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ readonly file: FileEntry; readonly bytes: Uint8Array }> {
    const { toc } = await this.open(signal)
    try {
      const places = files.map((file) => ({ file, ...fileRange(toc, file) })).sort((a, b) => a.start - b.start)
      for (const { file } of places.filter(({ start, end }) => start === end)) yield { file, bytes: new Uint8Array(0) }
      const filled = places.filter(({ start, end }) => start < end)
      for (const run of this.#isZstd && filled.length > 0 ? [filled] : runsOf(toc, filled)) {
        let at = run[0]!.start
        let next = 0
        for await (const bytes of readRange(toc, at, run.at(-1)!.end, this.#fetcher(signal), signal)) {
          const end = at + bytes.length
          for (; next < run.length && run[next]!.start < end; next++) {
            const place = run[next]!
            yield { file: place.file, bytes: bytes.subarray(Math.max(0, place.start - at), place.end - at) }
            if (place.end > end) break
          }
          at = end
          signal?.throwIfAborted()
        }
      }
    } catch (error) {
      throw inContext(error, `layer ${this.descriptor.digest}`)
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<OpenLayer> {
    return await openLayer(this.descriptor.digest, await this.#readToc(signal), signal)
  }

  async #readToc(signal: AbortSignal | undefined): Promise<Toc> {
    if (this.#ztoc !== undefined && 'files' in this.#ztoc) return this.#ztoc
    if (this.#ztoc !== undefined) {
      const toc = await readZtoc(this.#store, this.#ztoc, this.descriptor, signal)
      this.#counter.ztocs++
      this.#counter.requests++
      this.#counter.bytes += this.#ztoc.size
      return toc
    }
    const { mediaType, digest, size } = this.descriptor
    const compression = readableCompression(mediaType, size)
    const fetched = this.#store.fetch(this.descriptor, { verify: false, reuse: true, signal })
    const content = this.#counter.countWhole(this.descriptor, fetched)
    const common = { limit: this.#limit, ...(signal !== undefined && { signal }) }
    const { ztoc } =
      compression === 'zstd'
        ? await indexLayer(decodeZstd(verifying(this.descriptor, content, this.#store.name)), {
            compression: 'uncompressed',
            ...common,
            limit: outputLimit(size, this.#limit),
          })
        : await indexLayer(content, { compression, expected: { digest, size }, ...common })
    return decodeZtoc(Buffer.concat(ztoc.pieces))
  }

  /** A zTOC that was made here of a zstd layer describes its tar. Each span is verified when it is read. */
  get #isZstd(): boolean {
    return this.#ztoc === undefined && readableCompression(this.descriptor.mediaType, this.descriptor.size) === 'zstd'
  }

  #fetcher(signal: AbortSignal | undefined): (start: number, end: number) => AsyncIterable<Uint8Array> {
    if (!this.#isZstd)
      return (start, end) => this.#counter.count(this.#store.fetch(this.descriptor, { start, end, signal }))
    return (start, end) => {
      const content = this.#store.fetch(this.descriptor, { verify: false, signal })
      return sliceContent(decodeZstd(this.#counter.count(content)), start, end)
    }
  }
}

interface FilePlace {
  readonly file: FileEntry
  /** In the uncompressed tar. */
  readonly start: number
  readonly end: number
}

/** Takes files that follow one another, without a span between them that has nothing of any. @param places in order, none empty */
function runsOf(toc: Toc, places: readonly FilePlace[]): FilePlace[][] {
  const runs: FilePlace[][] = []
  for (const place of places) {
    const run = runs.at(-1)
    const before = run?.at(-1)
    const follows =
      before !== undefined && place.start >= before.end && spanAt(toc, place.start) <= spanAt(toc, before.end - 1) + 1
    if (follows) run!.push(place)
    else runs.push([place])
  }
  return runs
}

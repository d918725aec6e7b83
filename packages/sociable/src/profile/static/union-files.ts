// An image's files for the analysis: spans are decoded once and kept for a while, as neighbours are often read one after another.
import { fileRange, spanAt, type Toc } from '@sociable/ztoc'
import { ImageError } from '../../error.js'
import type { LazyLayer } from '../../reading/lazy-layer.js'
import { type Found, headerOf, isDirectory, Union } from '../../reading/union.js'
import type { FileFacts, ImageFiles } from './image-files.js'

/** Bytes of decoded spans that are kept. */
const MAX_CACHED = 96 << 20
/** Bytes that an analysis reads of files. A start that reads more is no start worth guessing. */
const MAX_READ = 2 ** 30

interface Located {
  readonly facts: FileFacts
  readonly content: Found
}

export class UnionFiles implements ImageFiles {
  readonly #layers: readonly LazyLayer[]
  readonly #union: Union
  readonly #signal: AbortSignal | undefined
  readonly #located = new Map<string, Promise<Located | undefined>>()
  readonly #names = new Map<string, Promise<ReadonlySet<string>>>()
  readonly #spans = new Map<string, { readonly bytes: Promise<Buffer>; readonly size: number }>()
  #cached = 0
  #read = 0
  /** Whether a file was not read because of the limit. */
  isOverLimit = false

  constructor(layers: readonly LazyLayer[], signal: AbortSignal | undefined) {
    this.#layers = layers
    this.#union = new Union(layers.map((layer) => () => layer.open(signal)))
    this.#signal = signal
  }

  async stat(path: string): Promise<FileFacts | undefined> {
    return (await this.#locate(path))?.facts
  }

  names(path: string): Promise<ReadonlySet<string>> {
    return remember(this.#names, path, async () => {
      const located = await this.#locate(path)
      if (located?.facts.type !== 'dir') return new Set()
      const children = await this.#union.children(located.facts.path.slice(1))
      return new Set(children.map((child) => child.path.slice(child.path.lastIndexOf('/') + 1)))
    })
  }

  async read(path: string, start: number, end: number): Promise<Buffer | undefined> {
    const located = await this.#locate(path)
    if (located?.facts.type !== 'file') return undefined
    const { entry, layer } = located.content
    const wanted = Math.min(end, entry!.size) - start
    if (wanted <= 0) return Buffer.alloc(0)
    if (this.#read + wanted > MAX_READ) {
      this.isOverLimit = true
      return undefined
    }
    this.#read += wanted
    const lazy = this.#layers.find(({ descriptor }) => descriptor.digest === layer!.digest)!
    const at = fileRange(layer!.toc, entry!).start + start
    const pieces: Buffer[] = []
    for (let from = at; from < at + wanted; ) {
      const span = spanAt(layer!.toc, from)
      const bounds = spanBounds(layer!.toc, span)
      const bytes = await this.#span(lazy, span, bounds)
      const piece = bytes.subarray(from - bounds.start, at + wanted - bounds.start)
      if (piece.length === 0) break
      pieces.push(piece)
      from += piece.length
    }
    return Buffer.concat(pieces)
  }

  #locate(path: string): Promise<Located | undefined> {
    return remember(this.#located, path, async () => {
      this.#signal?.throwIfAborted()
      try {
        const found = await this.#union.resolve(path, true)
        const content = found.entry === undefined ? found : await this.#union.hardlinkTarget(found)
        const type = isDirectory(content) ? 'dir' : content.entry!.type === 'reg' ? 'file' : 'other'
        const modified = Math.floor(Date.parse(headerOf(found)?.modTime ?? '') / 1000)
        const facts = { path: `/${found.path}`, type, size: content.entry?.size ?? 0, modified } as const
        return { facts, content }
      } catch (error) {
        if (error instanceof ImageError && error.code === 'PATH_NOT_FOUND') return undefined
        throw error
      }
    })
  }

  #span(lazy: LazyLayer, span: number, { start, end }: { start: number; end: number }): Promise<Buffer> {
    const key = `${lazy.descriptor.digest} ${span}`
    const known = this.#spans.get(key)
    if (known !== undefined) {
      this.#spans.delete(key) // the one used last is kept longest
      this.#spans.set(key, known)
      return known.bytes
    }
    const bytes = readAll(lazy.readRange(start, end, this.#signal))
    this.#spans.set(key, { bytes, size: end - start })
    this.#cached += end - start
    for (const [oldest, { size }] of this.#spans) {
      if (this.#cached <= MAX_CACHED || oldest === key) break
      this.#spans.delete(oldest)
      this.#cached -= size
    }
    return bytes
  }
}

async function readAll(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}

/** The tar's bytes that a span decodes to. */
function spanBounds(toc: Toc, span: number): { start: number; end: number } {
  if (toc.compression === 'uncompressed')
    return { start: span * toc.spanSize, end: Math.min((span + 1) * toc.spanSize, toc.uncompressedSize) }
  return { start: toc.checkpoints.at(span)!.out, end: toc.checkpoints.at(span + 1)?.out ?? toc.uncompressedSize }
}

function remember<Value>(known: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  let value = known.get(key)
  if (value === undefined) {
    value = make()
    known.set(key, value)
  }
  return value
}

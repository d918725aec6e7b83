import { contentChunks, joinChunks } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { measuring, verifying } from '../document/digest.js'
import type { Content } from '../store.js'

const CHUNK_SIZE = 1 << 20

/** A content on its way up: checked against its descriptor, and begun again where its source can be. */
export class UploadContent {
  readonly descriptor: Descriptor
  readonly #content: Content
  readonly #verify: boolean
  readonly #where: string
  #begun = false

  constructor(descriptor: Descriptor, content: Content, options: { readonly verify: boolean; readonly where: string }) {
    this.descriptor = descriptor
    this.#content = content
    this.#verify = options.verify
    this.#where = options.where
  }

  /** Whether `chunks` may be called (again). */
  get available(): boolean {
    return !this.#begun || this.repeatable
  }

  /** Bytes, arrays and objects that make a new iterator each time can be read twice; generators and Node's streams cannot. */
  get repeatable(): boolean {
    if (this.#content instanceof Uint8Array) return true
    if ('pipe' in this.#content || 'getReader' in this.#content) return false
    return Symbol.asyncIterator in this.#content
      ? (this.#content[Symbol.asyncIterator]() as unknown) !== this.#content
      : (this.#content[Symbol.iterator]() as unknown) !== this.#content
  }

  /**
   * The content from its start. The last chunk comes only when the whole has been found right: so a registry never gets the whole of a wrong one.
   * @throws StoreError DIGEST_MISMATCH, SIZE_MISMATCH
   */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    this.#begun = true
    const content = this.#content
    const source = content instanceof Uint8Array ? piecesOf(content) : contentChunks(content)
    const isStable = content instanceof Uint8Array || Array.isArray(content)
    const checked = this.#verify ? verifying : measuring
    let held: Uint8Array | undefined
    for await (const chunk of checked(this.descriptor, source, this.#where)) {
      if (chunk.length === 0) continue
      if (held !== undefined) yield held
      // A stream may write it over with the next, while this one is still on its way.
      held = isStable ? chunk : chunk.slice()
    }
    if (held !== undefined) yield held
  }

  /** The content in pieces of `size` bytes, the last one shorter. */
  async *pieces(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    let chunks: Uint8Array[] = []
    let length = 0
    for await (let chunk of this.chunks()) {
      while (length + chunk.length >= size) {
        yield joinChunks([...chunks, chunk.subarray(0, size - length)])
        chunk = chunk.subarray(size - length)
        chunks = []
        length = 0
      }
      if (chunk.length > 0) chunks.push(chunk)
      length += chunk.length
    }
    if (length > 0) yield joinChunks(chunks)
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE) yield bytes.subarray(at, at + CHUNK_SIZE)
}

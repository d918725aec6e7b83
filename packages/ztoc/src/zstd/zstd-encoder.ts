// The zstd encoder: libzstd as WebAssembly (@bokuweb/zstd-wasm, embedded by scripts/build-wasm.mjs), not Node's own, whose bytes differ between
// Node versions and which Node 20 lacks. Its imports and exports have the one-letter names that Emscripten gave them in that build.
import { ZSTD_ENCODER } from '../generated/zstd-wasm.js'
import { Instance, type Memory, Module } from '../inflate/webassembly.js'

interface EncoderExports {
  /** memory */
  readonly f: Memory & { grow(pages: number): number }
  /** Constructors of static data, called once. */
  g(): void
  /** ZSTD_isError */
  h(code: number): number
  /** ZSTD_compressBound */
  i(size: number): number
  /** ZSTD_createCCtx */
  j(): number
  /** ZSTD_compress_usingDict(context, to, toSize, from, fromSize, dictionary, dictionarySize, level) */
  l(
    context: number,
    to: number,
    toSize: number,
    from: number,
    fromSize: number,
    dict: 0,
    dictSize: 0,
    level: number,
  ): number
  /** malloc; 0 if there is no memory */
  s(size: number): number
}

const PAGE = 65536
/** What 32 bits can address. */
const MAX_MEMORY = 2 ** 32 - PAGE

/**
 * Compresses chunks of up to a fixed size into one zstd frame each. Frames can be joined: together they are the concatenation's compressed form.
 * The same chunk and level give the same bytes on every machine and Node version.
 */
export class ZstdEncoder {
  readonly #exports: EncoderExports
  readonly #context: number
  readonly #from: number
  readonly #to: number
  readonly #bound: number

  /** @param chunkSize bytes that a chunk has at most; the encoder takes about three times as much memory, and up to 30 MB more by level */
  constructor(readonly chunkSize: number) {
    const fail = (): never => {
      throw new Error('the zstd encoder failed')
    }
    const resize = (size: number): boolean => {
      const memory = this.#exports.f
      const wanted = size >>> 0
      if (wanted > MAX_MEMORY) return false
      try {
        memory.grow(Math.ceil((wanted - memory.buffer.byteLength) / PAGE))
        return true
      } catch {
        return false
      }
    }
    const imports = { a: { a: fail, b: fail, c: fail, d: () => 0, e: resize } }
    const module = new Module(Buffer.from(ZSTD_ENCODER, 'base64'))
    this.#exports = new Instance(module, imports).exports as EncoderExports
    this.#exports.g()
    this.#bound = this.#exports.i(chunkSize)
    this.#context = this.#exports.j()
    this.#from = this.#exports.s(chunkSize)
    this.#to = this.#exports.s(this.#bound)
    if (this.#context === 0 || this.#from === 0 || this.#to === 0)
      throw new Error(`there is not enough memory to compress chunks of ${chunkSize} bytes`)
  }

  /** The chunk as a frame, in memory of its own. @param level 1 to 19 @throws RangeError where the chunk is too large */
  compress(chunk: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
    if (chunk.length > this.chunkSize) throw new RangeError(`a chunk of ${chunk.length} bytes, over ${this.chunkSize}`)
    const { f: memory, l: compress, h: isError } = this.#exports
    new Uint8Array(memory.buffer).set(chunk, this.#from)
    const size = compress(this.#context, this.#to, this.#bound, this.#from, chunk.length, 0, 0, level)
    if (isError(size) !== 0) throw new Error(`zstd failed with code ${size}`)
    return new Uint8Array(memory.buffer).slice(this.#to, this.#to + size)
  }
}

import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { LayerFormatError } from '../error.js'
import { GO_STRING_LIMIT, type RefusedByGo } from '../gzip/gzip-member.js'
import { TarScanner } from '../tar/tar-scanner.js'
import type { CapturedFile, CaptureOptions } from '../types.js'
import { MAX_ZTOC_SIZE } from '../ztoc/ztoc-encode.js'
import { CapturingRecords } from './file-capture.js'
import { checkEntries, checkOutput } from './layer-limit.js'
import type { LayerSink } from './layer-sink.js'

const DIGEST_SIZE = 32 // sha256
const ENCODED_DIGEST_SIZE = 4 + 4 + 72 // in a zTOC: offset, length, 'sha256:<hex>' with its zero

/** Of the layer as a whole; spans are always sha256. */
export type DigestAlgorithm = 'sha256' | 'sha512'

interface DigesterOptions {
  readonly algorithm: DigestAlgorithm
  readonly capture: CaptureOptions | undefined
  readonly limit: number | undefined
}

/** Growing list of raw digests. */
class DigestList {
  #bytes = new Uint8Array(64 * DIGEST_SIZE)
  count = 0

  add(hash: Hash): void {
    if (this.count * ENCODED_DIGEST_SIZE > MAX_ZTOC_SIZE)
      throw new LayerFormatError(
        'LIMIT_EXCEEDED',
        `more than ${this.count} spans: the zTOC would pass the limit of 1 GiB; use a larger span size`,
      )
    const end = (this.count + 1) * DIGEST_SIZE
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(hash.digest(), end - DIGEST_SIZE)
    this.count++
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.count * DIGEST_SIZE)
  }
}

/** What every layer's digester has: the layer's digest, its spans', and its tar. */
abstract class LayerDigester {
  readonly tar: TarScanner
  readonly #capturing: CapturingRecords | undefined
  readonly #algorithm: DigestAlgorithm
  protected readonly limit: number | undefined
  protected readonly layer: Hash
  protected readonly spans = new DigestList()
  /** Of the present span. */
  protected span: Hash | undefined
  /** Compressed bytes so far. */
  protected size = 0

  constructor({ algorithm, capture, limit }: DigesterOptions) {
    this.limit = limit
    this.#algorithm = algorithm
    this.#capturing = capture && new CapturingRecords(capture)
    this.tar = new TarScanner(this.#capturing)
    this.layer = createHash(algorithm)
  }

  /** The tar's bytes from `position` on. */
  protected scan(bytes: Uint8Array, position: number): void {
    this.tar.push(bytes)
    this.#capturing?.take(bytes, position)
  }

  /** The tar and the last span end here. */
  finish(): LayerDigests {
    this.tar.end()
    if (this.span !== undefined) this.spans.add(this.span)
    return {
      digest: `${this.#algorithm}:${this.layer.digest('hex')}`,
      size: this.size,
      spanDigests: this.spans.bytes,
      tar: this.tar,
      captured: this.#capturing?.captured ?? [],
    }
  }
}

/** Everything that is computed of a gzip layer besides decoding it: the digests of the layer and of its spans, members' checks, the tar's contents. */
export class GzipDigester extends LayerDigester implements LayerSink {
  readonly #memory: Uint8Array
  #starts: SpanStart[] = []
  /** A span that may have started: the digest of the span before up to it, and what it has itself. `span` goes on as if it had not. */
  #maybe: { readonly inOffset: number; readonly before: Hash; readonly span: Hash } | undefined
  #crc = 0
  #memberStart = 0 // output before the present member
  #out = 0
  #adler: Adler32 | undefined

  constructor(memory: Uint8Array, job: DigesterOptions) {
    super(job)
    this.#memory = memory
  }

  output(ptr: number, length: number): void {
    const bytes = this.#memory.subarray(ptr, ptr + length)
    const position = this.#out
    this.#out += length
    this.#crc = crc32(bytes, this.#crc)
    this.#adler?.update(bytes)
    this.scan(bytes, position)
    checkEntries(this.tar.records.encodedSize, this.size, this.limit)
  }

  awaitSlot(): void {}

  spanStart(inOffset: number, bits: number): void {
    this.#starts.push({ inOffset, bits, may: false })
  }

  spanMayStart(inOffset: number, bits: number): void {
    this.#starts.push({ inOffset, bits, may: true })
  }

  gzipMemberEnd(crc: number, size: number, end: number): void {
    const length = this.#out - this.#memberStart
    if (crc !== this.#crc)
      throw new LayerFormatError(
        'GZIP_CORRUPT',
        `the gzip member that ends at byte ${end} has CRC-32 ${hex(this.#crc)}, its trailer says ${hex(crc)}; fetch the layer again`,
      )
    if (size !== length % 2 ** 32)
      throw new LayerFormatError(
        'GZIP_CORRUPT',
        `the gzip member that ends at byte ${end} has ${length} bytes of output, its trailer says ${size} (modulo 2^32); fetch the layer again`,
      )
    this.#endMember()
  }

  zlibStreamEnd(adler: number, end: number): void {
    const computed = this.#adler!.value
    if (adler !== computed)
      throw new LayerFormatError(
        'GZIP_CORRUPT',
        `the zlib stream that ends at byte ${end} has Adler-32 ${hex(computed)}, its trailer says ${hex(adler)}; fetch the layer again`,
      )
    this.#endMember()
  }

  #endMember(): void {
    this.#memberStart = this.#out
    this.#crc = 0
    this.#adler = undefined
  }

  memberRefusedByGo(reason: RefusedByGo, start: number): void {
    // Go's reader gets to a member's header only when the tar is not complete before it
    if (!this.tar.finished)
      throw new LayerFormatError(
        'GZIP_CORRUPT',
        reason === 'zlib'
          ? `a zlib stream stands where a gzip member should, its data at byte ${start}`
          : `${reason} in the gzip header before byte ${start} is longer than ${GO_STRING_LIMIT} bytes; no runtime could read the layer`,
      )
    if (reason === 'zlib') this.#adler = new Adler32()
  }

  input(ptr: number, length: number): void {
    const bytes = this.#memory.subarray(ptr, ptr + length)
    this.layer.update(bytes)
    let from = 0
    for (const { inOffset, bits, may } of this.#starts) {
      const at = inOffset - this.size
      const maybe = this.#maybe
      this.#maybe = undefined
      if (maybe !== undefined && !may && maybe.inOffset === inOffset) {
        this.spans.add(maybe.before)
        this.span = maybe.span
        continue
      }
      if (may) {
        this.span!.update(bytes.subarray(from, at))
        const span = createHash('sha256').update(bytes.subarray(at - (bits === 0 ? 0 : 1)))
        this.#maybe = { inOffset, before: this.span!.copy(), span }
        from = at
        continue
      }
      if (this.span !== undefined) {
        this.span.update(bytes.subarray(from, at))
        this.spans.add(this.span)
      }
      this.span = createHash('sha256')
      // A byte that two blocks share was read with the block before, so it lies in this input as the boundary does
      from = at - (bits === 0 ? 0 : 1)
    }
    // Nothing was said of it: what comes may be its own
    if (this.#starts.every(({ may }) => !may)) this.#maybe?.span.update(bytes)
    this.#starts = []
    this.span?.update(bytes.subarray(from))
    this.size += length
  }
}

interface SpanStart {
  readonly inOffset: number
  readonly bits: number
  readonly may: boolean
}

export interface LayerDigests {
  /** Of the layer's compressed bytes. */
  readonly digest: string
  readonly size: number
  /** 32 bytes a span. */
  readonly spanDigests: Uint8Array
  readonly tar: TarScanner
  readonly captured: readonly CapturedFile[]
}

/** The same for a layer that is not compressed: spans of `spanSize` bytes each. */
export class TarDigester extends LayerDigester {
  readonly #spanSize: number

  constructor(job: DigesterOptions & { readonly spanSize: number }) {
    super(job)
    this.#spanSize = job.spanSize
  }

  push(bytes: Uint8Array): void {
    checkOutput(this.size + bytes.length, this.size + bytes.length, this.limit)
    this.layer.update(bytes)
    this.scan(bytes, this.size)
    for (let from = 0; from < bytes.length; ) {
      const rest = this.#spanSize - (this.size % this.#spanSize)
      const part = bytes.subarray(from, from + rest)
      this.span ??= createHash('sha256')
      this.span.update(part)
      this.size += part.length
      from += part.length
      if (this.size % this.#spanSize === 0) {
        this.spans.add(this.span)
        this.span = undefined
      }
    }
  }
}

/** RFC 1950, 8. */
class Adler32 {
  #a = 1
  #b = 0

  update(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#a = (this.#a + byte) % 65521
      this.#b = (this.#b + this.#a) % 65521
    }
  }

  get value(): number {
    return this.#b * 65536 + this.#a
  }
}

const hex = (value: number): string => value.toString(16).padStart(8, '0')

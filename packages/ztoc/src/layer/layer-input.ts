import { LayerFormatError } from '../error.js'
import type { IndexLayerOptions } from '../types.js'
import type { DigestAlgorithm } from './layer-digester.js'
import type { LayerJob } from './layer-result.js'

/** As the soci CLI. */
export const DEFAULT_SPAN_SIZE = 4 * 1024 * 1024
/** The number is the output format's, never a package's version: the same input has the same digest in every release. */
export const DEFAULT_BUILD_TOOL = 'sociable v1'

const SIGNATURES: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['compress', [0x1f, 0x9d]],
]
const SIGNATURE_SIZE = 6

const sniff = (head: Uint8Array): string | undefined => {
  // zstd's skippable frames: 0x184d2a50 to 0x184d2a5f, little endian
  if ((head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd'
  return SIGNATURES.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte))?.[0]
}

/** A layer's bytes as they come, and what they and the caller say of them. */
export interface LayerInput {
  readonly job: LayerJob
  readonly chunks: AsyncIterable<Uint8Array>
}

/**
 * Checks the options, and tells how the layer is compressed, by its first bytes where the caller does not say. Throws a RangeError for a span size
 * that the format cannot hold, and `COMPRESSION_UNSUPPORTED`, naming it, for bytes that are compressed otherwise.
 */
export async function openLayer(source: AsyncIterable<Uint8Array>, options: IndexLayerOptions): Promise<LayerInput> {
  const {
    spanSize = DEFAULT_SPAN_SIZE,
    buildTool = DEFAULT_BUILD_TOOL,
    expected,
    hot,
    capture,
    limit,
    signal,
  } = options
  if (!Number.isSafeInteger(spanSize) || spanSize < 0)
    throw new RangeError(`span size ${spanSize}: it must be a whole number of bytes, 0 or more`)
  if (limit !== undefined && !(limit >= 0)) throw new RangeError(`layer limit ${limit}: it must be 0 bytes or more`)
  const algorithm = digestAlgorithm(expected?.digest)
  signal?.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  const head = new Uint8Array(SIGNATURE_SIZE)
  const first: Uint8Array[] = []
  let length = 0
  try {
    while (length < SIGNATURE_SIZE) {
      const { done, value } = await iterator.next()
      if (done) break
      first.push(value)
      head.set(value.subarray(0, SIGNATURE_SIZE - length), length)
      length += value.length
    }
    const found = sniff(head)
    const compression = options.compression ?? (found === undefined ? 'uncompressed' : 'gzip')
    if (compression === 'gzip' && found !== 'gzip')
      throw found === undefined
        ? new LayerFormatError(
            length === 0 ? 'GZIP_TRUNCATED' : 'GZIP_CORRUPT',
            length === 0
              ? 'the layer is 0 bytes long, not even a gzip header'
              : `the layer is not gzip: it starts with ${hex(head.subarray(0, Math.min(length, SIGNATURE_SIZE)))}`,
          )
        : new LayerFormatError(
            'COMPRESSION_UNSUPPORTED',
            `the layer is compressed with ${found}, which a zTOC cannot describe; build the image with gzip layers`,
          )
    if (compression === 'uncompressed' && spanSize === 0)
      throw new RangeError('span size 0: an uncompressed layer needs spans of 1 byte or more')
    return {
      job: { compression, spanSize, hot, capture, limit, buildTool, expected, algorithm },
      chunks: resume(first, iterator, signal),
    }
  } catch (error) {
    await iterator.return?.()
    throw error
  }
}

function digestAlgorithm(digest = 'sha256:'): DigestAlgorithm {
  const algorithm = digest.slice(0, digest.indexOf(':'))
  if (algorithm === 'sha256' || algorithm === 'sha512') return algorithm
  throw new RangeError(`expected digest ${digest}: only sha256 and sha512 can be verified`)
}

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')

async function* resume(
  first: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* first
    while (true) {
      signal?.throwIfAborted()
      const { done, value } = await iterator.next()
      if (done) return
      yield value
    }
  } finally {
    await iterator.return?.()
  }
}

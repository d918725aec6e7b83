// Layers compressed with zstd: no index tells where in them a file is, so they are decoded from the start each time.
import { type Compression, LayerFormatError } from '@sociable/ztoc'
import { Decompress } from 'fzstd'
import { decideLayer } from '../image/layer-type.js'

/**
 * Pieces in which the decoder gets its input. It hands over all that a piece gives at once: of 4 bytes up to 128 KiB (a block that repeats one byte), so 64 MiB at
 * most.
 */
const INPUT_SIZE = 2 << 10

/** How a layer of this media type is compressed, if it can be read. @throws LayerFormatError COMPRESSION_UNSUPPORTED */
export function readableCompression(mediaType: string, size: number): Compression | 'zstd' {
  const decision = decideLayer(mediaType, size, 0)
  if ('index' in decision) return decision.index
  if (/[.+]zstd$/.test(mediaType)) return 'zstd'
  const reason = 'skip' in decision ? decision.skip : decision.refuse
  throw new LayerFormatError('COMPRESSION_UNSUPPORTED', `its files cannot be read: ${reason}`)
}

/** The content of a zstd stream: frames one after another, skippable ones too. @throws LayerFormatError ZSTD_CORRUPT */
export async function* decodeZstd(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let decoded: Uint8Array[] = []
  const decoder = new Decompress((bytes) => decoded.push(bytes))
  const push = (bytes: Uint8Array, isLast: boolean): Uint8Array[] => {
    try {
      decoder.push(bytes, isLast)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new LayerFormatError('ZSTD_CORRUPT', `its zstd data is damaged: ${reason}`, { cause })
    }
    const pieces = decoded
    decoded = []
    return pieces
  }
  for await (const chunk of content)
    for (let at = 0; at < chunk.length; at += INPUT_SIZE) yield* push(chunk.slice(at, at + INPUT_SIZE), false)
  yield* push(new Uint8Array(0), true)
}

/** The content's bytes [start, end). What comes behind is not read. */
export async function* sliceContent(
  content: AsyncIterable<Uint8Array>,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of content) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
    if (piece.length > 0) yield piece
    at += chunk.length
    if (at >= end) return
  }
}

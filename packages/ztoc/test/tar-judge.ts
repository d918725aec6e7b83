import { createHash } from 'node:crypto'
import { LayerFormatError } from '../src/error.js'
import { TarScanner } from '../src/tar/tar-scanner.js'
import { unloadableReason } from '../src/ztoc/loadable.js'
import { encodeTarZinfo } from '../src/ztoc/zinfo.js'
import { encodeZtoc } from '../src/ztoc/ztoc-encode.js'
import { inPieces, PIECE_SIZES } from './pieces.js'

const SPAN_SIZE = 512

/** What we make of a tar, in the words of fixtures/tar-fuzz.json. `pieces` chooses how it is cut (see PIECE_SIZES). */
export function judgeTar(tar: Uint8Array, pieces: number): string {
  const scanner = new TarScanner()
  try {
    for (const piece of inPieces(tar, PIECE_SIZES[pieces] as number)) scanner.push(piece)
    scanner.end()
  } catch (error) {
    if (error instanceof LayerFormatError) return 'refused'
    throw error
  }
  scanner.records.misread = undefined // only what the decoder says
  const verdict = unloadableReason(scanner.records) === undefined ? 'loads' : 'unloadable'
  const digests = Array.from(inPieces(tar, SPAN_SIZE), (span) => createHash('sha256').update(span).digest())
  const { digest } = encodeZtoc({
    buildTool: 'fuzz',
    compression: 'uncompressed',
    compressedSize: tar.length,
    uncompressedSize: scanner.position,
    records: scanner.records,
    checkpoints: [encodeTarZinfo(SPAN_SIZE, tar.length)],
    spanDigests: Buffer.concat(digests),
  })
  return `${verdict} ${digest.slice(7, 23)}`
}

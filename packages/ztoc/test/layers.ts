import { createHash } from 'node:crypto'
import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { indexLayer } from '../src/layer/index-layer.js'
import { TarScanner } from '../src/tar/tar-scanner.js'
import type { Compression } from '../src/types.js'
import { encodeZtoc } from '../src/ztoc/ztoc-encode.js'
import { chunks } from './chunks.js'

/** The zTOC of a layer, in one piece. */
export async function ztocOf(layer: Uint8Array, spanSize: number, compression: Compression = 'gzip'): Promise<Buffer> {
  const { ztoc } = await indexLayer(chunks(layer, 65536), { spanSize, compression })
  return Buffer.concat(ztoc.pieces)
}

/** A zTOC of this tar with the given zinfo, whatever that is. */
export function ztocWith(
  tar: Uint8Array,
  layer: Uint8Array,
  checkpoints: Uint8Array,
  spanDigests: readonly string[],
  compression: Compression = 'gzip',
): Buffer {
  const scanner = new TarScanner()
  scanner.push(tar)
  scanner.end()
  const { pieces } = encodeZtoc({
    buildTool: 'test',
    compression,
    compressedSize: layer.length,
    uncompressedSize: scanner.position,
    records: scanner.records,
    checkpoints: [checkpoints],
    spanDigests: Buffer.concat(spanDigests.map((digest) => Buffer.from(digest.slice('sha256:'.length), 'hex'))),
  })
  return Buffer.concat(pieces)
}

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Ways to compress a tar, each with its own trouble for who starts in the middle. */
export const COMPRESSIONS: Readonly<Record<string, (tar: Buffer) => Buffer>> = {
  'one member': (tar) => gzipSync(tar),
  stored: (tar) => gzipSync(tar, { level: 0 }),
  'many small members': (tar) => members(tar, 7001),
  'members within blocks of zeros': (tar) => members(tar, 131_072),
  'blocks that end within a byte': (tar) => gzipSync(tar, { memLevel: 1 }),
  'one fixed block after the other': (tar) => gzipSync(tar, { strategy: constants.Z_FIXED, memLevel: 1 }),
}

/** Members of `size` bytes of the tar each, whose headers have every optional field in turn; one in ten is empty. */
function members(tar: Buffer, size: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0, i = 0; at < tar.length; at += size, i++) {
    if (i % 10 === 9) parts.push(member(Buffer.alloc(0), i))
    parts.push(member(tar.subarray(at, at + size), i))
  }
  return Buffer.concat(parts)
}

function member(data: Buffer, kind: number): Buffer {
  const plain = gzipSync(data)
  const [extra, name, comment] = [(kind & 1) !== 0, (kind & 2) !== 0, (kind & 4) !== 0]
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0), 0, 0, 0, 0, 0, 3]),
    Buffer.from(extra ? [4, 0, 1, 2, 3, 4] : []),
    Buffer.from(name ? 'name\0' : ''),
    Buffer.from(comment ? 'comment\0' : ''),
  ])
  return Buffer.concat([header, deflateRawSync(data), plain.subarray(plain.length - 8)])
}

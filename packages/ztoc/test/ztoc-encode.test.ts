import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LayerFormatError } from '../src/error.js'
import { TarScanner } from '../src/tar/tar-scanner.js'
import { encodeTarZinfo, gzipZinfoHeader } from '../src/ztoc/zinfo.js'
import { encodeZtoc, MAX_ZTOC_SIZE } from '../src/ztoc/ztoc-encode.js'
import { readZtoc, Table } from './flatbuffer.js'
import { sha256 } from './layers.js'
import { entry, header, octal, pax, tar } from './tar-build.js'

function scanned(...parts: Buffer[]): TarScanner {
  const scanner = new TarScanner()
  for (const part of parts) scanner.push(part)
  scanner.end()
  return scanner
}

const input = (scanner: TarScanner, checkpoints: readonly Uint8Array[] = [new Uint8Array(12)]) => ({
  buildTool: 'tëst',
  compression: 'gzip' as const,
  compressedSize: 1000,
  uncompressedSize: scanner.position,
  records: scanner.records,
  checkpoints,
  spanDigests: new Uint8Array(64).fill(0xab),
})

test('a zTOC as the flatbuffers package reads it', () => {
  const fields = {
    mode: octal(0o644, 7),
    uid: octal(1, 7),
    mtime: octal(1700000000, 11),
    uname: 'root',
    gname: 'wheel',
  }
  const { size, digest, pieces } = encodeZtoc(
    input(
      scanned(
        tar(
          pax([
            ['b', '2'],
            ['a', '1'],
          ]),
          entry({ ...fields, name: 'a' }, 'data'),
          entry({ type: '2', linkname: 'a' }),
        ),
      ),
    ),
  )
  const bytes = Uint8Array.from(Buffer.concat(pieces))
  assert.equal(bytes.length, size)
  assert.equal(sha256(bytes), digest)
  const file = {
    mode: 0o644,
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    devmajor: 0,
    devminor: 0,
    paxRecords: [] as object[],
  }
  assert.deepEqual(readZtoc(bytes), {
    version: '0.9',
    buildTool: 'tëst',
    compressedSize: 1000,
    uncompressedSize: 3584,
    spanCount: 2,
    spanDigests: [`sha256:${'ab'.repeat(32)}`, `sha256:${'ab'.repeat(32)}`],
    algorithm: 0,
    checkpoints: new Uint8Array(12),
    files: [
      {
        ...{
          ...file,
          index: 0,
          name: 'a',
          type: 'reg',
          offset: 1536,
          size: 4,
          linkname: '',
          uid: 1,
          uname: 'root',
          gname: 'wheel',
        },
        modTime: '2023-11-14T22:13:20Z',
        paxRecords: [
          { key: 'a', value: '1' },
          { key: 'b', value: '2' },
        ],
      },
      {
        ...file,
        index: 1,
        name: 'name',
        type: 'symlink',
        offset: 2560,
        size: 0,
        linkname: 'a',
        modTime: '1970-01-01T00:00:00Z',
      },
    ],
  })
})

test('checkpoints become pieces of the zTOC as they are', () => {
  const checkpoints = [gzipZinfoHeader(1, 1), new Uint8Array(3), new Uint8Array(2 ** 20), new Uint8Array(0)]
  const { pieces, size } = encodeZtoc(input(scanned(tar(entry())), checkpoints))
  const at = pieces.indexOf(checkpoints[0]!)
  assert.ok(at > 0)
  for (const [i, piece] of checkpoints.entries()) assert.equal(pieces[at + i], piece)
  assert.equal(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
    size,
  )
})

test('pieces hold on to little more memory than they have bytes', () => {
  const scanner = new TarScanner()
  for (let i = 0; i < 20_000; i++) {
    scanner.push(header({ name: `dir/${i}` }))
    if (i % 5000 === 0) scanner.push(Buffer.concat([pax([['big', 'x'.repeat(400_000)]]), header({ name: 'big' })]))
  }
  scanner.end()
  const { pieces, size } = encodeZtoc(input(scanner))
  const held = pieces.reduce((sum, piece) => sum + piece.buffer.byteLength, 0)
  assert.ok(held < size * 1.15, `${held} bytes held for ${size}`)
  assert.ok(pieces.length < 20, `${pieces.length} pieces`)
})

test('no files, no spans, nothing', () => {
  const scanner = scanned()
  const { pieces } = encodeZtoc({
    ...input(scanner, [encodeTarZinfo(512, 0)]),
    compression: 'uncompressed',
    compressedSize: 0,
    spanDigests: new Uint8Array(0),
  })
  const { files, spanCount, algorithm, checkpoints } = readZtoc(Buffer.concat(pieces))
  assert.deepEqual([files, spanCount, algorithm], [[], 0, 2])
  const zinfo = Table.root(checkpoints)
  assert.deepEqual([zinfo.int32(0), zinfo.int64(1), zinfo.int64(2)], [2, 512n, 0n])
})

test('a zTOC over 1 GiB is refused with a hint', () => {
  // Memory that nobody touches.
  const checkpoints = [new Uint8Array(MAX_ZTOC_SIZE)]
  assert.throws(
    () => encodeZtoc(input(scanned(tar(entry())), checkpoints)),
    (error) =>
      error instanceof LayerFormatError &&
      error.code === 'LIMIT_EXCEEDED' &&
      /use a larger span size/.test(error.message),
  )
})

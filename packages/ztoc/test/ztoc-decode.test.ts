import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Builder } from 'flatbuffers'
import { ZtocFormatError } from '../src/error.js'
import { spanAt, spanRange, spansOf } from '../src/ztoc/spans.js'
import type { Toc } from '../src/ztoc/toc.js'
import { encodeTarZinfo, GZIP_ZINFO_HEADER_SIZE, gzipZinfoHeader, PACKED_CHECKPOINT_SIZE } from '../src/ztoc/zinfo.js'
import { decodeZtoc } from '../src/ztoc/ztoc-decode.js'
import { FILE, FILE_FIELDS, TOC, TOC_FIELDS, ZTOC, ZTOC_FIELDS } from '../src/ztoc/ztoc-schema.js'
import { readZtoc } from './flatbuffer.js'
import { COMPRESSIONS, sha256, ztocOf, ztocWith } from './layers.js'
import { Random } from './random.js'
import { base256, entry, pax, tar } from './tar-build.js'

const random = new Random(7)
const TAR = tar(
  entry({ name: 'a', uname: 'root' }, random.bytes(3000)),
  pax([
    ['SCHILY.xattr.user.x', 'é'],
    ['path', 'long/ñame'],
  ]),
  entry({ name: 'b', type: '2', linkname: 'a' }),
  entry({ name: 'a' }, random.bytes(20_000)),
  entry({ name: 'bytes-\xff' }),
  entry({ name: 'last', type: '5', size: base256(2n ** 60n, 12) }),
)
const LAYER = COMPRESSIONS['many small members']!(TAR)
const ZTOC_BYTES = await ztocOf(LAYER, 5000)

/** Takes everything from it that there is. */
function exhaust(toc: Toc): void {
  for (const { nameBytes, paxRecords } of toc.files) void [nameBytes.length, paxRecords.length]
  for (const { window, in: inOffset } of toc.checkpoints) void [window[32767], inOffset]
  for (const digest of toc.spanDigests) void digest
  for (let span = 0; span < Math.min(toc.spanCount, 1000); span++) {
    const { start, end } = spanRange(toc, span)
    assert.ok(start >= 0 && start <= end && end <= toc.compressedSize, `span ${span}: [${start}, ${end})`)
  }
  toc.files.find('a')
}

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => decodeZtoc(bytes),
    (error) => error instanceof ZtocFormatError && error.code === 'ZTOC_INVALID' && message.test(error.message),
  )
}

test('all fields, as the flatbuffers package reads them', () => {
  const toc = decodeZtoc(ZTOC_BYTES)
  const { files, checkpoints, algorithm, ...rest } = readZtoc(ZTOC_BYTES)
  assert.equal(algorithm, 0)
  assert.equal(checkpoints.length, GZIP_ZINFO_HEADER_SIZE + toc.spanCount * PACKED_CHECKPOINT_SIZE)
  const { files: ours, checkpoints: _, spanDigests, compression, spanSize, ...others } = toc
  assert.deepEqual({ ...others, spanDigests: [...spanDigests] }, rest)
  assert.deepEqual([compression, spanSize], ['gzip', 5000])
  assert.deepEqual(plain(ours), files)
})

const plain = (files: Toc['files']): object[] =>
  [...files].map(({ nameBytes, linknameBytes, paxRecords, ...file }) => ({
    ...file,
    paxRecords: paxRecords.map(({ key, value }) => ({ key, value })),
  }))

test('entries by position and by name', () => {
  const { files } = decodeZtoc(ZTOC_BYTES)
  assert.equal(files.length, 5)
  assert.equal(files.at(0)!.size, 3000)
  assert.equal(files.at(-1)!.name, 'last')
  assert.equal(files.at(-1)!.size, 2 ** 60)
  assert.equal(files.at(5), undefined)
  assert.equal(files.at(-6), undefined)
  assert.equal(files.at(0.5), undefined)
  assert.equal(files.find('a')!.index, 2, 'the last of its name')
  assert.equal(files.find('long/Ã±ame'), undefined)
  assert.deepEqual(
    [...files.find(Buffer.from('bytes-\xff', 'latin1'))!.nameBytes],
    [...Buffer.from('bytes-\xff', 'latin1')],
  )
  assert.equal(files.find(Buffer.from('bytes-\xff', 'latin1'))!.name, 'bytes-\ufffd')
  assert.equal(files.find('nothing'), undefined)
})

test('spans: every one starts at its checkpoint and ends at the next', () => {
  const toc = decodeZtoc(ZTOC_BYTES)
  for (let span = 0; span < toc.spanCount; span++) {
    const { start, end } = spanRange(toc, span)
    assert.equal(sha256(LAYER.subarray(start, end)), toc.spanDigests.at(span))
  }
  assert.equal(spanRange(toc, 0).start, 10)
  assert.equal(spanRange(toc, toc.spanCount - 1).end, LAYER.length)
  assert.throws(() => spanRange(toc, toc.spanCount), RangeError)
  for (let offset = 0; offset < TAR.length; offset += 100) {
    const span = spanAt(toc, offset)
    assert.ok(toc.checkpoints.at(span)!.out <= offset)
    assert.ok((toc.checkpoints.at(span + 1)?.out ?? Number.POSITIVE_INFINITY) > offset)
  }
  assert.deepEqual(spansOf(toc, 0, 1), { first: spanAt(toc, 0), last: spanAt(toc, 0) })
  assert.equal(spanAt(toc, 2 ** 60), toc.spanCount - 1)
})

test('spans of an uncompressed layer', async () => {
  const toc = decodeZtoc(await ztocOf(TAR, 1000, 'uncompressed'))
  assert.deepEqual([toc.compression, toc.spanSize, toc.checkpoints.length], ['uncompressed', 1000, 0])
  assert.deepEqual(spanRange(toc, 1), { start: 1000, end: 2000 })
  assert.deepEqual(spanRange(toc, toc.spanCount - 1).end, TAR.length)
  assert.deepEqual(spansOf(toc, 999, 2), { first: 0, last: 1 })
  exhaust(toc)
  exhaust(decodeZtoc(await ztocOf(Buffer.alloc(0), 512, 'uncompressed')))
})

test('zinfo of version 1: the first checkpoint is implied', async () => {
  const layer = COMPRESSIONS['one member']!(TAR)
  const ztoc = await ztocOf(layer, 5000)
  const { checkpoints, spanDigests, spanCount } = readZtoc(ztoc)
  assert.ok(spanCount > 1)
  const rest = checkpoints.subarray(GZIP_ZINFO_HEADER_SIZE + PACKED_CHECKPOINT_SIZE)
  const version1 = decodeZtoc(
    ztocWith(TAR, layer, Buffer.concat([gzipZinfoHeader(spanCount, 5000), rest]), spanDigests),
  )
  assert.deepEqual([...version1.checkpoints], [...decodeZtoc(ztoc).checkpoints])
})

test('refused: checkpoints, digests and sizes that do not fit together', () => {
  const { checkpoints, spanDigests, spanCount } = readZtoc(ZTOC_BYTES)
  const changed = (change: (view: DataView) => void, digests = spanDigests, layer = LAYER): Buffer => {
    const copy = Uint8Array.from(checkpoints)
    change(new DataView(copy.buffer))
    return ztocWith(TAR, layer, copy, digests)
  }
  const at = (checkpoint: number): number => GZIP_ZINFO_HEADER_SIZE + checkpoint * PACKED_CHECKPOINT_SIZE
  decodeZtoc(changed(() => {}))
  refused(
    changed(() => {}, spanDigests.slice(1)),
    new RegExp(`${spanCount - 1} spans and ${spanCount} checkpoints`),
  )
  refused(
    changed((view) => view.setInt32(0, spanCount + 2, true)),
    /checkpoints have \d+ bytes, its \d+ checkpoints need/,
  )
  refused(
    changed((view) => view.setInt32(0, -1, true)),
    /-1 checkpoints/,
  )
  refused(
    changed((view) => view.setBigInt64(at(0) + 8, 1n, true)),
    /first checkpoint at 1 of the tar/,
  )
  refused(
    changed((view) => view.setBigInt64(at(1), 5n, true)),
    /checkpoint at 5 .* after one at/,
  )
  refused(
    changed((view) => view.setBigInt64(at(1) + 8, -1n, true)),
    /checkpoint at \d+ \(tar: -1\)/,
  )
  refused(
    changed((view) => view.setBigInt64(at(2), 2n ** 62n, true)),
    /in a layer of \d+ bytes/,
  )
  refused(
    changed((view) => view.setUint8(at(1) + 16, 8)),
    /8 bits/,
  )
  refused(
    changed(() => {}, spanDigests, LAYER.subarray(0, 100)),
    /in a layer of 100 bytes/,
  )
  refused(ztocWith(TAR, LAYER, new Uint8Array(0), []), /0 checkpoints/)
  refused(ztocWith(TAR, TAR, encodeTarZinfo(0, TAR.length), [], 'uncompressed'), /0 spans of 0 bytes/)
  refused(ztocWith(TAR, TAR, encodeTarZinfo(1000, TAR.length), spanDigests, 'uncompressed'), /spans of 1000 bytes for/)
  refused(ztocWith(TAR, TAR, encodeTarZinfo(1000, 5), spanDigests, 'uncompressed'), /spans of 5 in all/)
})

test('refused: what is not a FlatBuffer', () => {
  refused(new Uint8Array(0), /bytes 0 to 4 of a buffer of 0/)
  refused(Buffer.from('{"schemaVersion":2}'), /not a valid FlatBuffer/)
  refused(new Uint8Array(1000), /compression info/)
  for (let length = 0; length < ZTOC_BYTES.length; length += 61) refused(ZTOC_BYTES.subarray(0, length), /./)
})

test('refused: entries that share their bytes to come to more than the zTOC could hold', () => {
  const builder = new Builder(2 ** 20)
  const name = builder.createString('x'.repeat(60_000))
  builder.startObject(FILE_FIELDS)
  builder.addFieldOffset(FILE.name, name, 0)
  const file = builder.endObject()
  builder.startVector(4, 100_000, 4)
  for (let i = 0; i < 100_000; i++) builder.addOffset(file)
  const metadata = builder.endVector()
  builder.startObject(TOC_FIELDS)
  builder.addFieldOffset(TOC.metadata, metadata, 0)
  const toc = builder.endObject()
  builder.startObject(ZTOC_FIELDS)
  builder.addFieldOffset(ZTOC.toc, toc, 0)
  builder.addFieldOffset(ZTOC.compressionInfo, toc, 0)
  builder.finish(builder.endObject())
  refused(builder.asUint8Array(), /share bytes: together they have more than/)
})

describe('damaged zTOCs give an error or a sound result', () => {
  const WORDS = [0, 1, 2, 4, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

  // The windows of the checkpoints are most of its bytes and any bytes will do there: damage what is around them.
  const soft = ZTOC_BYTES.indexOf(Buffer.from(readZtoc(ZTOC_BYTES).checkpoints.subarray(0, 100)))
  const end = soft + readZtoc(ZTOC_BYTES).checkpoints.length
  const place = (random: Random): number => {
    if (random.below(4) === 0)
      return soft + GZIP_ZINFO_HEADER_SIZE + random.below(3) * PACKED_CHECKPOINT_SIZE + random.below(17)
    return random.below(8) === 0 ? random.below(soft) : end + random.below(ZTOC_BYTES.length - end)
  }

  test('4000 seeds', () => {
    let refusals = 0
    for (let seed = 1; seed <= 4000; seed++) {
      const random = new Random(seed)
      const bytes = Buffer.from(ZTOC_BYTES)
      for (let count = 1 + random.below(4); count > 0; count--) {
        const at = place(random)
        if (random.below(2) === 0) bytes[at] = random.below(256)
        else bytes.writeUInt32LE(random.pick([...WORDS, random.below(bytes.length)]), Math.min(at, bytes.length - 4))
      }
      const cut = random.below(10) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes
      try {
        exhaust(decodeZtoc(cut))
      } catch (error) {
        if (!(error instanceof ZtocFormatError)) throw new Error(`seed ${seed}`, { cause: error })
        refusals++
      }
    }
    assert.ok(refusals > 1000 && refusals < 4000, `${refusals} refused`)
  })
})

describe('golden layers', () => {
  const folder = new URL('../../test/vectors/', import.meta.url)
  const layers = existsSync(folder) ? readdirSync(folder).filter((name) => /^tar-.*\.tar\.gz$/.test(name)) : []
  test(`${layers.length} tars of every quirk, as the flatbuffers package reads their zTOCs`, async () => {
    let read = 0
    for (const name of layers) {
      const layer = readFileSync(new URL(name, folder))
      const ztoc = await ztocOf(layer, 2 ** 22).catch(() => undefined)
      if (ztoc === undefined) continue // refused, as vectors.test.ts holds
      assert.deepEqual(plain(decodeZtoc(ztoc).files), readZtoc(ztoc).files, name)
      read++
    }
    assert.ok(read > 50, `${read} read`)
  })
})

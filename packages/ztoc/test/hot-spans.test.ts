// Spans cut by what a start reads.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { constants, gzipSync } from 'node:zlib'
import {
  decodeZtoc,
  type HotSpans,
  indexLayer,
  LayerIndexer,
  readFile,
  spanAt,
  spanRange,
  type Toc,
} from '../src/index.js'
import { chunks } from './chunks.js'
import { Random } from './random.js'
import { entry, tar } from './tar-build.js'

const MIB = 1 << 20
const random = new Random(7)
/** 60 files of 1 MiB, each compressed to half, in blocks of some 30 kB. */
const CONTENTS = Array.from({ length: 60 }, () => Buffer.from(random.bytes(MIB / 2).toString('hex')))
const TAR = tar(...CONTENTS.map((content, i) => entry({ name: `./usr/lib/x/file-${i}`, size: MIB }, content)))
const LAYER = gzipSync(TAR, { level: 1, memLevel: 8 })
const HOT: HotSpans = {
  files: [
    { path: '/lib/x/file-3' }, // as through a symlink of /lib
    { path: '/usr/lib/x/file-40', ranges: [[300_000, 310_000]] },
    {
      path: '/usr/lib/x/file-50',
      ranges: [
        [0, 10],
        [600_000, 600_001],
      ],
    },
    { path: '/file-7' },
  ],
  except: [],
}

const indexer = new LayerIndexer({ concurrency: 2 })
after(() => indexer.close())
const ways = [
  ['one thread', indexLayer],
  ['two threads', ((source, options) => indexer.index(source, options)) as typeof indexLayer],
  [
    'a thread of its own',
    ((source, options) => indexer.index(source, { ...options, threads: 1 })) as typeof indexLayer,
  ],
] as const

async function tocOf(layer: Uint8Array, hot: HotSpans, size = 1 << 20, index: typeof indexLayer = indexLayer) {
  const { ztoc } = await index(chunks(layer, size), { hot })
  return decodeZtoc(Buffer.concat(ztoc.pieces))
}

/** All that a runtime relies on. */
async function checkSound(toc: Toc, layer: Uint8Array): Promise<void> {
  for (let i = 0; i < toc.spanCount; i++) {
    const { start, end } = spanRange(toc, i)
    const digest = createHash('sha256').update(layer.subarray(start, end)).digest('hex')
    assert.equal(toc.spanDigests.at(i), `sha256:${digest}`, `span ${i}`)
    const [here, next] = [toc.checkpoints.at(i)!, toc.checkpoints.at(i + 1)]
    if (next !== undefined) assert.ok(next.in > here.in && next.out > here.out, `span ${i} is empty`)
    assert.deepEqual(Buffer.from(here.window), windowAt(here.out), `window ${i}`)
  }
  const fetch = (start: number, end: number) => chunks(layer.subarray(start, end), 1 << 20)
  for (const i of [0, 3, 7, 40, 50, 59]) {
    const parts: Uint8Array[] = []
    for await (const part of readFile(toc, `./usr/lib/x/file-${i}`, fetch)) parts.push(part)
    assert.ok(CONTENTS[i]!.equals(Buffer.concat(parts)), `file-${i}`)
  }
}

function windowAt(out: number): Buffer {
  const window = Buffer.alloc(32768)
  TAR.copy(window, Math.max(0, 32768 - out), Math.max(0, out - 32768), out)
  return window
}

describe('spans cut by what a start reads', () => {
  for (const [name, index] of ways)
    test(`${name}: the result does not depend on how the bytes come`, async () => {
      const whole = await indexLayer(chunks(LAYER, LAYER.length), { hot: HOT })
      for (const size of [LAYER.length, 65_537, 5003])
        assert.equal((await index(chunks(LAYER, size), { hot: HOT })).digest, whole.digest, `chunks of ${size}`)
    })

  test('spans are sound, and what they hold can be read', async () => {
    await checkSound(await tocOf(LAYER, HOT), LAYER)
  })

  test('a hot stretch has spans of its own, little larger than what is read', async () => {
    const toc = await tocOf(LAYER, HOT)
    const spanBytes = (i: number, start: number, end: number): number => {
      const { offset } = toc.files.at(i)!
      const [first, last] = [spanAt(toc, offset + start), spanAt(toc, offset + end)]
      return (toc.checkpoints.at(last + 1)?.out ?? toc.uncompressedSize) - toc.checkpoints.at(first)!.out
    }
    assert.ok(spanBytes(3, 0, MIB) < MIB + 200_000, `${spanBytes(3, 0, MIB)}`)
    assert.ok(spanBytes(40, 300_000, 310_000) < 2 * 131072 + 200_000)
    assert.ok(spanBytes(50, 0, 10) < 131072 + 200_000)
    assert.ok(spanBytes(50, 600_000, 600_001) < 131072 + 200_000)
    assert.ok(spanBytes(50, 0, 600_001) > 600_000, 'the gap is a span of its own')
    // What is not read lies in large spans: file-7 is named by a path that it does not have
    assert.ok(spanBytes(7, 0, MIB) > 10 * MIB)
    assert.ok(toc.spanCount < 20, `${toc.spanCount} spans`)
    assert.equal(toc.spanSize, 4 << 20)
  })

  test('nothing hot, or all files too small: large spans only', async () => {
    for (const hot of [
      { files: [], except: [] },
      { ...HOT, except: [{ upTo: MIB, share: 0 }] },
    ]) {
      const toc = await tocOf(LAYER, hot)
      await checkSound(toc, LAYER)
      assert.ok(toc.spanCount <= 4, `${toc.spanCount} spans`)
    }
  })

  test('cold spans of a size of their own, never smaller than the others', async () => {
    const spans = async (coldSpanSize: number): Promise<number> => {
      const toc = await tocOf(LAYER, { files: [], except: [], coldSpanSize })
      await checkSound(toc, LAYER)
      return toc.spanCount
    }
    const count = await spans(8 << 20)
    assert.ok(count >= 7 && count <= 8, `${count} spans`)
    assert.equal(await spans(1 << 20), await spans(4 << 20))
  })

  test('everything hot: spans by size', async () => {
    const files = CONTENTS.map((_, i) => ({ path: `/usr/lib/x/file-${i}` }))
    const toc = await tocOf(LAYER, { files, except: [] })
    await checkSound(toc, LAYER)
    assert.ok(toc.spanCount >= 14 && toc.spanCount <= 17, `${toc.spanCount} spans`)
  })

  test('several members, each with empty blocks: no span is empty', async () => {
    const parts = Array.from({ length: 20 }, (_, i) => TAR.subarray((i * TAR.length) / 20, ((i + 1) * TAR.length) / 20))
    const flushed = (part: Buffer) => gzipSync(part, { level: 1, finishFlush: constants.Z_FINISH })
    const members = Buffer.concat([flushed(Buffer.alloc(0)), ...parts.map(flushed)])
    const toc = await tocOf(members, HOT, 77_777)
    await checkSound(toc, members)
  })

  test('a damaged layer fails as ever', async () => {
    const damaged = Buffer.from(LAYER)
    damaged[damaged.length >> 1]! ^= 0xff
    await assert.rejects(tocOf(damaged, HOT), { name: 'LayerFormatError' })
    const cut = gzipSync(TAR.subarray(0, TAR.length / 2 + 99))
    await assert.rejects(tocOf(cut, HOT), { name: 'LayerFormatError' })
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { type IndexedLayer, indexLayer, LayerFormatError, LayerIndexer } from '../src/index.js'
import { chunks } from './chunks.js'
import { Random } from './random.js'
import { END, entry, tar } from './tar-build.js'

/** A few MB that compress to half: several output slots, input pieces and spans. */
function bigTar(seed: number, files = 60): Buffer {
  const random = new Random(seed)
  const file = (i: number): Buffer =>
    entry({ name: `file-${i}`, size: 100_000 }, Buffer.from(random.bytes(50_000).toString('hex')))
  return tar(...Array.from({ length: files }, (_, i) => file(i)))
}

const TAR = bigTar(1)
const LAYER = gzipSync(TAR)
const SPAN_SIZE = 300_000
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

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

const facts = ({ digest, spans, files, layer, ztoc }: IndexedLayer) => ({
  digest,
  spans,
  files,
  layer,
  size: ztoc.size,
})

for (const [name, index] of ways) {
  describe(name, () => {
    test('the result does not depend on how the bytes come', async () => {
      const whole = await indexLayer(chunks(LAYER, LAYER.length), { spanSize: SPAN_SIZE })
      assert.deepEqual(whole.layer, { digest: sha256(LAYER), size: LAYER.length, uncompressedSize: TAR.length })
      assert.equal(whole.files, 60)
      assert.ok(whole.spans > 10, `${whole.spans} spans`)
      assert.equal(whole.digest, sha256(Buffer.concat(whole.ztoc.pieces)))
      for (const size of [LAYER.length, 262_144, 262_145, 65_536, 1009]) {
        const result = await index(chunks(LAYER, size), { spanSize: SPAN_SIZE })
        assert.deepEqual(facts(result), facts(whole), `chunks of ${size}`)
        assert.equal(sha256(Buffer.concat(result.ztoc.pieces)), whole.digest)
      }
    })

    test('nothing of one layer shows in the next', async () => {
      const small = gzipSync(tar(entry({ name: 'a', size: 3 }, 'abc')))
      const fresh = await indexLayer(chunks(small, 100))
      await index(chunks(LAYER, 100_000))
      assert.equal((await index(chunks(small, 100))).digest, fresh.digest)
    })

    test('the progress is in compressed bytes and ends at the size', async () => {
      const seen: number[] = []
      await index(chunks(LAYER, 200_000), { onProgress: (bytes) => seen.push(bytes) })
      assert.equal(seen.length, Math.ceil(LAYER.length / 200_000))
      assert.equal(seen.at(-1), LAYER.length)
    })

    test('bytes that are not the expected ones are refused, whichever algorithm says so', async () => {
      const sha512 = `sha512:${createHash('sha512').update(LAYER).digest('hex')}`
      const sound = await index(chunks(LAYER, 100_000), { expected: { digest: sha512, size: LAYER.length } })
      assert.equal(sound.layer.digest, sha512)
      await assert.rejects(index(chunks(LAYER, 100_000), { expected: { digest: sha256(TAR) } }), {
        code: 'DIGEST_MISMATCH',
        message: new RegExp(`${sha256(LAYER)}.*${sha256(TAR)}`),
      })
      await assert.rejects(index(chunks(LAYER, 100_000), { expected: { size: 5 } }), {
        code: 'SIZE_MISMATCH',
        message: new RegExp(`${LAYER.length} bytes.* 5`),
      })
      await assert.rejects(index(chunks(LAYER, 100_000), { expected: { digest: 'md5:00' } }), RangeError)
    })

    test('a truncated layer says where', async () => {
      for (const length of [0, 1, 9, 10, 500, 300_000, LAYER.length - 8, LAYER.length - 1]) {
        await assert.rejects(index(chunks(LAYER.subarray(0, length), 100_000), { compression: 'gzip' }), (error) => {
          assert.ok(error instanceof LayerFormatError, String(error))
          assert.equal(error.code, length === 1 ? 'GZIP_CORRUPT' : 'GZIP_TRUNCATED', `${length} bytes`)
          if (length > 9) assert.match(error.message, new RegExp(`byte ${length} `))
          return true
        })
      }
    })

    test('the first error in the order of the bytes wins, whatever the chunks', async () => {
      // The second member has a block of type 3; the tar in the first one is not a tar, or ends well
      const noTar = gzipSync(Buffer.alloc(2048, 0x41))
      const noGzip = Buffer.from('1f8b080000000000000307', 'hex')
      for (const size of [1000, 1 << 20]) {
        await assert.rejects(index(chunks(Buffer.concat([noTar, noGzip]), size)), { code: 'TAR_INVALID' })
        await assert.rejects(index(chunks(Buffer.concat([LAYER, noGzip]), size)), {
          code: 'GZIP_CORRUPT',
          message: /block type 3/,
        })
      }
    })

    test('other compressions are refused by their names', async () => {
      for (const [name, head] of [
        ['zstd', '28b52ffd'],
        ['bzip2', '425a6839'],
        ['xz', 'fd377a585a00'],
        ['zstd', '502a4d18'],
      ] as const) {
        const bytes = Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(600)])
        await assert.rejects(index(chunks(bytes, 3)), { code: 'COMPRESSION_UNSUPPORTED', message: new RegExp(name) })
      }
    })

    test('an uncompressed layer is told by its bytes', async () => {
      const result = await index(chunks(TAR, 70_001), { spanSize: 1 << 20 })
      assert.equal(result.compression, 'uncompressed')
      assert.equal(result.spans, Math.ceil(TAR.length / (1 << 20)))
      assert.equal(result.layer.digest, sha256(TAR))
    })

    test('an impossible span size is refused before anything is read', async () => {
      for (const spanSize of [-1, 1.5, Number.NaN, 2 ** 60]) {
        let read = false
        const source = (async function* () {
          read = true
          yield LAYER
        })()
        await assert.rejects(index(source, { spanSize }), RangeError)
        assert.equal(read, false)
      }
    })

    test('an error of the source comes out, and the source is closed after one of ours', async () => {
      const broken = (async function* () {
        yield LAYER.subarray(0, 700_000)
        throw new Error('the disk is on fire')
      })()
      await assert.rejects(index(broken), /the disk is on fire/)
      let closed = false
      const source = (async function* () {
        try {
          while (true) yield Buffer.alloc(100_000, 0x41)
        } finally {
          closed = true
        }
      })()
      await assert.rejects(index(source, { compression: 'uncompressed' }), { code: 'TAR_INVALID' })
      assert.equal(closed, true)
    })

    test('an abort ends it, in the middle too, and the next layer is done', async () => {
      const controller = new AbortController()
      const endless = (async function* () {
        yield LAYER.subarray(0, 500_000)
        controller.abort(new Error('enough'))
        yield* chunks(LAYER.subarray(500_000), 1000)
      })()
      await assert.rejects(index(endless, { signal: controller.signal }), /enough/)
      await assert.rejects(index(chunks(LAYER, 1000), { signal: AbortSignal.abort(new Error('no')) }), /no/)
      assert.equal((await index(chunks(LAYER, 100_000))).files, 60)
    })

    test('empty stored blocks, endlessly: each would be a checkpoint of 32 KiB', async () => {
      const header = Buffer.from('1f8b0800000000000003', 'hex')
      const blocks = (count: number) =>
        Buffer.concat(Array.from({ length: count }, () => Buffer.from([0, 0, 0, 0xff, 0xff])))
      const endless = (async function* () {
        yield header
        while (true) yield blocks(1000)
      })()
      await assert.rejects(index(endless), { code: 'LIMIT_EXCEEDED', message: /1024 deflate blocks without output/ })
      const raw = deflateRawSync(tar(entry({ name: 'a' }, 'abc')))
      const few = Buffer.concat([header, blocks(1000), raw, Buffer.alloc(8)])
      few.writeUInt32LE(crc32(tar(entry({ name: 'a' }, 'abc'))), few.length - 8)
      few.writeUInt32LE(tar(entry({ name: 'a' }, 'abc')).length, few.length - 4)
      assert.equal((await index(chunks(few, 1000))).spans, 1001)
    })

    test('empty gzip members, endlessly', async () => {
      const member = gzipSync(new Uint8Array(0))
      const endless = (async function* () {
        while (true) yield Buffer.concat(Array.from({ length: 1000 }, () => member))
      })()
      await assert.rejects(index(endless), { code: 'LIMIT_EXCEEDED' })
    })

    test('a layer limit is kept to the byte', async () => {
      for (const [layer, compression] of [
        [LAYER, 'gzip'],
        [TAR, 'uncompressed'],
      ] as const) {
        const { files } = await index(chunks(layer, 100_000), { compression, limit: TAR.length })
        assert.equal(files, 60)
        for (const limit of [TAR.length - 1, 600_000, 0])
          await assert.rejects(index(chunks(layer, 100_000), { compression, limit }), {
            code: 'LIMIT_EXCEEDED',
            message: new RegExp(`unpacks to more than ${limit} bytes`),
          })
      }
      await assert.rejects(index(chunks(LAYER, 1000), { limit: -1 }), RangeError)
    })

    test('a zTOC that would pass 1 GiB is refused before it is there', async () => {
      // Stored blocks of one byte: 6 bytes of layer for each checkpoint of 32 KiB
      const count = 40_000
      const blocks = Buffer.alloc(count * 6)
      for (let i = 0; i < count; i++) blocks.set([0, 1, 0, 0xfe, 0xff, 0], i * 6)
      const bytes = Buffer.concat([Buffer.from('1f8b0800000000000003', 'hex'), blocks])
      await assert.rejects(index(chunks(bytes, 100_000), { spanSize: 0 }), {
        code: 'LIMIT_EXCEEDED',
        message: /use a span size larger than 0/,
      })
    })
  })
}

describe('a pool', () => {
  test('does more layers than it has threads for, several at once', async () => {
    const layers = Array.from({ length: 7 }, (_, i) => gzipSync(bigTar(i, 5 + i)))
    const results = await Promise.all(
      layers.map((layer, i) => indexer.index(chunks(layer, 65_536), { threads: i % 2 === 0 ? 1 : 2 })),
    )
    for (const [i, layer] of layers.entries()) {
      assert.equal(results[i]!.files, 5 + i)
      assert.equal(results[i]!.digest, (await indexLayer(chunks(layer, 65_536))).digest)
    }
  })

  test('one failure leaves the others alone', async () => {
    const [bad, good] = await Promise.allSettled([
      indexer.index(chunks(LAYER.subarray(0, 100_000), 1000)),
      indexer.index(chunks(LAYER, 100_000)),
    ])
    assert.equal(bad.status, 'rejected')
    assert.equal(good.status, 'fulfilled')
  })

  test('a source that gives nothing more does not hold up an abort', async () => {
    const controller = new AbortController()
    const silent = (async function* () {
      yield LAYER.subarray(0, 300_000)
      await new Promise(() => {})
    })()
    const started = indexer.index(silent, { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('waited long enough')), 50)
    await assert.rejects(started, /waited long enough/)
  })

  test('without threads it works in this one', async () => {
    const single = new LayerIndexer({ threads: false })
    const result = await single.index(chunks(LAYER, 100_000))
    assert.equal(result.digest, (await indexLayer(chunks(LAYER, 100_000))).digest)
    await single.close()
  })

  test('closed while layers are at work, opened, start or wait, it rejects them all', async () => {
    const pool = new LayerIndexer({ concurrency: 1 })
    await pool.index(chunks(LAYER, 100_000))
    const silent = (async function* () {
      yield LAYER.subarray(0, 300_000)
      await new Promise(() => {})
    })()
    const started = [pool.index(silent), pool.index(chunks(LAYER, 100_000))]
    const outcomes = Promise.allSettled(started)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await pool.close()
    for (const { status } of await outcomes) assert.equal(status, 'rejected')
    const opening = new LayerIndexer({ concurrency: 1 })
    await opening.index(chunks(LAYER, 100_000))
    let give = (): void => {}
    const asked = new Promise<void>((resolve) => {
      give = resolve
    })
    const late = (async function* () {
      await asked
      yield LAYER.subarray(0, 300_000)
      await new Promise(() => {})
    })()
    const opened = assert.rejects(opening.index(late), /closed/)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await opening.close()
    give()
    await opened
    const starting = new LayerIndexer({ concurrency: 1 })
    const first = assert.rejects(starting.index(chunks(LAYER, 100_000)), /closed/)
    await starting.close()
    await first
  })

  test('once closed it takes nothing', async () => {
    const closed = new LayerIndexer()
    await closed.close()
    await assert.rejects(closed.index(chunks(LAYER, 1000)), /closed/)
  })
})

test('an empty archive and an archive of nothing but its end', async () => {
  assert.equal((await indexLayer(chunks(Buffer.alloc(0), 1))).spans, 0)
  assert.equal((await indexLayer(chunks(END, 100))).files, 0)
  assert.equal((await indexLayer(chunks(gzipSync(END), 100))).files, 0)
})

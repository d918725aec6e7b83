import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FileError, ZtocFormatError } from '../src/error.js'
import { fileRange, readFile, readRange } from '../src/read/read-file.js'
import type { FetchRange } from '../src/types.js'
import { spanRange, spansOf } from '../src/ztoc/spans.js'
import type { Toc } from '../src/ztoc/toc.js'
import { encodeTarZinfo, GZIP_ZINFO_HEADER_SIZE, gzipZinfoHeader, PACKED_CHECKPOINT_SIZE } from '../src/ztoc/zinfo.js'
import { decodeZtoc } from '../src/ztoc/ztoc-decode.js'
import { chunks, oddChunks } from './chunks.js'
import { readZtoc } from './flatbuffer.js'
import { COMPRESSIONS, sha256, ztocOf, ztocWith } from './layers.js'
import { Random } from './random.js'
import { base256, entry, padded, pax, tar } from './tar-build.js'

const random = new Random(3)
const NOISE = random.bytes(200_000)
const WORDS = Buffer.from(
  Array.from({ length: 60_000 }, () => random.pick(['the ', 'quick ', 'brown ', 'fox\n'])).join(''),
)
const CONTENTS: Readonly<Record<string, Buffer>> = {
  'usr/noise': NOISE,
  'usr/words': WORDS,
  'usr/zeros': Buffer.alloc(300_000),
  empty: Buffer.alloc(0),
  small: Buffer.from('hello\n'),
  last: NOISE.subarray(0, 1000),
}
const TAR = tar(
  entry({ name: 'usr/', type: '5' }),
  entry({ name: 'small' }, 'an older one'),
  ...Object.entries(CONTENTS).map(([name, data]) => entry({ name }, data)),
  entry({ name: 'link', type: '1', linkname: 'usr/words' }),
  entry({ name: 'link-to-link', type: '1', linkname: 'link' }),
  entry({ name: 'symlink', type: '2', linkname: 'usr/words' }),
  entry({ name: 'dangling', type: '1', linkname: 'after' }),
  entry({ name: 'after' }),
  pax([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'sparse'],
    ['GNU.sparse.realsize', '4'],
  ]),
  entry({}, Buffer.concat([padded('1\n0\n4\n'), Buffer.from('data')])),
  entry({ name: 'bytes-\xff' }, 'bytes'),
)

/** Gives the layer's bytes in some way, and notes what was asked for. */
function source(layer: Uint8Array, how: 'promise' | 'whole' | 'odd' | 'bytes' = 'promise') {
  const fetched: [start: number, end: number][] = []
  const fetchRange: FetchRange = (start, end) => {
    fetched.push([start, end])
    const range = layer.subarray(start, end)
    if (how === 'promise') return Promise.resolve(range)
    return how === 'odd' ? oddChunks(range) : chunks(range, how === 'whole' ? range.length || 1 : 1)
  }
  return { fetched, fetchRange }
}

async function read(...args: Parameters<typeof readFile>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of readFile(...args)) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

const isInvalid = (message: RegExp) => (error: unknown) =>
  error instanceof ZtocFormatError && error.code === 'ZTOC_INVALID' && message.test(error.message)
const isMismatch = (message: RegExp) => (error: unknown) =>
  error instanceof ZtocFormatError && error.code === 'SPAN_DIGEST_MISMATCH' && message.test(error.message)

const compressions = { ...COMPRESSIONS, uncompressed: (tar: Buffer) => tar }
for (const [name, compress] of Object.entries(compressions)) {
  describe(name, async () => {
    const layer = compress(TAR)
    for (const spanSize of [20_000, 100_000, 2 ** 22]) {
      const toc = decodeZtoc(await ztocOf(layer, spanSize, name === 'uncompressed' ? 'uncompressed' : 'gzip'))

      test(`${toc.spanCount} spans: every file, from exactly the bytes of its spans, in one request`, async () => {
        for (const [file, data] of Object.entries(CONTENTS)) {
          for (const how of ['promise', 'whole', 'odd'] as const) {
            const { fetched, fetchRange } = source(layer, how)
            assert.ok((await read(toc, file, fetchRange)).equals(data), `${file} (${how})`)
            assert.deepEqual(
              fetched,
              data.length === 0 ? [] : [spansRange(toc, toc.files.find(file)!.offset, data.length)],
            )
          }
        }
      })

      test(`${toc.spanCount} spans: any bytes of a file`, async () => {
        const random = new Random(spanSize)
        for (let i = 0; i < 60; i++) {
          const file = random.pick(Object.keys(CONTENTS))
          const data = CONTENTS[file]!
          const start = random.below(data.length + 1)
          const end = start + random.below(random.pick([2, 100, data.length + 1]) % (data.length - start + 1) || 1)
          const { fetched, fetchRange } = source(layer)
          assert.ok(
            (await read(toc, file, fetchRange, { start, end })).equals(data.subarray(start, end)),
            `${file} [${start}, ${end})`,
          )
          const offset = toc.files.find(file)!.offset + start
          assert.deepEqual(fetched, start === end ? [] : [spansRange(toc, offset, end - start)])
        }
      })
    }

    test('bytes that come one at a time', async () => {
      const toc = decodeZtoc(await ztocOf(layer, 20_000, name === 'uncompressed' ? 'uncompressed' : 'gzip'))
      const options = { start: 100_000, end: 150_000 }
      assert.ok(
        (await read(toc, 'usr/words', source(layer, 'bytes').fetchRange, options)).equals(
          WORDS.subarray(100_000, 150_000),
        ),
      )
    })
  })
}

function spansRange(toc: Toc, offset: number, size: number): [number, number] {
  const { first, last } = spansOf(toc, offset, size)
  return [spanRange(toc, first).start, spanRange(toc, last).end]
}

const LAYER = COMPRESSIONS['one member']!(TAR)
const ZTOC_BYTES = await ztocOf(LAYER, 50_000)
const SOUND = decodeZtoc(ZTOC_BYTES)

test('names: the last of two entries, raw bytes, an entry itself', async () => {
  const { fetchRange } = source(LAYER)
  assert.equal((await read(SOUND, 'small', fetchRange)).toString(), 'hello\n')
  assert.equal((await read(SOUND, SOUND.files.at(1)!, fetchRange)).toString(), 'an older one')
  assert.equal((await read(SOUND, Buffer.from('bytes-\xff', 'latin1'), fetchRange)).toString(), 'bytes')
})

test('hard links give the file before them; what is not a file is refused and fetches nothing', async () => {
  const { fetched, fetchRange } = source(LAYER)
  const refused = (file: string, code: string, message: RegExp): Promise<void> =>
    assert.rejects(
      read(SOUND, file, fetchRange),
      (error) => error instanceof FileError && error.code === code && message.test(error.message),
    )
  await refused('nothing', 'FILE_NOT_FOUND', /no entry "nothing"/)
  await refused('usr/', 'NOT_A_FILE', /not a regular file but a dir/)
  await refused('symlink', 'NOT_A_FILE', /a symlink to "usr\/words"/)
  await refused('dangling', 'FILE_NOT_FOUND', /hard link to "after"/)
  await refused('sparse', 'NOT_A_FILE', /sparse file/)
  assert.deepEqual(fetched, [])
  assert.ok((await read(SOUND, 'link', fetchRange)).equals(WORDS))
  assert.ok((await read(SOUND, 'link-to-link', fetchRange, { start: 5, end: 10 })).equals(WORDS.subarray(5, 10)))
})

test('a range of the tar: what lies together is read at once', async () => {
  const { start } = fileRange(SOUND, 'usr/words')
  const { end } = fileRange(SOUND, 'link-to-link')
  assert.deepEqual([start, end], [fileRange(SOUND, 'link').start, start + WORDS.length])
  const last = fileRange(SOUND, 'last')
  const { fetched, fetchRange } = source(LAYER, 'odd')
  const pieces: Uint8Array[] = []
  for await (const piece of readRange(SOUND, start, last.end, fetchRange)) pieces.push(Uint8Array.from(piece))
  assert.deepEqual(Buffer.concat(pieces), TAR.subarray(start, last.end))
  assert.equal(fetched.length, 1)
  assert.throws(() => fileRange(SOUND, 'symlink'), FileError)
  for (const [from, to] of [
    [-1, 5],
    [5, 4],
    [0, TAR.length + 1],
    [0.5, 4],
  ] as const)
    await assert.rejects(readRange(SOUND, from, to, fetchRange).next(), RangeError)
  assert.equal((await readRange(SOUND, 5, 5, fetchRange).next()).done, true)
  assert.equal(fetched.length, 1)
})

test('a range outside of the file is the caller’s mistake', async () => {
  const { fetchRange } = source(LAYER)
  for (const range of [
    { start: -1 },
    { start: 7 },
    { end: 7 },
    { start: 4, end: 3 },
    { start: 0.5 },
    { end: Number.NaN },
  ]) {
    await assert.rejects(read(SOUND, 'small', fetchRange, range), RangeError)
  }
})

test('each span is verified before any of its bytes are used', async () => {
  const { first, last } = spansOf(SOUND, SOUND.files.find('usr/noise')!.offset, NOISE.length)
  assert.ok(last - first > 2)
  for (let span = first; span <= last; span++) {
    const damaged = Buffer.from(LAYER)
    damaged[spanRange(SOUND, span).end - 1 - 2]! ^= 1
    let size = 0
    await assert.rejects(
      async () => {
        for await (const piece of readFile(SOUND, 'usr/noise', source(damaged, 'odd').fetchRange)) {
          assert.ok(NOISE.subarray(size, size + piece.length).equals(piece))
          size += piece.length
        }
      },
      isMismatch(new RegExp(`span ${span} of ${SOUND.spanCount} .* have the digest sha256:`)),
    )
    assert.ok(size <= Math.max(0, SOUND.checkpoints.at(span)!.out - SOUND.files.find('usr/noise')!.offset))
  }
})

test('too few bytes, too many bytes, and errors of the source', async () => {
  const cut = source(LAYER)
  await assert.rejects(
    read(SOUND, 'usr/noise', async (start, end) => (await cut.fetchRange(start, end - 1)) as Uint8Array),
    isMismatch(/the bytes ended at \d+, of \[\d+, \d+\)/),
  )
  await assert.rejects(
    read(SOUND, 'small', async () => new Uint8Array(0)),
    isMismatch(/the bytes ended at/),
  )
  await assert.rejects(
    read(SOUND, 'small', async function* (start, end) {
      yield LAYER.subarray(start, end)
      yield new Uint8Array(5)
    }),
    isMismatch(/more than the bytes asked for/),
  )
  await assert.rejects(
    read(SOUND, 'small', () => Promise.reject(new Error('offline'))),
    /offline/,
  )
})

test('a reader that stops, or is aborted, closes its source', async () => {
  let closed = 0
  const fetchRange: FetchRange = async function* (start, end) {
    try {
      for (let at = start; at < end; at += 1000) yield LAYER.subarray(at, Math.min(end, at + 1000))
    } finally {
      closed++
    }
  }
  for await (const _ of readFile(SOUND, 'usr/noise', fetchRange)) break
  assert.equal(closed, 1)
  const controller = new AbortController()
  await assert.rejects(
    async () => {
      for await (const _ of readFile(SOUND, 'usr/noise', fetchRange, { signal: controller.signal })) controller.abort()
    },
    { name: 'AbortError' },
  )
  assert.equal(closed, 2)
  await assert.rejects(read(SOUND, 'small', fetchRange, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(closed, 2)
})

test('zinfo of version 1', async () => {
  const { checkpoints, spanDigests, spanCount } = readZtoc(ZTOC_BYTES)
  const rest = checkpoints.subarray(GZIP_ZINFO_HEADER_SIZE + PACKED_CHECKPOINT_SIZE)
  const toc = decodeZtoc(ztocWith(TAR, LAYER, Buffer.concat([gzipZinfoHeader(spanCount, 50_000), rest]), spanDigests))
  for (const [file, data] of Object.entries(CONTENTS)) {
    assert.ok((await read(toc, file, source(LAYER).fetchRange)).equals(data))
  }
})

test('hostile zTOCs: sizes, offsets and checkpoints that the layer does not have', async () => {
  const { fetchRange } = source(LAYER)
  const large = tar(entry({ name: 'real' }, 'x'), entry({ name: 'large', size: base256(2n ** 62n, 12), type: '5' }))
  const layer = COMPRESSIONS['one member']!(large)
  const lying = decodeZtoc(await ztocOf(layer, 512))
  for (const file of [
    { ...lying.files.at(1)!, type: 'reg' },
    { ...lying.files.at(0)!, size: 10_000 },
    { ...lying.files.at(0)!, offset: -512 },
    { ...lying.files.at(0)!, offset: 2 ** 60 },
    { ...lying.files.at(0)!, size: -1 },
  ]) {
    await assert.rejects(read(lying, file, source(layer).fetchRange), isInvalid(/, the tar has \d+/))
  }

  const { checkpoints, spanDigests } = readZtoc(ZTOC_BYTES)
  const changed = (checkpoint: number, change: (view: DataView, at: number) => void): Toc => {
    const copy = Uint8Array.from(checkpoints)
    change(new DataView(copy.buffer), GZIP_ZINFO_HEADER_SIZE + checkpoint * PACKED_CHECKPOINT_SIZE)
    const toc = decodeZtoc(ztocWith(TAR, LAYER, copy, spanDigests))
    // A hostile zTOC's digests fit what it says.
    const digests = Array.from({ length: toc.spanCount }, (_, span) => {
      const { start, end } = spanRange(toc, span)
      return sha256(LAYER.subarray(start, end))
    })
    return decodeZtoc(ztocWith(TAR, LAYER, copy, digests))
  }
  const out = (view: DataView, at: number): number => Number(view.getBigInt64(at + 8, true))
  for (const [toc, message] of [
    [
      changed(2, (view, at) => view.setBigInt64(at + 8, BigInt(out(view, at) - 1), true)),
      /span 1 cannot be decoded: its data ends at \d+/,
    ],
    [
      changed(2, (view, at) => view.setBigInt64(at + 8, BigInt(out(view, at) + 1), true)),
      /span 1 cannot be decoded: its data ends at \d+/,
    ],
    [changed(2, (view, at) => view.setUint8(at + 16, (view.getUint8(at + 16) + 3) % 8)), /span \d cannot be decoded/],
    [
      changed(2, (view, at) => view.setBigInt64(at, view.getBigInt64(at, true) - 100n, true)),
      /span \d cannot be decoded/,
    ],
  ] as const) {
    await assert.rejects(read(toc, 'usr/noise', fetchRange), isInvalid(message))
  }
  const longer = ztocWith(
    Buffer.concat([TAR.subarray(0, -1024), entry({}, Buffer.alloc(5000)), Buffer.alloc(1024)]),
    LAYER,
    checkpoints,
    spanDigests,
  )
  await assert.rejects(read(decodeZtoc(longer), 'name', fetchRange), isInvalid(/its data ends at/))
})

test('many spans are fetched 16 MiB at a time at most', async () => {
  const large = tar(entry({ name: 'large' }, Buffer.alloc(40 * 2 ** 20)))
  const digests = Array.from({ length: Math.ceil(large.length / 2 ** 20) }, (_, i) =>
    sha256(large.subarray(i << 20, (i + 1) << 20)),
  )
  const toc = decodeZtoc(ztocWith(large, large, encodeTarZinfo(2 ** 20, large.length), digests, 'uncompressed'))
  const { fetched, fetchRange } = source(large)
  assert.equal((await read(toc, 'large', fetchRange)).length, 40 * 2 ** 20)
  assert.deepEqual(
    fetched,
    [
      [0, 16],
      [16, 32],
      [32, 41],
    ].map(([from, to]) => [from! << 20, Math.min(to! << 20, large.length)]),
  )
})

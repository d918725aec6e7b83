// One gzip quirk a recipe, by hand: [name, about, layer bytes, span sizes]. The tar inside is sound unless the quirk needs another.
import { bytes, concat, latin1, noise, prose } from '../lib/bytes.mjs'
import { balanced, codes, DeflateWriter, deflate, fixed, match } from '../lib/deflate.mjs'
import { gzip, gzipHeader, zlib } from '../lib/gzip.mjs'
import { entry, header, tar, zeros } from '../lib/tar.mjs'

const spans = [0, 1, 512, 32768, 4194304]
const few = [1, 4194304]
const text = prose(7, 3000)
const small = tar(entry('a', {}, text), entry('b', {}, 'second file\n'), entry('empty'))
/** A tar of about 130 KiB that compresses well: several windows. */
const large = tar(
  entry('a', {}, repeat(prose(8, 5000), 70_000)),
  entry('b', {}, repeat(prose(9, 3000), 60_000)),
  entry('c', {}, 'end\n'),
)

function repeat(piece, size) {
  const result = new Uint8Array(size)
  for (let i = 0; i < size; i += piece.length) result.set(piece.subarray(0, Math.min(piece.length, size - i)), i)
  return result
}

/** Cuts into pieces at the offsets. */
function cut(data, ...offsets) {
  return [...offsets, data.length].map((to, i) => data.subarray(i === 0 ? 0 : offsets[i - 1], to))
}

/** The small tar as one member whose deflate stream `write` makes. */
function stream(write, data = small) {
  const writer = new DeflateWriter()
  write(writer, data)
  return gzip(data, { deflated: writer.finish() })
}

/** A member of stored blocks, one a part. */
function inStored(parts) {
  const writer = new DeflateWriter()
  for (const part of parts) writer.stored(part, { last: part === parts.at(-1) })
  return gzip(concat(parts), { deflated: writer.finish() })
}

const literals = (data) => [...data]
const base = tar(entry('f', {}, 'x'))
/** Starts the last dynamic block with these counts and code-length code. */
const dynamicStart = (w, hlit, hdist) =>
  w
    .bits(5, 3)
    .bits(hlit - 257, 5)
    .bits(hdist - 1, 5)

const headers = [
  ['header-plain', 'no flag', gzip(small), spans],
  ['header-name', 'FNAME', gzip(small, { name: 'layer.tar' }), few],
  ['header-name-latin1', 'FNAME beyond ASCII', gzip(small, { name: latin1('caf\xe9') }), few],
  ['header-name-empty', 'an empty FNAME', gzip(small, { name: '' }), few],
  ['header-comment', 'FCOMMENT', gzip(small, { comment: 'a comment' }), few],
  ['header-extra', 'FEXTRA', gzip(small, { extra: [0x42, 0x43, 2, 0, 1, 2] }), few],
  ['header-extra-empty', 'an empty FEXTRA', gzip(small, { extra: [] }), few],
  ['header-extra-65535', 'the largest FEXTRA', gzip(small, { extra: zeros(65535) }), few],
  ['header-text', 'FTEXT', gzip(small, { text: true }), few],
  ['header-hcrc', 'FHCRC', gzip(small, { hcrc: true }), few],
  ['header-hcrc-wrong', 'a wrong FHCRC', gzip(small, { hcrc: 0x1234 }), few],
  [
    'header-all',
    'every flag',
    gzip(small, {
      text: true,
      name: 'n',
      comment: 'c',
      extra: [1, 2, 3, 4],
      hcrc: true,
      mtime: 1_700_000_000,
      xfl: 2,
      os: 3,
    }),
    spans,
  ],
  [
    'header-all-hcrc-wrong',
    'every flag and a wrong checksum of them',
    gzip(small, { text: true, name: 'n', comment: 'c', extra: [1], hcrc: 0 }),
    few,
  ],
  ...[0x20, 0x40, 0x80, 0xe0].map((flags) => [
    `header-reserved-${flags.toString(16)}`,
    'a reserved flag',
    gzip(small, { flags }),
    few,
  ]),
  [
    'header-reserved-later',
    'a reserved flag in the second member',
    concat(gzip(small), gzip('', { flags: 0x20 })),
    few,
  ],
  ...[510, 511, 512, 513].flatMap((size) => [
    [`header-name-${size}`, `FNAME of ${size} bytes`, gzip(small, { name: 'n'.repeat(size) }), few],
    [`header-comment-${size}`, `FCOMMENT of ${size} bytes`, gzip(small, { comment: 'c'.repeat(size) }), few],
  ]),
  [
    'header-name-512-needed',
    'FNAME of 512 bytes in a later member that the tar needs',
    concat(gzip(small.subarray(0, 700)), gzip(small.subarray(700), { name: 'n'.repeat(512) })),
    few,
  ],
  [
    'header-name-512-after-end',
    'FNAME of 512 bytes in a later member after the tar ended',
    concat(gzip(small), gzip('more', { name: 'n'.repeat(512) })),
    few,
  ],
  [
    'header-name-512-at-eof',
    'FNAME of 512 bytes after a tar without its end: the reader looks for more',
    concat(gzip(entry('f', {}, 'x')), gzip('', { name: 'n'.repeat(512) })),
    few,
  ],
  [
    'header-comment-512-after-end',
    'FCOMMENT of 512 bytes after the tar ended',
    concat(gzip(small), gzip('', { comment: 'c'.repeat(512) })),
    few,
  ],
  ['header-hcrc-later-wrong', 'a wrong FHCRC in the second member', concat(gzip(small), gzip('', { hcrc: 1 })), few],
  ['header-method-7', 'another compression method', gzip(small, { method: 7 }), few],
  ['header-magic', 'another magic', gzip(small, { magic: [0x1f, 0x9d] }), few],
  ['header-mtime-os', 'mtime, XFL and OS set', gzip(small, { mtime: 0xffffffff, xfl: 4, os: 11 }), few],
]

const [p1, p2, p3] = cut(large, 50_000, 100_000)
const members = [
  ['members-2', 'two members', concat(gzip(small.subarray(0, 1500)), gzip(small.subarray(1500))), spans],
  [
    'members-3-large',
    'three members of more than a window',
    concat(gzip(p1), gzip(p2), gzip(p3)),
    [0, 1, 30000, 32768, 50000, 99999, 100000, 4194304],
  ],
  [
    'members-many',
    'a member for every 100 bytes',
    concat(
      Array.from({ length: Math.ceil(small.length / 100) }, (_, i) => gzip(small.subarray(i * 100, i * 100 + 100))),
    ),
    spans,
  ],
  [
    'members-1-byte',
    'a member for every byte',
    concat(Array.from({ length: 1536 }, (_, i) => gzip(tar(entry('f')).subarray(i, i + 1)))),
    [1, 511, 512],
  ],
  ['members-empty-first', 'an empty member first: two checkpoints at 0', concat(gzip(''), gzip(small)), spans],
  ['members-empty-first-3', 'three empty members first', concat(gzip(''), gzip(''), gzip(''), gzip(small)), spans],
  [
    'members-empty-middle',
    'an empty member between two',
    concat(gzip(small.subarray(0, 1500)), gzip(''), gzip(small.subarray(1500))),
    spans,
  ],
  ['members-empty-last', 'an empty member last, as bgzip writes', concat(gzip(small), gzip('')), spans],
  ['members-empty-only', 'one empty member: a tar of 0 bytes', gzip(''), spans],
  ['members-empty-only-3', 'three empty members', concat(gzip(''), gzip(''), gzip('')), spans],
  [
    'members-empty-stored',
    'an empty member as an empty stored block',
    concat(gzip('', { deflated: new DeflateWriter().stored([], { last: true }).finish() }), gzip(small)),
    spans,
  ],
  [
    'members-empty-many-blocks',
    'an empty member of three empty blocks: checkpoints at 0 after each',
    concat(
      gzip('', { deflated: new DeflateWriter().stored([]).fixed([]).stored([], { last: true }).finish() }),
      gzip(small),
    ),
    spans,
  ],
  [
    'members-headers-differ',
    'members with flags',
    concat(
      gzip(small.subarray(0, 1500), { name: 'first' }),
      gzip(small.subarray(1500), { extra: [1, 2, 3], hcrc: true }),
    ),
    spans,
  ],
  ['members-distance-earlier', 'a distance that reaches into the member before', earlier(), few],
  [
    'members-distance-after-empty',
    'a distance into a member before an empty one',
    concat(gzip(small), gzip(''), distanceOnly()),
    few,
  ],
  [
    'members-split-header',
    'the tar header is split between members',
    concat(gzip(small.subarray(0, 256)), gzip(small.subarray(256))),
    spans,
  ],
  [
    'members-window-carries',
    'a checkpoint at a member header keeps the window of the member before',
    concat(gzip(p1), gzip(p2.subarray(0, 10)), gzip(concat(p2.subarray(10), p3))),
    [1, 5000, 49999, 50000],
  ],
  ['members-after-end', 'a member of its own after the tar ended', concat(gzip(small), gzip(prose(3, 5000))), spans],
  [
    'members-second-corrupt-after-end',
    'the member after the tar ended has a wrong CRC',
    concat(gzip(small), gzip('more', { crc: 1 })),
    few,
  ],
  [
    'members-second-truncated',
    'the second member is cut',
    concat(gzip(small), gzip(prose(3, 500)).subarray(0, 100)),
    few,
  ],
  ['members-zlib-after-end', 'a zlib stream after the last member', concat(gzip(small), zlib(prose(3, 500))), spans],
  ['members-zlib-empty-after-end', 'an empty zlib stream after the last member', concat(gzip(small), zlib('')), few],
  [
    'members-zlib-needed',
    'a zlib stream that the tar needs',
    concat(gzip(small.subarray(0, 1500)), zlib(small.subarray(1500))),
    few,
  ],
  ['members-zlib-then-gzip', 'gzip, zlib, gzip', concat(gzip(small), zlib('z'), gzip('')), few],
  [
    'members-zlib-after-eof',
    'a zlib stream after a tar without its end',
    concat(gzip(entry('f', {}, 'x')), zlib('')),
    few,
  ],
  [
    'members-zlib-bad-adler',
    'a zlib stream with a wrong Adler-32',
    concat(gzip(small), zlib('z').subarray(0, -1), [0x77]),
    few,
  ],
  [
    'members-zlib-dictionary',
    'a zlib stream that asks for a dictionary',
    concat(gzip(small), [0x78, 0x20 + 31 - (0x7820 % 31 || 31)], [0, 0, 0, 1]),
    few,
  ],
  [
    'members-zlib-window',
    'a zlib stream that claims a window of 256 bytes',
    concat(gzip(small), [0x08, 31 - (0x0800 % 31)], zlib('z').subarray(2)),
    few,
  ],
  [
    'members-zlib-window-too-large',
    'a zlib stream that claims a window of 64 KiB',
    concat(gzip(small), [0x88, 31 - (0x8800 % 31)], zlib('z').subarray(2)),
    few,
  ],
  ['trailing-zero', 'one zero byte after the last member', concat(gzip(small), [0]), few],
  ['trailing-zeros', '512 zeros after the last member', concat(gzip(small), zeros(512)), few],
  ['trailing-garbage', 'text after the last member', concat(gzip(small), 'garbage'), few],
  ['trailing-magic', 'only the magic after the last member', concat(gzip(small), [0x1f, 0x8b]), few],
  ['trailing-magic-half', 'half the magic after the last member', concat(gzip(small), [0x1f]), few],
  ['trailing-header', 'a header without its stream', concat(gzip(small), gzipHeader()), few],
  [
    'trailing-raw-deflate',
    'a raw deflate stream after the last member',
    concat(gzip(small), deflate(bytes('raw'))),
    few,
  ],
  ['trailing-zeros-after-zlib', 'zeros after a zlib stream', concat(gzip(small), zlib('z'), zeros(4)), few],
]

/** Two members, the second's first match reaching into the first. */
function earlier() {
  const first = small.subarray(0, 1500)
  const writer = new DeflateWriter().fixed(match(small, { from: 1500 }), { last: true })
  return concat(gzip(first), gzip(small.subarray(1500), { deflated: writer.finish() }))
}

function distanceOnly() {
  const data = Uint8Array.from([1, 1, 1, 1])
  return gzip(data, { deflated: new DeflateWriter().fixed([1, [3, 2]], { last: true }).finish() })
}

const blocks = [
  ['blocks-stored', 'stored blocks only', inStored(cut(small, 1000, 2000)), spans],
  [
    'blocks-stored-1-byte',
    'a stored block for every byte',
    inStored(cut(tar(entry('f')), ...Array.from({ length: 1535 }, (_, i) => i + 1))),
    [0, 1, 2, 512],
  ],
  [
    'blocks-stored-65535',
    'the largest stored block',
    inStored(cut(tar(entry('f', {}, repeat(noise(1, 4000), 70_000))), 65535)),
    [1, 65534, 65535, 4194304],
  ],
  ['blocks-fixed', 'fixed blocks only', gzip(small, { block: 700 }), spans],
  [
    'blocks-dynamic',
    'dynamic blocks only',
    stream((w, d) => {
      for (let from = 0; from < d.length; from += 900) {
        w.dynamic(match(d.subarray(0, from + 900), { from }), { last: from + 900 >= d.length })
      }
    }),
    spans,
  ],
  [
    'blocks-mixed',
    'all kinds in turn',
    stream((w, d) => {
      w.stored(d.subarray(0, 500))
        .fixed(match(d.subarray(0, 1200), { from: 500 }))
        .dynamic(match(d.subarray(0, 2500), { from: 1200 }))
        .stored(d.subarray(2500), { last: true })
    }),
    spans,
  ],
  [
    'blocks-empty-stored',
    'empty stored blocks between, as a sync flush writes',
    stream((w, d) => {
      w.fixed(match(d.subarray(0, 1000)))
        .stored([])
        .fixed(match(d.subarray(0, 2000), { from: 1000 }))
        .stored([])
        .stored([])
        .fixed(match(d, { from: 2000 }))
        .stored([], { last: true })
    }),
    spans,
  ],
  [
    'blocks-empty-first',
    'empty blocks of every kind first: several checkpoints at 0',
    stream((w, d) => {
      w.stored([]).fixed([]).dynamic([]).stored([]).fixed(match(d), { last: true })
    }),
    spans,
  ],
  [
    'blocks-empty-first-final-stored',
    'an empty stored block first, everything in stored ones',
    stream((w, d) => {
      w.stored([]).stored(d).stored([], { last: true })
    }),
    spans,
  ],
  [
    'blocks-empty-fixed-last',
    'an empty fixed block last',
    stream((w, d) => {
      w.fixed(match(d)).fixed([], { last: true })
    }),
    spans,
  ],
  [
    'blocks-bits',
    'boundaries at every bit of a byte',
    stream((w, d) => {
      for (let i = 0; i < d.length; i += 61) w.fixed(literals(d.subarray(i, i + 61)), { last: i + 61 >= d.length })
    }),
    [0, 1, 60, 61, 100, 1000],
  ],
  [
    'blocks-bits-stored',
    'the same with stored blocks between: the padding bits belong to the block before',
    stream((w, d) => {
      for (let i = 0; i < d.length; i += 61) {
        w.fixed(literals(d.subarray(i, i + 30)))
        w.stored(d.subarray(i + 30, i + 61), { last: i + 61 >= d.length })
      }
    }),
    [0, 1, 60, 61, 100],
  ],
  [
    'blocks-padding-bits-set',
    'bits set in the padding before a stored block',
    stream((w, d) => {
      w.fixed(match(d.subarray(0, 100)))
      w.bits(0, 3)
        .align(1)
        .bits(d.length - 100, 16)
        .bits(~(d.length - 100) & 0xffff, 16)
      for (const byte of d.subarray(100)) w.bits(byte, 8)
      w.stored([], { last: true })
    }),
    few,
  ],
  ...[32767, 32768, 32769, 65536, 98304].map((at) => [
    `blocks-boundary-${at}`,
    `a block ends at ${at} bytes of output`,
    stream((w, d) => {
      w.fixed(match(d.subarray(0, at))).fixed(match(d, { from: at }), { last: true })
    }, large),
    [0, 1, at - 2, at - 1, at, 4194304],
  ]),
  [
    'blocks-every-32768',
    'a block for every window',
    gzip(large, { block: 32768 }),
    [0, 1, 32767, 32768, 65535, 65536, 98303, 98304],
  ],
  [
    'blocks-every-4096',
    'a block for every 4 KiB',
    gzip(large, { block: 4096 }),
    [0, 4095, 4096, 8191, 8192, 20000, 32768],
  ],
  ['blocks-every-1000', 'a block for every 1000 bytes', gzip(large, { block: 1000 }), [0, 999, 1000, 32768]],
  [
    'distance-32768',
    'the longest distance',
    stream((w, d) => {
      const piece = d.subarray(0, 32768)
      w.stored(piece).fixed(
        [...Array(126).fill([258, 32768]), [258, 32768], ...literals(d.subarray(32768 + 127 * 258))],
        { last: true },
      )
    }, repeatingTar(32768)),
    few,
  ],
  [
    'distance-1',
    'runs of one byte',
    stream(
      (w, d) => {
        w.fixed(match(d), { last: true })
      },
      tar(entry('z', {}, zeros(100_000))),
    ),
    [1, 512, 32768, 4194304],
  ],
  ['length-258-both-codes', 'length 258 as symbol 284 with extra bits 31', lengthBy284(), few],
  [
    'one-distance-code',
    'a block with a single distance code of one bit',
    stream(
      (w, d) => {
        w.dynamic(match(d, { window: 1 }), { last: true })
      },
      tar(entry('z', {}, zeros(5000))),
    ),
    few,
  ],
  [
    'no-distance-code',
    'a block of literals without a distance code',
    stream(
      (w, d) => {
        w.dynamic(literals(d), { last: true, distances: [0] })
      },
      tar(entry('z', {}, 'x')),
    ),
    few,
  ],
  ['repeat-crosses', 'a repeat of code lengths that crosses from literals to distances', crossing(), few],
  [
    'one-literal-code',
    'a block whose only code is its end',
    stream((w, d) => {
      w.dynamic([]).fixed(match(d), { last: true })
    }),
    few,
  ],
]

/** A tar whose data repeats every `period` bytes. */
function repeatingTar(period) {
  const body = new Uint8Array(period + 127 * 258 + 1024)
  body.set(header({ name: 'f', size: period + 127 * 258 - 512 }))
  body.set(repeat(prose(4, 700), period - 512), 512)
  for (let i = period; i < period + 127 * 258; i++) body[i] = body[i - period]
  const result = new Uint8Array(Math.ceil((period + 127 * 258) / 512) * 512 + 1024)
  result.set(body.subarray(0, period + 127 * 258))
  return result
}

/** Symbol 284 stands for 227 plus its five extra bits: 31 makes 258, which symbol 285 says as well. */
function lengthBy284() {
  const data = tar(entry('z', {}, zeros(2000)))
  return stream((w) => {
    w.bits(3, 3)
    for (const token of match(data)) {
      if (token[0] === 258)
        w.code(fixed.literals[284])
          .bits(31, 5)
          .code(fixed.distances[token[1] - 1])
      else w.tokens([token], fixed.literals, fixed.distances)
    }
    w.code(fixed.literals[256])
  }, data)
}

const raw = (write) => {
  const writer = new DeflateWriter()
  write(writer)
  return gzip(base, { deflated: writer.finish() })
}
const lengthsOf = (size, pairs) =>
  Object.entries(pairs).reduce((all, [symbol, length]) => {
    all[symbol] = length
    return all
  }, Array(size).fill(0))

const corrupt = [
  ['bad-block-type-3', 'block type 3', raw((w) => w.bits(7, 3))],
  [
    'bad-stored-length',
    'a stored block whose lengths do not agree',
    raw((w) => w.stored(base, { last: true, complement: 0 })),
  ],
  [
    'bad-distance-too-far',
    'a distance before the start',
    raw((w) => w.fixed([...base.subarray(0, 10), [3, 11]], { last: true })),
  ],
  ['bad-distance-first', 'a match as the first token', raw((w) => w.fixed([[3, 1]], { last: true }))],
  [
    'bad-distance-symbol-30',
    'distance symbol 30',
    raw((w) =>
      w
        .fixed([1, { bits: 1 | (0 << 1), count: 0 }], { end: false })
        .code({ value: 1, length: 7 })
        .code({ value: 30, length: 5 }),
    ),
  ],
  ['bad-length-symbol-286', 'length symbol 286', raw((w) => w.bits(3, 3).code({ value: 0xc6, length: 8 }).bits(0, 16))],
  ['bad-length-symbol-287', 'length symbol 287', raw((w) => w.bits(3, 3).code({ value: 0xc7, length: 8 }).bits(0, 16))],
  [
    'bad-hlit-287',
    '287 literal codes',
    raw((w) => dynamicStart(w, 287, 1).codeLengths(balanced(new Set([0, 1, 8]), 19), lengthsOf(288, { 0: 1, 256: 1 }))),
  ],
  [
    'bad-hlit-288',
    '288 literal codes',
    raw((w) => dynamicStart(w, 288, 1).codeLengths(balanced(new Set([0, 1, 8]), 19), lengthsOf(289, { 0: 1, 256: 1 }))),
  ],
  [
    'bad-hdist-31',
    '31 distance codes',
    raw((w) => w.dynamic(literals(base), { last: true, hdist: 30, distances: lengthsOf(31, { 0: 1 }) })),
  ],
  [
    'bad-hdist-32',
    '32 distance codes',
    raw((w) => w.dynamic(literals(base), { last: true, hdist: 31, distances: lengthsOf(32, { 0: 1 }) })),
  ],
  [
    'bad-no-end-code',
    'no code for the end of the block',
    raw((w) =>
      dynamicStart(w, 257, 1).codeLengths(balanced(new Set([0, 1]), 19), [...lengthsOf(257, { 0: 1, 1: 1 }), 1]),
    ),
  ],
  [
    'bad-code-lengths-over',
    'code length code over-subscribed',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(lengthsOf(19, { 0: 1, 1: 1, 2: 1 }), [])
        .bits(0, 64),
    ),
  ],
  [
    'bad-code-lengths-incomplete',
    'code length code incomplete',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(lengthsOf(19, { 0: 2, 1: 2, 2: 2 }), [])
        .bits(0, 64),
    ),
  ],
  [
    'bad-code-lengths-one',
    'code length code of one symbol: Go accepts it, zlib does not',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(lengthsOf(19, { 8: 1 }), Array(258).fill(8))
        .bits(0, 64),
    ),
  ],
  [
    'bad-code-lengths-none',
    'code length code of no symbol',
    raw((w) => dynamicStart(w, 257, 1).codeLengths(Array(19).fill(0), []).bits(0, 64)),
  ],
  [
    'bad-literals-over',
    'literal code over-subscribed',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(balanced(new Set([0, 1]), 19), [...lengthsOf(257, { 0: 1, 1: 1, 256: 1 }), 1])
        .bits(0, 64),
    ),
  ],
  [
    'bad-literals-incomplete',
    'literal code incomplete',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(balanced(new Set([0, 2]), 19), [...lengthsOf(257, { 0: 2, 1: 2, 256: 2 }), 0])
        .bits(0, 64),
    ),
  ],
  [
    'bad-distances-over',
    'distance code over-subscribed',
    raw((w) => w.dynamic(literals(base), { last: true, distances: [1, 1, 1] })),
  ],
  [
    'bad-distances-incomplete',
    'distance code incomplete',
    raw((w) => w.dynamic(literals(base), { last: true, distances: [2, 2, 2] })),
  ],
  [
    'bad-distances-one-2-bits',
    'one distance code of two bits',
    raw((w) => w.dynamic(literals(base), { last: true, distances: [2] })),
  ],
  ['bad-unused-codeword', 'the codeword that a one-symbol distance code leaves unused', unusedCodeword()],
  [
    'bad-unused-literal-codeword',
    'the codeword that a one-symbol literal code leaves unused',
    raw((w) => {
      w.dynamic([], { end: false, last: true }).bits(1, 1)
    }),
  ],
  [
    'bad-repeat-first',
    'a repeat before any length',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(balanced(new Set([0, 16]), 19), [[16, 0]])
        .bits(0, 64),
    ),
  ],
  [
    'bad-repeat-over',
    'a repeat beyond the counts',
    raw((w) =>
      dynamicStart(w, 257, 1)
        .codeLengths(balanced(new Set([1, 18]), 19), [1, [18, 127], [18, 127]])
        .bits(0, 64),
    ),
  ],

  ['bad-crc', 'a wrong CRC-32', gzip(small, { crc: 1 })],
  ['bad-isize', 'a wrong length', gzip(small, { isize: 1 })],
  [
    'bad-crc-first-of-2',
    'a wrong CRC-32 in the first of two members',
    concat(gzip(small.subarray(0, 1500), { crc: 1 }), gzip(small.subarray(1500))),
  ],
  ['bad-crc-after-end', 'a wrong CRC-32, the tar being complete', gzip(concat(small, prose(1, 4000)), { crc: 7 })],
  [
    'bad-stream-after-end',
    'a corrupt block after the tar ended',
    (() => {
      const w = new DeflateWriter().fixed(match(small)).bits(7, 3)
      return gzip(small, { deflated: w.finish() })
    })(),
  ],
]

function unusedCodeword() {
  const writer = new DeflateWriter()
  writer.dynamic([...base.subarray(0, 5), [3, 1]], { last: true, end: false })
  // again a length, then the other bit where the distance code has only '0'
  return gzip(base, { deflated: concat(writer.bits(0xff, 8).bits(0xff, 8).finish(), zeros(8)) })
}

/** One repeat of 13 zeros covers the last three literal lengths and all ten distance lengths. */
function crossing() {
  const literals = balanced(new Set([...base, 256]), 257)
  const writer = dynamicStart(new DeflateWriter(), 260, 10)
  writer.codeLengths(balanced(new Set([...literals, 18]), 19), [...literals, [18, 2]])
  return gzip(base, { deflated: writer.tokens([...base, 256], codes(literals), []).finish() })
}

const whole = gzip(small, { name: 'n', comment: 'c', extra: [1, 2, 3, 4], hcrc: true })
const headerSize = gzipHeader({ name: 'n', comment: 'c', extra: [1, 2, 3, 4], hcrc: true }).length
const dynamicWhole = stream((w, d) => w.dynamic(match(d), { last: true }))
const truncated = [
  [0, 'nothing at all'],
  [1, 'one byte'],
  [2, 'the magic'],
  [3, 'before the flags'],
  [9, 'before the last byte of the fixed part'],
  [10, 'before FEXTRA'],
  [11, 'in the length of FEXTRA'],
  [12, 'before the bytes of FEXTRA'],
  [14, 'in FEXTRA'],
  [16, 'before FNAME'],
  [17, 'in FNAME'],
  [18, 'before FCOMMENT'],
  [19, 'in FCOMMENT'],
  [20, 'before FHCRC'],
  [21, 'in FHCRC'],
  [headerSize, 'after the header'],
  [headerSize + 1, 'after a byte of the stream'],
  [1000, 'in the stream'],
  [whole.length - 9, 'before the last byte of the stream'],
  [whole.length - 8, 'before the trailer'],
  [whole.length - 5, 'in the CRC-32'],
  [whole.length - 4, 'before the length'],
  [whole.length - 1, 'before the last byte'],
].map(([size, about]) => [`cut-${String(size).padStart(4, '0')}`, `cut ${about}`, whole.subarray(0, size)])
truncated.push(
  ['cut-dynamic-header', 'cut in the header of a dynamic block', dynamicWhole.subarray(0, 20)],
  ['cut-dynamic-header-start', 'cut in the counts of a dynamic block', dynamicWhole.subarray(0, 11)],
  [
    'cut-stored-header',
    'cut in the lengths of a stored block',
    gzip(base, { deflated: new DeflateWriter().stored(base, { last: true }).finish() }).subarray(0, 13),
  ],
  [
    'cut-stored-data',
    'cut in the data of a stored block',
    gzip(base, { deflated: new DeflateWriter().stored(base, { last: true }).finish() }).subarray(0, 100),
  ],
  ['cut-at-block-end', 'cut at a block boundary', concat(gzipHeader(), new DeflateWriter().stored(base).finish())],
  [
    'cut-after-tar-end',
    'the tar is complete, the stream is cut after it',
    gzip(concat(small, prose(2, 9000))).subarray(0, -500),
  ],
)

const others = [
  ['other-zlib', 'a zlib stream', zlib(small)],
  ['other-raw-deflate', 'a raw deflate stream', deflate(small)],
  ['other-tar', 'a tar that is not compressed', small],
  ['other-zeros', 'zeros', zeros(1024)],
  ['other-text', 'text', bytes('no layer at all\n'.repeat(10))],
  ['other-html', 'an error page of a proxy', bytes('<html><body>502 Bad Gateway</body></html>\n')],
  ['other-gzip-twice', 'a gzip within a gzip', gzip(gzip(small))],
  ['other-not-a-tar', 'a gzip of text', gzip(prose(5, 3000))],
  ['other-not-a-tar-short', 'a gzip of a short text', gzip('short')],
  ['other-compress', "the magic of Unix's compress", concat([0x1f, 0x9d, 0x90], noise(2, 300))],
  ['other-lz4', 'the magic of LZ4', concat([0x04, 0x22, 0x4d, 0x18], noise(2, 300))],
]

/** A tar of the sizes where span arithmetic turns, incompressible enough to keep several blocks. */
const sized = [0, 1, 2].map((more) => ({
  more,
  data: concat(tar(entry('f', {}, repeat(prose(6, 900), 64 * 1024 - 512 - 1024))), zeros(more)),
}))
const spanRecipes = [
  ...sized.map(({ more, data }) => [
    `span-gzip-65536-plus-${more}`,
    'a tar of 64 KiB and spans around it',
    gzip(data, { block: 8192 }),
    [
      0,
      1,
      2,
      511,
      512,
      8191,
      8192,
      8193,
      16383,
      16384,
      32767,
      32768,
      65535,
      65536,
      1048576,
      4194304,
      2 ** 40,
      2 ** 53 - 1,
    ],
  ]),
  [
    'span-1-mib',
    'three million bytes and spans of 1 MiB',
    gzip(tar(entry('f', {}, repeat(prose(12, 400), 3_000_000))), { block: 100_000 }),
    [99_999, 100_000, 1_000_000, 1048576, 2_900_000, 4194304],
  ],
]

export const gzips = [
  ...headers,
  ...members,
  ...blocks,
  ...[...corrupt, ...truncated, ...others].map((recipe) => [...recipe, few]),
  ...spanRecipes,
].map(([name, about, content, sizes]) => ({
  name: name.startsWith('span') ? name : `gzip-${name}`,
  about,
  content,
  spans: sizes,
}))

/** Plain tars for fixed spans: [name, about, tar, span sizes]. */
export const plains = [
  [
    'plain-small',
    'a small tar',
    small,
    [1, 2, 100, 511, 512, 513, small.length - 1, small.length, small.length + 1, 4194304],
  ],
  [
    'plain-exact',
    'exactly two spans, and one byte less and more',
    tar(entry('f', {}, 'x'.repeat(2048))),
    [1536, 1535, 1537, 3072, 3071, 3073, 512],
  ],
  ['plain-zero-bytes', 'nothing at all', zeros(0), [1, 512, 4194304]],
  ['plain-end-only', 'two zero blocks', zeros(1024), [1, 512, 1024, 4194304]],
  [
    'plain-padding',
    'padded after its end: the last span has the padding',
    concat(tar(entry('f', {}, 'x')), zeros(8192)),
    [512, 4096, 4194304],
  ],
  ['plain-garbage', 'bytes after the end', concat(tar(entry('f', {}, 'x')), 'garbage'), [512, 4194304]],
  ['plain-no-end', 'no zero blocks', entry('f', {}, 'x'), [512, 1024, 4194304]],
  ['plain-cut', 'cut in its data', small.subarray(0, 1000), [512]],
  ['plain-raw-names', 'names that are no UTF-8', tar(entry(latin1('\xff\xfe'), {}, 'x')), [512]],
  ['plain-gzip', 'a gzip layer declared uncompressed', gzip(small), [512]],
  ['plain-span-0', 'span size 0', tar(entry('f')), [0]],
  [
    'plain-sparse-1.0',
    'a sparse file',
    tar(
      entry('x', { type: 'x' }, '22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n25 GNU.sparse.realsize=9\n'),
      entry('s', {}, concat('1\n0\n4\n', zeros(506), 'data')),
    ),
    [512],
  ],
].map(([name, about, content, sizes]) => ({ name, about, content, spans: sizes }))

// Damaged streams, cut ones, and what is no gzip at all: [name, what is quirky, the layer].
import { bytes, concat, noise, prose } from '../lib/bytes.mjs'
import { balanced, DeflateWriter, deflate, match } from '../lib/deflate.mjs'
import { gzip, gzipHeader, zlib } from '../lib/gzip.mjs'
import { zeros } from '../lib/tar.mjs'
import { small, stream, tiny } from './sample.mjs'

const raw = (write) => {
  const writer = new DeflateWriter()
  write(writer)
  return gzip(tiny, { deflated: writer.finish() })
}

const lengthsOf = (size, pairs) =>
  Object.entries(pairs).reduce((all, [symbol, length]) => {
    all[symbol] = length
    return all
  }, Array(size).fill(0))

export const corrupt = [
  ['bad-block-type-3', 'block type 3', raw((w) => w.bits(7, 3))],
  [
    'bad-stored-length',
    'a stored block whose lengths do not agree',
    raw((w) => w.stored(tiny, { last: true, complement: 0 })),
  ],
  [
    'bad-distance-too-far',
    'a distance before the start',
    raw((w) => w.fixed([...tiny.subarray(0, 10), [3, 11]], { last: true })),
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
    raw((w) => w.dynamicStart(287, 1).codeLengths(balanced(new Set([0, 1, 8]), 19), lengthsOf(288, { 0: 1, 256: 1 }))),
  ],
  [
    'bad-hlit-288',
    '288 literal codes',
    raw((w) => w.dynamicStart(288, 1).codeLengths(balanced(new Set([0, 1, 8]), 19), lengthsOf(289, { 0: 1, 256: 1 }))),
  ],
  [
    'bad-hdist-31',
    '31 distance codes',
    raw((w) => w.dynamic([...tiny], { last: true, hdist: 30, distances: lengthsOf(31, { 0: 1 }) })),
  ],
  [
    'bad-hdist-32',
    '32 distance codes',
    raw((w) => w.dynamic([...tiny], { last: true, hdist: 31, distances: lengthsOf(32, { 0: 1 }) })),
  ],
  [
    'bad-no-end-code',
    'no code for the end of the block',
    raw((w) =>
      w.dynamicStart(257, 1).codeLengths(balanced(new Set([0, 1]), 19), [...lengthsOf(257, { 0: 1, 1: 1 }), 1]),
    ),
  ],
  [
    'bad-code-lengths-over',
    'code length code over-subscribed',
    raw((w) =>
      w
        .dynamicStart(257, 1)
        .codeLengths(lengthsOf(19, { 0: 1, 1: 1, 2: 1 }), [])
        .bits(0, 64),
    ),
  ],
  [
    'bad-code-lengths-incomplete',
    'code length code incomplete',
    raw((w) =>
      w
        .dynamicStart(257, 1)
        .codeLengths(lengthsOf(19, { 0: 2, 1: 2, 2: 2 }), [])
        .bits(0, 64),
    ),
  ],
  [
    'bad-code-lengths-one',
    'code length code of one symbol: Go accepts it, zlib does not',
    raw((w) =>
      w
        .dynamicStart(257, 1)
        .codeLengths(lengthsOf(19, { 8: 1 }), Array(258).fill(8))
        .bits(0, 64),
    ),
  ],
  [
    'bad-code-lengths-none',
    'code length code of no symbol',
    raw((w) => w.dynamicStart(257, 1).codeLengths(Array(19).fill(0), []).bits(0, 64)),
  ],
  [
    'bad-literals-over',
    'literal code over-subscribed',
    raw((w) =>
      w
        .dynamicStart(257, 1)
        .codeLengths(balanced(new Set([0, 1]), 19), [...lengthsOf(257, { 0: 1, 1: 1, 256: 1 }), 1])
        .bits(0, 64),
    ),
  ],
  [
    'bad-literals-incomplete',
    'literal code incomplete',
    raw((w) =>
      w
        .dynamicStart(257, 1)
        .codeLengths(balanced(new Set([0, 2]), 19), [...lengthsOf(257, { 0: 2, 1: 2, 256: 2 }), 0])
        .bits(0, 64),
    ),
  ],
  [
    'bad-distances-over',
    'distance code over-subscribed',
    raw((w) => w.dynamic([...tiny], { last: true, distances: [1, 1, 1] })),
  ],
  [
    'bad-distances-incomplete',
    'distance code incomplete',
    raw((w) => w.dynamic([...tiny], { last: true, distances: [2, 2, 2] })),
  ],
  [
    'bad-distances-one-2-bits',
    'one distance code of two bits',
    raw((w) => w.dynamic([...tiny], { last: true, distances: [2] })),
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
      w
        .dynamicStart(257, 1)
        .codeLengths(balanced(new Set([0, 16]), 19), [[16, 0]])
        .bits(0, 64),
    ),
  ],
  [
    'bad-repeat-over',
    'a repeat beyond the counts',
    raw((w) =>
      w
        .dynamicStart(257, 1)
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
  writer.dynamic([...tiny.subarray(0, 5), [3, 1]], { last: true, end: false })
  // again a length, then the other bit where the distance code has only '0'
  return gzip(tiny, { deflated: concat(writer.bits(0xff, 8).bits(0xff, 8).finish(), zeros(8)) })
}

const whole = gzip(small, { name: 'n', comment: 'c', extra: [1, 2, 3, 4], hcrc: true })
const headerSize = gzipHeader({ name: 'n', comment: 'c', extra: [1, 2, 3, 4], hcrc: true }).length
const dynamicWhole = stream((w, d) => w.dynamic(match(d), { last: true }))
export const truncated = [
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
    gzip(tiny, { deflated: new DeflateWriter().stored(tiny, { last: true }).finish() }).subarray(0, 13),
  ],
  [
    'cut-stored-data',
    'cut in the data of a stored block',
    gzip(tiny, { deflated: new DeflateWriter().stored(tiny, { last: true }).finish() }).subarray(0, 100),
  ],
  ['cut-at-block-end', 'cut at a block boundary', concat(gzipHeader(), new DeflateWriter().stored(tiny).finish())],
  [
    'cut-after-tar-end',
    'the tar is complete, the stream is cut after it',
    gzip(concat(small, prose(2, 9000))).subarray(0, -500),
  ],
)

export const others = [
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

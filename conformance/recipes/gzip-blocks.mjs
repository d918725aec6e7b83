// Deflate blocks, sound ones: [name, what is quirky, the layer, span sizes].
import { noise, prose } from '../lib/bytes.mjs'
import { balanced, codes, DeflateWriter, fixed, match } from '../lib/deflate.mjs'
import { gzip } from '../lib/gzip.mjs'
import { entry, header, tar, zeros } from '../lib/tar.mjs'
import { cut, few, inStored, large, repeat, small, spans, stream, tiny } from './sample.mjs'

export const blocks = [
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
      for (let i = 0; i < d.length; i += 61) w.fixed([...d.subarray(i, i + 61)], { last: i + 61 >= d.length })
    }),
    [0, 1, 60, 61, 100, 1000],
  ],
  [
    'blocks-bits-stored',
    'the same with stored blocks between: the padding bits belong to the block before',
    stream((w, d) => {
      for (let i = 0; i < d.length; i += 61) {
        w.fixed([...d.subarray(i, i + 30)])
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
      w.stored(piece).fixed([...Array(126).fill([258, 32768]), [258, 32768], ...d.subarray(32768 + 127 * 258)], {
        last: true,
      })
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
        w.dynamic([...d], { last: true, distances: [0] })
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

/** One repeat of 13 zeros covers the last three literal lengths and all ten distance lengths. */
function crossing() {
  const literals = balanced(new Set([...tiny, 256]), 257)
  const writer = new DeflateWriter().dynamicStart(260, 10)
  writer.codeLengths(balanced(new Set([...literals, 18]), 19), [...literals, [18, 2]])
  return gzip(tiny, { deflated: writer.tokens([...tiny, 256], codes(literals), []).finish() })
}

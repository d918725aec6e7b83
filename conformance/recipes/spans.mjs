// Span arithmetic, with gzip and without: [name, what is quirky, the layer, span sizes].
import { concat, latin1, prose } from '../lib/bytes.mjs'
import { gzip } from '../lib/gzip.mjs'
import { entry, tar, zeros } from '../lib/tar.mjs'
import { repeat, small } from './sample.mjs'

/** A tar of the sizes where span arithmetic turns, incompressible enough to keep several blocks. */
const sized = [0, 1, 2].map((more) => ({
  more,
  data: concat(tar(entry('f', {}, repeat(prose(6, 900), 64 * 1024 - 512 - 1024))), zeros(more)),
}))
export const spanned = [
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
]

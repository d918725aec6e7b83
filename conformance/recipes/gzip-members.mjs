// Several members, and what follows the last: [name, what is quirky, the layer, span sizes].
import { bytes, concat, prose } from '../lib/bytes.mjs'
import { DeflateWriter, deflate, match } from '../lib/deflate.mjs'
import { gzip, gzipHeader, zlib } from '../lib/gzip.mjs'
import { entry, tar, zeros } from '../lib/tar.mjs'
import { cut, few, large, small, spans } from './sample.mjs'

const [p1, p2, p3] = cut(large, 50_000, 100_000)
export const members = [
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

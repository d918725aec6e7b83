// How tars end, too early, properly and too late: [name, what is quirky, the tar].
import { bytes, concat } from '../lib/bytes.mjs'
import { end, entry, gnuLong, header, pax, record, tar, zeros } from '../lib/tar.mjs'
import { long, tail } from './sample.mjs'

export const ends = [
  ['end-two-blocks', 'the plain end', tar(entry('f', {}, 'x'))],
  ['end-none', 'no zero block: the tar ends after the last entry', entry('f', {}, 'x')],
  ['end-one-block', 'one zero block, then the end', concat(entry('f', {}, 'x'), zeros(512))],
  ['end-no-padding', 'the last entry without its padding', concat(header({ name: 'f', size: 1 }), 'x')],
  ['end-half-padding', 'the last entry with half its padding', concat(header({ name: 'f', size: 1 }), 'x', zeros(200))],
  ['end-in-data', 'the last entry without all of its data', concat(header({ name: 'f', size: 100 }), 'x')],
  ['end-before-data', 'the last entry without any of its data', header({ name: 'f', size: 100 })],
  ['end-after-empty-file', 'ends after the header of an empty file', header({ name: 'f' })],
  ['end-after-x', 'ends after an x entry, which is dropped', concat(entry('f', {}, 'x'), pax([['path', 'p']]))],
  ['end-after-x-two-blocks', 'two zero blocks after an x entry', tar(entry('f', {}, 'x'), pax([['path', 'p']]))],
  [
    'end-after-x-no-padding',
    'ends within the padding of an x entry',
    concat(
      entry('f', {}, 'x'),
      header({ name: 'x', type: 'x', size: record('path', 'p').length }),
      record('path', 'p'),
    ),
  ],
  [
    'end-in-x',
    'ends within the data of an x entry',
    concat(entry('f', {}, 'x'), header({ name: 'x', type: 'x', size: 100 }), record('path', 'p')),
  ],
  ['end-after-L', 'ends after an L entry, which is dropped', concat(entry('f', {}, 'x'), gnuLong('L', 'name'))],
  ['end-after-K', 'ends after a K entry', concat(entry('f', {}, 'x'), gnuLong('K', 'name'))],
  ['end-in-header', 'a partial header', concat(entry('f', {}, 'x'), header({ name: 'g' }).subarray(0, 300))],
  ['end-in-header-1', 'one byte of a header', concat(entry('f', {}, 'x'), 'x')],
  [
    'end-in-header-511',
    'all but one byte of a header',
    concat(entry('f', {}, 'x'), header({ name: 'g' }).subarray(0, 511)),
  ],
  ['end-zeros-100', 'a partial zero block', concat(entry('f', {}, 'x'), zeros(100))],
  ['end-zeros-1000', 'a zero block and a partial one', concat(entry('f', {}, 'x'), zeros(1000))],
  ['end-zero-then-entry', 'a zero block, then an entry', concat(entry('f', {}, 'x'), zeros(512), tail, end)],
  ['end-zero-then-byte', 'a zero block, then one byte', concat(entry('f', {}, 'x'), zeros(512), 'x')],
  ['end-padding', 'padded with zeros to 10240', concat(entry('f', {}, 'x'), zeros(10240 - 1024))],
  ['end-padding-odd', 'padded with zeros to no whole block', concat(entry('f', {}, 'x'), zeros(1024 + 300))],
  ['end-garbage', 'bytes after the end', concat(tar(entry('f', {}, 'x')), 'garbage after the end')],
  [
    'end-second-tar',
    'another tar after the end is not read',
    concat(tar(entry('f', {}, 'x')), tar(entry('g', {}, 'y'))),
  ],
  [
    'end-bad-header-after',
    'a bad header after the end is not read',
    concat(tar(entry('f', {}, 'x')), header({ name: 'bad', checksum: '0\0' })),
  ],
  ['empty', 'two zero blocks only', end],
  ['empty-one-block', 'one zero block only', zeros(512)],
  ['empty-padding', '10240 zeros', zeros(10240)],
  ['zero-bytes', 'nothing at all', zeros(0)],
  ['one-byte', 'one byte', bytes('x')],
  ['not-a-tar', 'text', bytes('this is no tar archive\n'.repeat(100))],
  ['not-a-tar-short', 'a text of less than a block', bytes('this is no tar archive\n')],
  [
    'many-entries',
    '300 small entries of every type',
    tar(
      ...Array.from({ length: 300 }, (_, i) =>
        entry(
          `dir/${i}`,
          {
            type: '0123456'[i % 7],
            linkname: i % 7 === 1 || i % 7 === 2 ? 'dir/0' : '',
            mtime: 1_700_000_000 + i,
            uid: i,
          },
          i % 7 === 0 ? long(i * 3, 'x') : '',
        ),
      ),
    ),
  ],
  [
    'sizes-around-blocks',
    'files of 0, 1, 511, 512, 513 and 1024 bytes',
    tar(...[0, 1, 511, 512, 513, 1024].map((size) => entry(`f${size}`, {}, long(size, 'x')))),
  ],
  ['header-of-0xff', 'a block of 0xff', concat(entry('f', {}, 'x'), zeros(512).fill(0xff), end)],
  ['reserved-bytes', 'bytes in what ustar leaves unused', tar(entry('f', { patch: [[500, 'reserved']] }, 'x'))],
]

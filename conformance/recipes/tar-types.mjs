// Type flags, links, and sizes where no data is: [name, what is quirky, the tar].
import { latin1 } from '../lib/bytes.mjs'
import { base256, entry, gnuLong, pax, record, tar } from '../lib/tar.mjs'
import { file, path, tail } from './sample.mjs'

export const types = [
  [
    'types-all',
    'every type that the format knows',
    tar(
      entry('reg', {}, 'x'),
      entry('hard', { type: '1', linkname: 'reg' }),
      entry('sym', { type: '2', linkname: 'reg' }),
      entry('char', { type: '3', major: 1, minor: 3 }),
      entry('block', { type: '4', major: 8, minor: 1 }),
      entry('dir', { type: '5' }),
      entry('fifo', { type: '6' }),
    ),
  ],
  ...['7', 'A', 'D', 'E', 'I', 'M', 'N', 'S', 'V', 'X', 'Z', 'a', '8', '9', ' ', '\x80'].map((type) => [
    `type-${/\w/.test(type) ? (type >= 'a' ? `lower-${type}` : type) : `0x${type.charCodeAt(0).toString(16)}`}`,
    'a type flag that fails the layer',
    tar(entry('before', {}, 'x'), entry('it', { type: latin1(type) }), tail),
  ]),
  [
    'type-g',
    'a global PAX header fails the layer',
    tar(entry('pax_global_header', { type: 'g' }, record('comment', 'c0ffee')), tail),
  ],
  [
    'type-g-bad',
    'a global header that is malformed as well',
    tar(entry('pax_global_header', { type: 'g' }, 'no record'), tail),
  ],
  [
    'type-g-after-x',
    'x, then g',
    tar(pax([['path', 'p']]), entry('pax_global_header', { type: 'g' }, record('comment', 'c')), tail),
  ],
  ['type-unknown-last', 'the unknown type is the last entry', tar(tail, entry('it', { type: 'Q' }))],
  [
    'type-unknown-with-data',
    'the unknown type has data, the header before it is long',
    tar(gnuLong('L', path(150)), entry('it', { type: '7', dialect: 'gnu' }, 'contiguous'), tail),
  ],
]

export const links = [
  ...['1', '2', '3', '4', '5', '6'].map((type) => [
    `size-on-type-${type}`,
    'a size on an entry without data, not the last: not skipped, and the decoder refuses the zTOC',
    tar(entry('it', { type, linkname: 'tail', size: 2048 }), tail),
  ]),
  [
    'size-on-hardlink-small',
    'a size that ends before the next header: the next entry starts right after',
    tar(entry('it', { type: '1', linkname: 'x', size: 1 }), tail),
  ],
  [
    'size-on-hardlink-512',
    'a size of exactly the header that follows',
    tar(entry('it', { type: '1', linkname: 'x', size: 512 }), tail),
  ],
  [
    'size-on-hardlink-last',
    'a size on the last entry: nothing follows that could clash',
    tar(tail, entry('it', { type: '1', linkname: 'tail', size: 1_000_000 })),
  ],
  ['size-on-dir-last', 'the same on a directory', tar(tail, entry('it', { type: '5', size: 512 }))],
  ['size-on-dir-by-pax', 'a size from a PAX record', tar(pax([['size', '4096']]), entry('it', { type: '5' }), tail)],
  [
    'size-negative-on-symlink',
    'a negative size on an entry without data',
    tar(entry('it', { type: '2', linkname: 'x', size: base256(-1, 12) }), tail),
  ],
  [
    'size-negative-on-dir-large',
    'a very negative size',
    tar(entry('a', {}, 'x'), entry('it', { type: '5', size: base256(-5000, 12) }), tail),
  ],
  ['size-negative', 'a negative size on a file', file({ size: base256(-1, 12) })],
  ['symlink-loop', 'a symlink that names itself', tar(entry('loop', { type: '2', linkname: 'loop' }), tail)],
  [
    'symlink-dangling',
    'links to nowhere, to the outside, to nothing',
    tar(
      entry('a', { type: '2', linkname: 'nowhere' }),
      entry('b', { type: '1', linkname: '/etc/passwd' }),
      entry('c', { type: '2' }),
      tail,
    ),
  ],
  ['file-with-linkname', 'a regular file with a link name', tar(entry('f', { linkname: 'tail' }, 'x'), tail)],
]

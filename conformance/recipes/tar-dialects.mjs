// How the tar dialects name things: [name, what is quirky, the tar].
import { latin1 } from '../lib/bytes.mjs'
import { base256, entry, gnuLong, header, octal, pax, tar } from '../lib/tar.mjs'
import { file, long, path, tail } from './sample.mjs'

export const dialects = [
  ['v7', 'no magic at all: no owner names, no device numbers', tar(entry('file', { dialect: 'v7' }, 'data\n'), tail)],
  [
    'v7-owner-bytes',
    'bytes where ustar has owner names and device numbers are not read without the magic',
    tar(entry('file', { dialect: 'v7', uname: 'nobody', gname: 'nogroup', major: 3, minor: 4 }, 'data\n')),
  ],
  [
    'v7-nul-type-dir',
    'type NUL and a name that ends in / is a directory',
    tar(entry('dir/', { dialect: 'v7', type: '\0' }), entry('f', { dialect: 'v7', type: '\0' }, 'x')),
  ],
  [
    'zero-type-slash',
    "type '0' and a name that ends in / stays a regular file",
    tar(entry('dir/', { type: '0' }), tail),
  ],
  ['zero-type-slash-data', 'the same with data', tar(entry('dir/', { type: '0' }, 'data'), tail)],
  [
    'nul-type-slash-size',
    'a directory by its name with a size: its data is not skipped',
    tar(entry('dir/', { type: '\0', size: 1024 }), tail),
  ],
  [
    'nul-type-slash-by-pax',
    'type NUL whose PAX path ends in / is a directory',
    tar(pax([['path', 'long/dir/']]), entry('file', { type: '\0' }), tail),
  ],
  [
    'nul-type-slash-by-gnu-long',
    'type NUL whose GNU long name ends in / is a directory',
    tar(gnuLong('L', `${path(120)}/`), entry('file', { dialect: 'gnu', type: '\0' }), tail),
  ],
  [
    'nul-type-slash-by-prefix',
    'only the whole name counts: prefix a/, name empty',
    tar(header({ name: '', prefix: 'a', type: '\0' }), tail),
  ],
  ['ustar-name-100', 'a name of exactly 100 bytes, no NUL', file({ name: long(100) })],
  ['ustar-prefix', 'prefix and name joined by /', tar(entry('name', { prefix: 'some/prefix' }, 'data'))],
  ['ustar-prefix-155', 'a prefix of exactly 155 bytes', tar(entry(long(100), { prefix: long(155, 'p') }, 'data'))],
  ['ustar-prefix-slash', 'a prefix that ends in / gives two slashes', tar(entry('name', { prefix: 'p/' }, 'data'))],
  ['ustar-linkname-100', 'a link name of exactly 100 bytes', tar(entry('l', { type: '2', linkname: long(100) }), tail)],
  ['ustar-version-odd', 'magic ustar NUL with another version', file({ magic: 'ustar\x0099' })],
  ['ustar-owners-32', 'owner names of exactly 32 bytes', file({ uname: long(32, 'u'), gname: long(32, 'g') })],
  [
    'ustar-name-after-nul',
    'what follows a NUL in a name is dropped',
    file({ name: 'file\0rest', uname: 'u\0v', gname: '\0g' }),
  ],
  ['name-empty', 'an empty name', file({ name: '' })],
  [
    'name-raw-bytes',
    'names that are no UTF-8',
    tar(
      entry(latin1('caf\xe9\xff\x80'), { uname: latin1('\xe9'), gname: latin1('\xff\xfe') }, 'x'),
      entry(latin1('l\xe9'), { type: '2', linkname: latin1('\xf0\x28') }),
    ),
  ],
  ['name-controls', 'control characters, DEL and spaces in names', tar(entry(' a\tb\nc\x01\x7f ', {}, 'x'))],
  [
    'names-never-cleaned',
    'dots, doubled and leading slashes stay',
    tar(
      entry('./a/../b//c', {}, 'x'),
      entry('/abs', {}, 'y'),
      entry('../up', {}, 'z'),
      entry('.', { type: '5' }),
      entry('./', { type: '5' }),
    ),
  ],
  [
    'name-twice',
    'one name, three entries',
    tar(entry('f', {}, 'first'), entry('f', {}, 'second, longer'), entry('f', { type: '2', linkname: 'f' })),
  ],
  [
    'names-unicode',
    'U+2028, surrogate pairs, combining marks, NFD and NFC',
    tar(...['\u2028\u2029', '\u{1f600}', '\uff5e', 'e\u0301', '\u00e9', '<>&"\\'].map((name) => entry(name, {}, name))),
  ],
  [
    'name-prototype',
    'names that are no keys for a JavaScript object',
    tar(...['__proto__', 'constructor', '10', '9', 'toString'].map((name) => entry(name, {}, name))),
  ],
  ['gnu', 'GNU magic, no quirk', tar(entry('file', { dialect: 'gnu', uname: 'root', gname: 'root' }, 'data\n'))],
  [
    'gnu-version-odd',
    'GNU magic with another version is no GNU header: v7 then',
    tar(entry('file', { magic: 'ustar  x', uname: 'root' }, 'data\n')),
  ],
  [
    'gnu-long-name',
    'L: a name of 300 bytes',
    tar(gnuLong('L', path(300)), entry(path(300).slice(0, 100), { dialect: 'gnu' }, 'data'), tail),
  ],
  [
    'gnu-long-link',
    'K: a link name of 300 bytes',
    tar(gnuLong('K', path(300)), entry('l', { dialect: 'gnu', type: '2', linkname: 'short' }), tail),
  ],
  [
    'gnu-long-both',
    'K then L',
    tar(gnuLong('K', path(200)), gnuLong('L', path(210)), entry('l', { dialect: 'gnu', type: '1' }), tail),
  ],
  [
    'gnu-long-both-swapped',
    'L then K',
    tar(gnuLong('L', path(210)), gnuLong('K', path(200)), entry('l', { dialect: 'gnu', type: '1' }), tail),
  ],
  [
    'gnu-long-name-twice',
    'the second L wins',
    tar(gnuLong('L', path(210)), gnuLong('L', path(150)), entry('f', { dialect: 'gnu' }, 'x'), tail),
  ],
  [
    'gnu-long-name-empty',
    'an empty L takes the first one back: the header counts',
    tar(gnuLong('L', path(210)), gnuLong('L', ''), entry('f', { dialect: 'gnu' }, 'x'), tail),
  ],
  [
    'gnu-long-name-no-nul',
    'L without the NUL',
    tar(entry('././@LongLink', { dialect: 'gnu', type: 'L' }, path(150)), entry('f', { dialect: 'gnu' }, 'x')),
  ],
  [
    'gnu-long-name-nuls',
    'L cut at its first NUL',
    tar(entry('././@LongLink', { dialect: 'gnu', type: 'L' }, 'abc\0def\0'), entry('f', { dialect: 'gnu' }, 'x')),
  ],
  [
    'gnu-long-name-size-0',
    'L without data',
    tar(entry('././@LongLink', { dialect: 'gnu', type: 'L' }), entry('f', { dialect: 'gnu' }, 'x')),
  ],
  [
    'gnu-long-name-over-pax',
    'L beats the PAX path, whatever their order',
    tar(
      pax([['path', 'by-pax']]),
      gnuLong('L', 'by-gnu'),
      entry('f', {}, 'x'),
      gnuLong('L', 'by-gnu'),
      pax([['path', 'by-pax']]),
      entry('f', {}, 'y'),
    ),
  ],
  [
    'gnu-long-link-over-pax',
    'K beats the PAX linkpath',
    tar(pax([['linkpath', 'by-pax']]), gnuLong('K', 'by-gnu'), entry('l', { type: '2', linkname: 'h' }), tail),
  ],
  ['gnu-long-in-ustar', 'L with the ustar magic', tar(entry('L', { type: 'L' }, 'long-name'), entry('f', {}, 'x'))],
  [
    'gnu-long-in-v7',
    'L without a magic',
    tar(entry('L', { dialect: 'v7', type: 'L' }, 'long-name'), entry('f', {}, 'x')),
  ],
  [
    'gnu-atime-ctime',
    'atime and ctime where ustar has its prefix',
    tar(
      entry(
        'f',
        {
          dialect: 'gnu',
          patch: [
            [345, octal(1_600_000_000, 12)],
            [357, octal(1_600_000_001, 12)],
          ],
        },
        'x',
      ),
    ),
  ],
  [
    'gnu-atime-base256',
    'the same in base-256',
    tar(
      entry(
        'f',
        {
          dialect: 'gnu',
          patch: [
            [345, base256(1_600_000_000, 12)],
            [357, base256(-5, 12)],
          ],
        },
        'x',
      ),
    ),
  ],
  [
    'gnu-atime-text',
    'ASCII where atime should be is taken as a prefix (Go before 1.8 wrote that)',
    tar(entry('f', { dialect: 'gnu', patch: [[345, 'some/prefix']] }, 'x')),
  ],
  [
    'gnu-atime-raw',
    'the same with bytes beyond ASCII: no prefix',
    tar(entry('f', { dialect: 'gnu', patch: [[345, latin1('pr\xe9fix')]] }, 'x')),
  ],
  [
    'gnu-ctime-text',
    'only ctime is unreadable: the whole field is the prefix',
    tar(
      entry(
        'f',
        {
          dialect: 'gnu',
          patch: [
            [345, octal(1_600_000_000, 12)],
            [357, 'xyz'],
          ],
        },
        'x',
      ),
    ),
  ],
  [
    'gnu-ctime-text-no-atime',
    'the same with an empty atime: an empty prefix',
    tar(entry('f', { dialect: 'gnu', patch: [[357, 'xyz']] }, 'x')),
  ],
  [
    'star',
    'star: prefix of 131 bytes, atime and ctime after it',
    tar(
      entry(
        'f',
        {
          dialect: 'star',
          prefix: long(131, 'p'),
          patch: [
            [476, octal(1_600_000_000, 12)],
            [488, octal(1_600_000_001, 12)],
          ],
        },
        'x',
      ),
    ),
  ],
  [
    'star-atime-bad',
    'star with an unreadable atime',
    tar(entry('f', { dialect: 'star', patch: [[476, 'noon']] }, 'x')),
  ],
]

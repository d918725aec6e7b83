// One tar a quirk, by hand. Each recipe is [name, about, tar bytes]; the layers are packed by our own fixed-code deflate.
import { be, bytes, concat, latin1 } from '../lib/bytes.mjs'
import { base256, end, entry, gnuLong, header, octal, padded, pax, record, tar, zeros } from '../lib/tar.mjs'

const tail = entry('tail', {}, 'after')
const long = (size, character = 'n') => character.repeat(size)
const path = (size) => `${'deep/'.repeat(Math.ceil(size / 5)).slice(0, size - 1)}f`
const withPax = (records, values = {}, data = 'data\n') => tar(pax(records), entry('file', values, data), tail)
const file = (values, data = 'data\n') => tar(entry('file', values, data), tail)

/** A PAX sparse 1.0 data section: the map, padded to blocks, then the data. */
const sparseMap = (...numbers) => padded(`${numbers.join('\n')}\n`)

const dialects = [
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

const types = [
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

const links = [
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

const numbers = [
  [
    'numbers-spaces',
    'octal with leading and trailing spaces',
    file({ mode: ' 644   \0', uid: '  1750  ', gid: '\0\x0012 \0\0\0', mtime: ' 14000000000' }),
  ],
  [
    'numbers-no-nul',
    'fields filled to the last byte',
    file({ mode: '00000644', uid: '00001750', size: '000000000005', mtime: '014000000000' }),
  ],
  [
    'numbers-empty',
    'fields of NULs or spaces are zero',
    file({ mode: '\0\0\0\0\0\0\0\0', uid: '        ', mtime: ' \0 \0' }),
  ],
  ['numbers-after-nul', 'what follows an inner NUL is dropped', file({ mode: '0644\x00999', uid: '12\0x' })],
  ['numbers-not-octal', 'the digit 9', file({ mode: '0000649\0' })],
  ['numbers-sign', 'a minus sign in an octal field', file({ mtime: '-0000000001\0' })],
  ['numbers-inner-space', 'a space between digits', file({ uid: '12 34\0' })],
  ['numbers-hex', 'letters', file({ gid: '0x1f\0' })],
  [
    'numbers-base256',
    'base-256 everywhere',
    file({
      mode: base256(0o755, 8),
      uid: base256(1000, 8),
      gid: base256(3_000_000_000, 8),
      size: base256(5, 12),
      mtime: base256(1_700_000_000, 12),
      major: base256(1, 8),
      minor: base256(2, 8),
    }),
  ],
  [
    'numbers-base256-negative',
    'negative numbers',
    file({
      mode: base256(-1, 8),
      uid: base256(-2, 8),
      gid: base256(-3, 8),
      mtime: base256(-86400, 12),
      major: base256(-4, 8),
      minor: base256(-5, 8),
    }),
  ],
  [
    'numbers-base256-largest',
    'the largest number of 64 bits',
    file({ mode: [0x80, ...be(2n ** 55n - 1n, 7)], mtime: concat([0x80, 0, 0, 0], be(2n ** 63n - 1n, 8)) }),
  ],
  [
    'numbers-base256-overflow',
    'one more than 64 bits hold',
    file({ mtime: concat([0x80, 0, 0, 0], be(2n ** 63n, 8)) }),
  ],
  ['numbers-base256-overflow-high', 'bits set above 64', file({ mtime: concat([0x80, 0, 0, 1], zeros(8)) })],
  [
    'numbers-base256-bit-6',
    'the sign is bit 6 of the first byte',
    file({ mtime: concat([0xc0], Array(11).fill(0xff)) }),
  ],
  [
    'numbers-base256-smallest',
    'the smallest number of 64 bits',
    file({ mtime: concat([0xff, 0xff, 0xff, 0xff], be(-(2n ** 63n), 8)) }),
  ],
  [
    'mode-odd-bits',
    'mode bits beyond 07777 stay',
    tar(
      entry('a', { mode: 0o7777777 }, 'x'),
      entry('b', { mode: base256(2 ** 40, 8) }, 'x'),
      entry('c', { mode: 0o104755, type: '5' }),
    ),
  ],
  [
    'uid-over-32-bits',
    'uid and gid are cut to 32 bits',
    tar(
      entry('a', { uid: base256(2n ** 32n + 7n, 8), gid: base256(2n ** 33n - 1n, 8) }, 'x'),
      pax([
        ['uid', '4294967295'],
        ['gid', '4294967296'],
      ]),
      entry('b', {}, 'y'),
      pax([
        ['uid', '-1'],
        ['gid', '9223372036854775807'],
      ]),
      entry('c', {}, 'z'),
    ),
  ],
  [
    'devices-on-files',
    'device numbers are read for every type',
    tar(
      entry('a', { major: 5, minor: 6 }, 'x'),
      entry('b', { type: '5', major: 0o7777777, minor: 0o7777777 }),
      entry('c', { type: '3', major: base256(2n ** 32n, 8), minor: base256(-1, 8) }),
    ),
  ],
  ['devices-bad-on-file', 'an unreadable device number on a regular file', file({ major: 'none' })],
  [
    'devices-absent-v7',
    'a device without the magic has no numbers',
    tar(entry('c', { dialect: 'v7', type: '3', major: 1, minor: 2 })),
  ],
  ['checksum-signed', 'the checksum over signed bytes', file({ name: latin1('caf\xe9'), checksum: 'signed' })],
  [
    'checksum-unsigned-high',
    'the checksum over unsigned bytes, with bytes beyond 127',
    file({ name: latin1('caf\xe9') }),
  ],
  ['checksum-wrong', 'a wrong checksum', file({ checksum: '0000001\0' })],
  [
    'checksum-wrong-later',
    'a wrong checksum in the second header',
    tar(entry('a', {}, 'x'), entry('b', { checksum: '0000001\0' })),
  ],
  ['checksum-not-octal', 'a checksum that is no number', file({ checksum: 'checksum' })],
  ['checksum-empty', 'an empty checksum is zero: wrong', file({ checksum: zeros(8) })],
  ['checksum-spaces', 'a checksum with spaces around it', checksumWithSpaces()],
  ['size-octal-largest', 'a size of 8 GiB - 1 and no data', file({ size: 0o77777777777 })],
  ['size-64-bit', 'a size of 2^62 and no data', file({ size: base256(2n ** 62n, 12) })],
]

function checksumWithSpaces() {
  const block = header({ name: 'file', size: 1 })
  const digits = String.fromCharCode(...block.subarray(148, 154))
  return concat(
    header({
      name: 'file',
      size: 1,
      checksum: ` ${Number.parseInt(digits, 8).toString(8)}  `.slice(0, 8).padEnd(8, ' '),
    }),
    padded('x'),
    end,
  )
}

const times = [
  ['mtime-zero', '1970', file({ mtime: 0 })],
  ['mtime-negative', 'before 1970', withPax([['mtime', '-1']])],
  [
    'mtime-fraction',
    'nanoseconds without trailing zeros',
    tar(
      ...[
        '1700000000.123456789',
        '1700000000.5',
        '1700000000.000000001',
        '1700000000.100',
        '1700000000.0',
        '1700000000.',
        '1700000000.1234567891234',
      ].flatMap((mtime, i) => [pax([['mtime', mtime]]), entry(`f${i}`, {}, 'x')]),
    ),
  ],
  [
    'mtime-fraction-negative',
    'negative with a fraction',
    tar(
      ...['-1.5', '-0.5', '-1.000000001', '-86400.25'].flatMap((mtime, i) => [
        pax([['mtime', mtime]]),
        entry(`f${i}`, {}, 'x'),
      ]),
    ),
  ],
  [
    'mtime-plus',
    'a plus sign and leading zeros are accepted',
    tar(...['+5', '007', '+0', '-0'].flatMap((mtime, i) => [pax([['mtime', mtime]]), entry(`f${i}`, {}, 'x')])),
  ],
  [
    'mtime-year-0-to-9999',
    'the first and last second that RFC 3339 can say, and one beyond each',
    tar(
      ...[
        '-62167219200',
        '-62167219201',
        '-62167219200.000000001',
        '253402300799',
        '253402300799.999999999',
        '253402300800',
      ].flatMap((mtime, i) => [pax([['mtime', mtime]]), entry(`f${i}`, {}, 'x')]),
    ),
  ],
  [
    'mtime-huge',
    '64 bits of seconds',
    tar(
      ...[
        '9223372036854775807',
        '-9223372036854775808',
        '9223372036854775807.999999999',
        '9223371966579724800',
        '-9223371966579724801',
      ].flatMap((mtime, i) => [pax([['mtime', mtime]]), entry(`f${i}`, {}, 'x')]),
    ),
  ],
  ['mtime-overflow', 'one more than 64 bits', withPax([['mtime', '9223372036854775808']])],
  ['mtime-text', 'no number', withPax([['mtime', 'today']])],
  ['mtime-fraction-text', 'no digits in the fraction', withPax([['mtime', '1.2e3']])],
  ['mtime-fraction-late-text', 'a letter after the ninth digit', withPax([['mtime', '1.123456789x']])],
  ['mtime-space', 'a leading space', withPax([['mtime', ' 1']])],
  ['mtime-underscore', 'an underscore between digits', withPax([['mtime', '1_000']])],
  ['mtime-only-fraction', 'no seconds', withPax([['mtime', '.5']])],
  ['mtime-two-dots', 'two dots', withPax([['mtime', '1.2.3']])],
  ['mtime-header-base256-far', 'beyond year 9999 in the header', file({ mtime: base256(253_402_300_800, 12) })],
  ['atime-bad', 'an unreadable atime fails the layer though nothing uses it', withPax([['atime', 'x']])],
  ['ctime-bad', 'so does ctime', withPax([['ctime', '1.x']])],
  [
    'atime-ctime',
    'atime and ctime stay as records',
    withPax([
      ['atime', '1.5'],
      ['ctime', '2.5'],
      ['mtime', '3.5'],
    ]),
  ],
  [
    'mtime-leap',
    'leap days and century years',
    tar(
      ...['951782400', '951868799', '4107542400', '68169600', '-2203891200', '1709164800'].flatMap((mtime, i) => [
        pax([['mtime', mtime]]),
        entry(`f${i}`, {}, 'x'),
      ]),
    ),
  ],
]

const records = [
  ['pax-path', 'path beats the header', withPax([['path', 'by-pax']])],
  [
    'pax-path-empty',
    'an empty value keeps the header, and stays as a record',
    withPax([
      ['path', ''],
      ['linkpath', ''],
      ['uid', ''],
      ['mtime', ''],
      ['size', ''],
    ]),
  ],
  [
    'pax-path-raw',
    'values that are no UTF-8',
    withPax([
      ['path', latin1('caf\xe9\xff')],
      ['uname', latin1('\xfe')],
      ['SCHILY.xattr.user.raw', latin1('\x80\x81')],
    ]),
  ],
  [
    'pax-all-keys',
    'every key of the standard',
    withPax([
      ['path', 'p'],
      ['linkpath', 'l'],
      ['uid', '12'],
      ['gid', '34'],
      ['uname', 'u'],
      ['gname', 'g'],
      ['mtime', '5.25'],
      ['atime', '6'],
      ['ctime', '7'],
      ['comment', 'c'],
      ['charset', 'BINARY'],
      ['hdrcharset', 'ISO-IR 10646 2000 UTF-8'],
      ['size', '5'],
    ]),
  ],
  [
    'pax-hdrcharset-binary',
    'hdrcharset=BINARY changes nothing',
    withPax([
      ['hdrcharset', 'BINARY'],
      ['path', latin1('\xe9')],
    ]),
  ],
  [
    'pax-xattrs',
    'extended attributes, binary values, capabilities',
    withPax([
      ['SCHILY.xattr.security.capability', [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0]],
      ['SCHILY.xattr.user.empty', ''],
      ['SCHILY.xattr.', 'no name'],
      ['LIBARCHIVE.xattr.user.b64', 'YQ'],
      ['SCHILY.acl.access', 'user::rwx'],
    ]),
  ],
  [
    'pax-key-order',
    'records are sorted by bytes, not by UTF-16 units',
    withPax([
      ['\u{1f600}', '1'],
      ['\uff5e', '2'],
      ['b', '3'],
      ['a', '4'],
      ['A', '5'],
      ['\u00e9', '6'],
      ['aa', '7'],
      ['a.', '8'],
    ]),
  ],
  [
    'pax-key-integers',
    'keys that look like integers are not moved to the front',
    withPax([
      ['b', '1'],
      ['10', '2'],
      ['9', '3'],
      ['a', '4'],
      ['-1', '5'],
      ['01', '6'],
    ]),
  ],
  [
    'pax-key-prototype',
    'keys that are special in JavaScript',
    withPax([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['hasOwnProperty', 'z'],
      ['toString', 't'],
    ]),
  ],
  [
    'pax-key-raw',
    'keys that are no UTF-8',
    withPax([
      [latin1('\xff\xfe'), 'a'],
      [latin1('\xe9'), 'b'],
      [latin1('\xef\xbf\xbd'), 'c'],
    ]),
  ],
  [
    'pax-key-twice',
    'the last of two records counts',
    withPax([
      ['path', 'first'],
      ['comment', '1'],
      ['path', 'second'],
      ['comment', '2'],
    ]),
  ],
  [
    'pax-key-twice-empty',
    'a later empty one takes it back',
    withPax([
      ['path', 'first'],
      ['path', ''],
    ]),
  ],
  [
    'pax-key-space',
    'spaces and controls in keys',
    withPax([
      ['a b', '1'],
      [' ', '2'],
      ['\n', '3'],
      ['\t', '4'],
    ]),
  ],
  ['pax-key-empty', 'an empty key', withPax([['', 'x']])],
  ['pax-key-nul', 'NUL in a key', withPax([['a\0b', 'x']])],
  [
    'pax-value-equals',
    'the first = separates',
    withPax([
      ['comment', 'a=b=c'],
      ['x', '='],
    ]),
  ],
  [
    'pax-value-newlines',
    'newlines in a value',
    withPax([
      ['comment', '\n\n5 a=b\n'],
      ['x', '\n'],
    ]),
  ],
  [
    'pax-value-nul',
    'NUL in a value that is no name',
    withPax([
      ['comment', 'a\0b'],
      ['SCHILY.xattr.user.nul', '\0\0'],
    ]),
  ],
  ['pax-value-nul-mtime', 'NUL in a number', withPax([['mtime', '1\0']])],
  ...['path', 'linkpath', 'uname', 'gname'].map((key) => [
    `pax-value-nul-${key}`,
    `NUL in ${key}`,
    withPax([[key, 'a\0b']]),
  ]),
  [
    'pax-u2028',
    'U+2028 in keys and values',
    withPax([
      ['SCHILY.xattr.user.\u2028', '\u2029'],
      ['path', 'a\u2028b'],
    ]),
  ],
  [
    'pax-two-x',
    'of two x entries the second replaces the first',
    tar(
      pax([
        ['path', 'first'],
        ['comment', 'lost'],
      ]),
      pax([['mtime', '5']]),
      entry('file', {}, 'x'),
      tail,
    ),
  ],
  ['pax-x-empty', 'an x entry without records', tar(pax([]), entry('file', {}, 'x'), tail)],
  [
    'pax-x-empty-after-x',
    'an empty x entry takes the first back',
    tar(pax([['path', 'first']]), pax([]), entry('file', {}, 'x'), tail),
  ],
  [
    'pax-on-v7',
    'records on an entry without a magic',
    tar(
      pax([
        ['path', 'p'],
        ['uname', 'u'],
      ]),
      entry('file', { dialect: 'v7' }, 'x'),
      tail,
    ),
  ],
  [
    'pax-on-gnu',
    'records on an entry with the GNU magic',
    tar(pax([['path', 'p']], { dialect: 'gnu' }), entry('file', { dialect: 'gnu' }, 'x'), tail),
  ],
  [
    'pax-on-dir',
    'records on a directory, a link and a device',
    tar(
      pax([['path', 'd/']]),
      entry('x', { type: '5' }),
      pax([['linkpath', 'far']]),
      entry('l', { type: '2', linkname: 'near' }),
      pax([['SCHILY.devmajor', '9']]),
      entry('c', { type: '3', major: 1 }),
    ),
  ],
  [
    'pax-size',
    'size beats the header: more data',
    tar(pax([['size', '600']]), header({ name: 'file', size: 0 }), padded(long(600, 'd')), tail),
  ],
  [
    'pax-size-smaller',
    'size beats the header: less data',
    tar(pax([['size', '3']]), entry('file', { size: 512 }, 'abc'), tail),
  ],
  ['pax-size-zero', 'size 0 beats the header', tar(pax([['size', '0']]), header({ name: 'file', size: 512 }), tail)],
  ['pax-size-negative', 'a negative size', tar(pax([['size', '-1']]), entry('file', {}, 'x'), tail)],
  ['pax-size-bad', 'a size that is no number', withPax([['size', '0x10']])],
  ['pax-size-plus', 'a plus sign', withPax([['size', '+5']])],
  ['pax-size-huge', 'more than there is', withPax([['size', '9223372036854775807']])],
  ['pax-uid-bad', 'a uid that is no number', withPax([['uid', '1.5']])],
  ['pax-uid-overflow', 'a uid of more than 64 bits', withPax([['uid', '9223372036854775808']])],
  [
    'pax-uid-negative',
    'a negative uid',
    withPax([
      ['uid', '-1'],
      ['gid', '-2147483648'],
    ]),
  ],
  ['pax-record-plus-length', 'a record length with a plus sign', rawPax('+12 path=ab\n')],
  ['pax-record-zeros-length', 'a record length with leading zeros', rawPax('0000015 path=a\n')],
  ['pax-record-no-space', 'no space', rawPax('nonsense\n')],
  ['pax-record-no-equals', 'no =', rawPax('9 path=\n'.replace('=', '-'))],
  ['pax-record-no-newline', 'no newline at its end', rawPax('9 path=ax')],
  ['pax-record-short', 'a length below five', rawPax('4 a\n')],
  ['pax-record-shortest', 'the shortest record', rawPax('5 a=\n')],
  ['pax-record-too-long', 'a length beyond the data', rawPax('99 path=a\n')],
  ['pax-record-length-only', 'a length that ends within itself', rawPax('00000005 a=b\n')],
  ['pax-record-text-length', 'a length that is no number', rawPax('x path=a\n')],
  ['pax-record-huge-length', 'a length of more than 64 bits', rawPax('99999999999999999999 path=a\n')],
  ['pax-record-negative-length', 'a negative length', rawPax('-9 path=a\n')],
  [
    'pax-record-trailing-nul',
    'NULs after the last record, within the size',
    rawPax(concat(record('path', 'a'), zeros(3))),
  ],
  ['pax-record-second-bad', 'the second record is bad', rawPax(concat(record('path', 'a'), 'oops'))],
  ['pax-record-leading-space', 'a space before the length', rawPax(' 9 path=a\n')],
  ['pax-x-1-mib', 'an x entry of exactly 1 MiB', rawPax(bigRecords(1 << 20))],
  ['pax-x-over-1-mib', 'an x entry of 1 MiB and one byte', rawPax(bigRecords((1 << 20) + 1))],
  ['pax-long-path', 'a path of 5000 bytes', withPax([['path', path(5000)]])],
  [
    'gnu-long-name-1-mib',
    'an L entry of exactly 1 MiB',
    tar(
      entry('L', { dialect: 'gnu', type: 'L' }, concat('name\0', zeros((1 << 20) - 5))),
      entry('f', { dialect: 'gnu' }, 'x'),
    ),
  ],
  [
    'gnu-long-name-over-1-mib',
    'an L entry of 1 MiB and one byte',
    tar(
      entry('L', { dialect: 'gnu', type: 'L' }, concat('name\0', zeros((1 << 20) - 4))),
      entry('f', { dialect: 'gnu' }, 'x'),
    ),
  ],
  [
    'gnu-long-link-over-1-mib',
    'a K entry of 1 MiB and one byte',
    tar(
      entry('K', { dialect: 'gnu', type: 'K' }, concat('name\0', zeros((1 << 20) - 4))),
      entry('f', { dialect: 'gnu' }, 'x'),
    ),
  ],
  [
    'whiteouts',
    'whiteouts and an opaque directory',
    tar(
      entry('d/', { type: '5' }),
      entry('d/.wh..wh..opq'),
      entry('d/.wh.gone'),
      entry('.wh..wh..plnk/', { type: '5' }),
    ),
  ],
  [
    'whiteout-opaque-suffix',
    'only the suffix of a name makes it opaque',
    tar(entry('d/x.wh..wh..opq'), entry('d/.wh..wh..opq/f')),
  ],
]

function rawPax(data) {
  return tar(entry('PaxHeaders/x', { type: 'x' }, data), entry('file', {}, 'x'), tail)
}

/** One record of exactly `size` bytes, a number of seven digits. */
function bigRecords(size) {
  return record('comment', zeros(size - '1048576 comment=\n'.length).fill(0x61))
}

const sparse = [
  [
    'sparse-old-gnu',
    'GNU type S fails the layer',
    tar(
      entry(
        's',
        {
          dialect: 'gnu',
          type: 'S',
          patch: [
            [386, octal(0, 12)],
            [398, octal(4, 12)],
            [483, octal(1000, 12)],
          ],
        },
        'data',
      ),
      tail,
    ),
  ],
  [
    'sparse-0.0',
    'offset and numbytes records become one GNU.sparse.map record',
    tar(
      pax([
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.offset', '0'],
        ['GNU.sparse.numbytes', '4'],
        ['GNU.sparse.offset', '5000'],
        ['GNU.sparse.numbytes', '4'],
      ]),
      entry('s', {}, 'datadata'),
    ),
  ],
  [
    'sparse-0.0-before-tail',
    'the same before another entry: the decoder refuses',
    tar(
      pax([
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.offset', '0'],
        ['GNU.sparse.numbytes', '4'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.0-order',
    'numbytes before offset',
    tar(
      pax([
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.numbytes', '4'],
        ['GNU.sparse.offset', '0'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.0-odd',
    'an offset without numbytes',
    tar(
      pax([
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.offset', '0'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.0-comma',
    'a comma in an offset',
    tar(
      pax([
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.offset', '0,4'],
        ['GNU.sparse.numbytes', '4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.0-and-map',
    'a map record beside offset records: the records win',
    tar(
      pax([
        ['GNU.sparse.map', '9,9'],
        ['GNU.sparse.size', '4'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.offset', '0'],
        ['GNU.sparse.numbytes', '4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1',
    'name, size and map in records',
    tar(
      pax([
        ['GNU.sparse.name', 'real-name'],
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.map', '0,4,5000,4'],
        ['path', 'GNUSparseFile.1/real-name'],
      ]),
      entry('s', {}, 'datadata'),
      tail,
    ),
  ],
  [
    'sparse-0.1-dense',
    'a sparse file without a hole loads',
    tar(
      pax([
        ['GNU.sparse.name', 'real-name'],
        ['GNU.sparse.size', '4'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-no-name',
    'without a name the path counts',
    tar(
      pax([
        ['path', 'by-path'],
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-gnu-long',
    'GNU.sparse.name beats L',
    tar(
      gnuLong('L', 'by-gnu'),
      pax([
        ['GNU.sparse.name', 'by-sparse'],
        ['GNU.sparse.size', '4'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-empty-map',
    'no block at all',
    tar(
      pax([
        ['GNU.sparse.major', '0'],
        ['GNU.sparse.minor', '1'],
        ['GNU.sparse.size', '10000'],
        ['GNU.sparse.numblocks', '0'],
        ['GNU.sparse.map', ''],
      ]),
      entry('s'),
    ),
  ],
  [
    'sparse-0.1-count-wrong',
    'numblocks is not the map',
    tar(
      pax([
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-count-absent',
    'no numblocks',
    tar(
      pax([
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-overlap',
    'regions that overlap',
    tar(
      pax([
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.map', '0,4,2,4'],
      ]),
      entry('s', {}, 'datadata'),
    ),
  ],
  [
    'sparse-0.1-beyond',
    'a region beyond the size',
    tar(
      pax([
        ['GNU.sparse.size', '3'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-overflow',
    'a region that overflows 64 bits',
    tar(
      pax([
        ['GNU.sparse.size', '9223372036854775807'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '9223372036854775807,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-negative',
    'a negative region',
    tar(
      pax([
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '-1,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-size-bad',
    'an unreadable size',
    tar(
      pax([
        ['GNU.sparse.size', 'big'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-realsize',
    'realsize where size is absent',
    tar(
      pax([
        ['GNU.sparse.realsize', '77'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
    ),
  ],
  [
    'sparse-0.1-data-short',
    'the header has less data than the map says: never read, so accepted',
    tar(
      pax([
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,50'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-0.1-on-dir',
    'on a directory',
    tar(
      pax([
        ['GNU.sparse.size', '100'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('d', { type: '5' }),
      tail,
    ),
  ],
  [
    'sparse-1.0',
    'the map stands before the data, the offset after it',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'real-name'],
        ['GNU.sparse.realsize', '10000'],
      ]),
      entry('s', {}, concat(sparseMap(2, 0, 4, 5000, 4), 'datadata')),
      tail,
    ),
  ],
  [
    'sparse-1.0-dense',
    'the same without a hole',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'real-name'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('s', {}, concat(sparseMap(1, 0, 4), 'data')),
      tail,
    ),
  ],
  [
    'sparse-1.0-last',
    'as the last entry: decodes, but the data is not what the offset says',
    tar(
      tail,
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '100'],
      ]),
      entry('s', {}, concat(sparseMap(1, 90, 4), 'data')),
    ),
  ],
  [
    'sparse-1.0-map-2-blocks',
    'a map of more than one block',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '600000'],
      ]),
      entry(
        's',
        {},
        concat(sparseMap(100, ...Array.from({ length: 100 }, (_, i) => [i * 5000, 1]).flat()), long(100, 'd')),
      ),
    ),
  ],
  [
    'sparse-1.0-map-zeros',
    'leading zeros and a plus sign in the map',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('s', {}, concat(sparseMap('+01', '000', '4'), 'data')),
      tail,
    ),
  ],
  [
    'sparse-1.0-map-bad',
    'a map that is no number',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('s', {}, concat(sparseMap('one', 0, 4), 'data')),
    ),
  ],
  [
    'sparse-1.0-map-short',
    'the data ends within the map',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('s', {}, '1\n0'),
      tail,
    ),
  ],
  [
    'sparse-1.0-map-huge-count',
    'a count that no map can have',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('s', {}, sparseMap('9223372036854775807')),
    ),
  ],
  [
    'sparse-1.0-map-negative-count',
    'a negative count',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('s', {}, sparseMap('-1')),
    ),
  ],
  [
    'sparse-1.0-no-size',
    'no real size: the header counts',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
      ]),
      entry('s', {}, concat(sparseMap(1, 0, 4), 'data')),
      tail,
    ),
  ],
  [
    'sparse-1.0-on-link',
    'on a link',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', '4'],
      ]),
      entry('l', { type: '2', linkname: 'x' }),
      tail,
    ),
  ],
  [
    'sparse-2.0',
    'an unknown version is no sparse file',
    tar(
      pax([
        ['GNU.sparse.major', '2'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'n'],
        ['GNU.sparse.realsize', '9'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  [
    'sparse-1.1',
    'nor is 1.1',
    tar(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '1'],
        ['GNU.sparse.map', '0,4'],
      ]),
      entry('s', {}, 'data'),
      tail,
    ),
  ],
  ['sparse-major-only', 'nor a major alone', tar(pax([['GNU.sparse.major', '1']]), entry('s', {}, 'data'), tail)],
]

const ends = [
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

/** name, what is quirky, the tar. */
export const tars = [dialects, types, links, numbers, times, records, sparse, ends]
  .flat()
  .map(([name, about, content]) => ({ name: `tar-${name}`, about, content }))

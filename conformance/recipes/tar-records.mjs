// PAX records, well and badly formed: [name, what is quirky, the tar].
import { concat, latin1 } from '../lib/bytes.mjs'
import { entry, header, padded, pax, record, tar, zeros } from '../lib/tar.mjs'
import { long, path, tail, withPax } from './sample.mjs'

export const records = [
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

// Numbers and times, in headers and records: [name, what is quirky, the tar].
import { be, concat, latin1 } from '../lib/bytes.mjs'
import { base256, end, entry, header, padded, pax, tar, zeros } from '../lib/tar.mjs'
import { file, withPax } from './sample.mjs'

export const numbers = [
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

export const times = [
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

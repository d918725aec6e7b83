import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LayerFormatError } from '../src/error.js'
import type { Int64 } from '../src/tar/int64.js'
import { TarScanner } from '../src/tar/tar-scanner.js'
import { FILE_TYPES, type TocRecords } from '../src/ztoc/toc-records.js'
import { inPieces, PIECE_SIZES } from './pieces.js'
import {
  BLOCK,
  base256,
  END,
  entry,
  type HeaderFields,
  header,
  octal,
  padded,
  pax,
  paxRecord,
  tar,
} from './tar-build.js'

interface Entry {
  name: string
  type: string | undefined
  offset: number
  size: Int64
  linkname: string
  mode: Int64
  uid: number
  gid: number
  uname: string
  gname: string
  seconds: number
  nanoseconds: number
  devmajor: Int64
  devminor: Int64
  pax: [string, string][]
}

/** Texts as Latin-1. */
function entriesOf(records: TocRecords): Entry[] {
  const entries: Entry[] = []
  for (const record of records.forwards()) {
    const bytes = Buffer.from(record.bytes)
    let at = record.nameStart
    const text = (length: number): string => {
      at += length
      return bytes.toString('latin1', at - length, at)
    }
    const [name, linkname] = [text(record.nameLength), text(record.linknameLength)]
    const [uname, gname] = [text(record.unameLength), text(record.gnameLength)]
    const records: [string, string][] = []
    for (let i = 0; i < record.paxCount; i++) {
      const lengths = [record.uint32(at), record.uint32(at + 4)] as const
      at += 8
      records.push([text(lengths[0]), text(lengths[1])])
    }
    const { offset, size, mode, uid, gid, seconds, nanoseconds, devmajor, devminor } = record
    const type = FILE_TYPES[record.type]
    entries.push({
      name,
      type,
      offset,
      size,
      linkname,
      mode,
      uid,
      gid,
      uname,
      gname,
      seconds,
      nanoseconds,
      devmajor,
      devminor,
      pax: records,
    })
  }
  return entries
}

/** Scans it whole, in odd pieces and byte by byte, which must come to the same. */
function scan(bytes: Uint8Array): { entries: Entry[]; scanner: TarScanner } {
  const results = PIECE_SIZES.map((size) => {
    const scanner = new TarScanner()
    for (const piece of inPieces(bytes, size)) scanner.push(piece)
    scanner.end()
    return { entries: entriesOf(scanner.records), scanner }
  })
  for (const { entries, scanner } of results.slice(1)) {
    assert.deepEqual(entries, results[0]!.entries)
    assert.equal(scanner.position, results[0]!.scanner.position)
  }
  return results[0]!
}

function refused(bytes: Uint8Array, code: string, message: RegExp): void {
  for (const size of PIECE_SIZES) {
    const scanner = new TarScanner()
    assert.throws(
      () => {
        for (const piece of inPieces(bytes, size)) scanner.push(piece)
        scanner.end()
      },
      (error) => error instanceof LayerFormatError && error.code === code && message.test(error.message),
      `pieces of ${size}`,
    )
  }
}

const one = (fields: HeaderFields, data = ''): Entry => scan(tar(entry(fields, data))).entries[0]!

test('an entry of each field', () => {
  const { entries, scanner } = scan(
    tar(
      entry(
        {
          name: 'dir/file',
          mode: '0104755\0',
          uid: octal(1000, 7),
          gid: octal(1001, 7),
          mtime: octal(1700000000, 11),
          linkname: 'kept',
          uname: 'user',
          gname: 'group',
          devmajor: octal(8, 7),
          devminor: octal(1, 7),
        },
        'hello',
      ),
    ),
  )
  assert.deepEqual(entries, [
    {
      name: 'dir/file',
      type: 'reg',
      offset: 512,
      size: 5,
      linkname: 'kept',
      mode: 0o104755,
      uid: 1000,
      gid: 1001,
      uname: 'user',
      gname: 'group',
      seconds: 1700000000,
      nanoseconds: 0,
      devmajor: 8,
      devminor: 1,
      pax: [],
    },
  ])
  assert.equal(scanner.position, 512 + 512 + 1024)
  assert.ok(scanner.finished)
})

test('types: only a NUL flag and a trailing slash make a directory of a file', () => {
  const flags = ['0', '1', '2', '3', '4', '5', '6'].map((type) => one({ type }).type)
  assert.deepEqual(flags, ['reg', 'hardlink', 'symlink', 'char', 'block', 'dir', 'fifo'])
  assert.equal(one({ type: '\0', name: 'a/' }).type, 'dir')
  assert.equal(one({ type: '\0', name: 'a' }).type, 'reg')
  assert.equal(one({ type: '\0', name: '' }).type, 'reg')
  assert.equal(one({ type: '0', name: 'a/' }).type, 'reg')
})

test('types: others are refused by name', () => {
  refused(
    tar(entry({ type: '7' })),
    'TAR_UNSUPPORTED_ENTRY',
    /"name" at offset 0 has the type flag '7' \(contiguous file\)/,
  )
  refused(tar(entry({ type: 'S', dialect: 'gnu' })), 'TAR_UNSUPPORTED_ENTRY', /'S' \(GNU sparse file\)/)
  refused(tar(entry({ type: '\xff' })), 'TAR_UNSUPPORTED_ENTRY', /flag 0xff/)
  refused(tar(entry({ type: 'g' }, paxRecord('a', 'b'))), 'TAR_UNSUPPORTED_ENTRY', /'g' \(global PAX header\)/)
})

test('names: bytes as they are, prefixes, full fields without NUL', () => {
  assert.equal(one({ name: './a/../b//c' }).name, './a/../b//c')
  assert.equal(one({ name: '\xff\xfe' }).name, '\xff\xfe')
  assert.equal(one({ name: 'n'.repeat(100), linkname: 'l'.repeat(100) }).name, 'n'.repeat(100))
  assert.equal(
    one({ raw: [[345, 'p'.repeat(155)]], name: 'n'.repeat(100) }).name,
    `${'p'.repeat(155)}/${'n'.repeat(100)}`,
  )
  assert.equal(one({ raw: [[345, 'p']], name: '' }).name, 'p/')
  assert.equal(one({ dialect: 'star', raw: [[345, 's'.repeat(131)]] }).name, `${'s'.repeat(131)}/name`)
  assert.equal(one({ dialect: 'gnu', raw: [[345, 'no/time']] }).name, 'no/time/name')
  assert.equal(one({ dialect: 'gnu', raw: [[345, 'no/t\xefme']] }).name, 'name')
  assert.equal(one({ dialect: 'v7', raw: [[345, 'p']] }).name, 'name')
})

test('numbers: base 256, beyond 2^53, negative; spaces and NULs around octal digits', () => {
  assert.equal(one({ mode: base256(-1n, 8) }).mode, -1)
  assert.equal(one({ mode: base256(2n ** 54n + 1n, 8) }).mode, 2n ** 54n + 1n)
  assert.equal(one({ type: '5', size: base256(-(2n ** 63n), 12) }).size, -(2n ** 63n))
  assert.equal(one({ mtime: base256(-2n, 12) }).seconds, -2)
  assert.equal(one({ mode: ' \0 17\0 9' }).mode, 0o17)
  assert.equal(one({ mode: '77777777' }).mode, 0o77777777)
  assert.equal(one({ mode: '\0'.repeat(8) }).mode, 0)
  assert.equal(one({ uid: base256(2n ** 40n + 5n, 8) }).uid, 5)
  for (const mode of ['8', '1 7', '-1', '0x1']) refused(tar(entry({ mode })), 'TAR_INVALID', /mode field/)
  refused(tar(entry({ size: Buffer.alloc(12, 0x80) })), 'TAR_INVALID', /./)
  refused(tar(entry({ mtime: base256(2n ** 63n, 12) })), 'TAR_INVALID', /time field/)
  refused(tar(entry({ size: base256(-1n, 12) })), 'TAR_INVALID', /size -1/)
})

test('checksum: unsigned or signed, else refused with both numbers', () => {
  const block = header({ name: '\xff\xff' })
  const sum = Number.parseInt(block.toString('latin1', 148, 154), 8)
  assert.equal(one({ name: '\xff\xff', checksum: `${octal(sum - 512, 6)} ` }).name, '\xff\xff')
  refused(
    tar(entry({ checksum: '000001\0 ' })),
    'TAR_INVALID',
    /checksum field is 1, but its bytes sum to \d+ \(offset 0 of the tar\)/,
  )
  refused(tar(entry({ checksum: 'x' })), 'TAR_INVALID', /checksum field is not a number/)
})

test('v7 headers have no owner names and devices; every ustar type has device numbers', () => {
  const v7 = one({
    dialect: 'v7',
    raw: [
      [265, 'root'],
      [329, '0000007\0'],
    ],
  })
  assert.deepEqual([v7.uname, v7.devmajor], ['', 0])
  assert.equal(one({ devmajor: octal(7, 7) }).devmajor, 7)
})

test('links and directories keep their size and have no data', () => {
  const { entries } = scan(tar(entry({ type: '2', size: 1000 }), entry({ name: 'next' })))
  assert.deepEqual(
    entries.map(({ size, offset }) => [size, offset]),
    [
      [1000, 512],
      [0, 1024],
    ],
  )
})

test('GNU long names beat PAX, PAX beats the header; both are for the next entry only', () => {
  const long = entry({ type: 'L' }, 'long\0ignored')
  const link = entry({ type: 'K' }, 'target')
  const { entries } = scan(
    tar(
      pax([
        ['path', 'pax'],
        ['linkpath', 'p'],
      ]),
      long,
      link,
      entry(),
      entry({ name: 'own' }),
    ),
  )
  assert.deepEqual(
    entries.map(({ name, linkname }) => [name, linkname]),
    [
      ['long', 'target'],
      ['own', ''],
    ],
  )
  assert.deepEqual(
    entries.map((entry) => entry.pax.length),
    [2, 0],
  )
  assert.equal(scan(tar(pax([['path', 'pax']]), entry({ type: 'L' }, '\0x'), entry())).entries[0]!.name, 'pax')
})

test('PAX: values in place of the header, empty ones not, all kept in byte order of their keys, the last of a key', () => {
  const records: [string, string][] = [
    ['\xc3\xa9', 'x'],
    ['uid', '4294967297'],
    ['gid', '-1'],
    ['size', ''],
    ['uname', 'first'],
    ['uname', 'caf\xe9'],
    ['mtime', '-1.25'],
    ['2', 'b'],
    ['10', 'a'],
    ['__proto__', 'p'],
    ['SCHILY.xattr.user.a', 'with=equals\nand newline\0'],
  ]
  const { entries, scanner } = scan(tar(pax(records), entry({ gname: 'own' }, 'data')))
  const [file] = entries
  assert.deepEqual(
    [file!.uid, file!.gid, file!.size, file!.uname, file!.gname, file!.seconds, file!.nanoseconds],
    [1, 0xffffffff, 4, 'caf\xe9', 'own', -2, 750_000_000],
  )
  assert.deepEqual(
    file!.pax.map(([key]) => key),
    ['10', '2', 'SCHILY.xattr.user.a', '__proto__', 'gid', 'mtime', 'size', 'uid', 'uname', '\xc3\xa9'],
  )
  assert.equal(scanner.records.hasXattrs, true)
})

test('PAX: a second extended header replaces the first, an empty one too', () => {
  assert.deepEqual(scan(tar(pax([['path', 'a']]), pax([['uid', '7']]), entry())).entries[0]!.pax, [['uid', '7']])
  assert.equal(scan(tar(pax([['path', 'a']]), entry({ type: 'x' }), entry())).entries[0]!.name, 'name')
})

test('PAX: records that Go refuses', () => {
  const broken = [
    '5 a=b\n',
    '7 a=b\n',
    'x a=b\n',
    '6 a=bc',
    '6 a=b',
    '5 =b\n',
    '6 abc\n',
    '-6 a=b\n',
    '6\ta=b\n',
    ' 6 a=b\n',
    '10 path=\0\n',
    '6 \0=b\n',
  ]
  for (const text of broken) refused(tar(entry({ type: 'x' }, text), entry()), 'TAR_INVALID', /PAX header is invalid/)
  for (const [key, value] of [
    ['uid', 'x'],
    ['size', '9223372036854775808'],
    ['mtime', '.5'],
    ['atime', '1.x'],
    ['ctime', 'now'],
  ] as const) {
    refused(tar(pax([[key, value]]), entry()), 'TAR_INVALID', new RegExp(`"${key}" is not a valid number`))
  }
  assert.equal(scan(tar(entry({ type: 'x' }, '012 uid=000\n'), entry())).entries.length, 1)
})

test('extended headers: 1 MiB is read, a byte more is refused, however many records', () => {
  const value = 'v'.repeat(2 ** 20 - '1048576 k=\n'.length)
  assert.equal(scanWhole(tar(pax([['k', value]]), entry())).records.count, 1)
  refused(
    tar(pax([['k', `${value}v`]]), entry()).subarray(0, 4096),
    'LIMIT_EXCEEDED',
    /1048577 bytes, the limit is 1048576/,
  )
  const many = Array.from({ length: 100_000 }, (_, i): [string, string] => [String(i % 50_000), ''])
  const scanner = scanWhole(tar(pax(many), entry()))
  for (const record of scanner.records.forwards()) assert.equal(record.paxCount, 50_000)
})

const scanWhole = (bytes: Uint8Array): TarScanner => {
  const scanner = new TarScanner()
  scanner.push(bytes)
  scanner.end()
  return scanner
}

test('sparse files in PAX: name and real size, the data after a map of format 1.0', () => {
  const named: [string, string][] = [
    ['GNU.sparse.name', 'real'],
    ['GNU.sparse.realsize', '1000'],
  ]
  const v1 = scan(
    tar(
      pax([...named, ['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']]),
      entry({}, `${padded('1\n0\n4\n').toString('latin1')}data`),
    ),
  )
  assert.deepEqual(
    v1.entries.map(({ name, size, offset }) => [name, size, offset]),
    [['real', 1000, 3 * BLOCK + BLOCK]],
  )
  const v01 = scan(tar(pax([...named, ['GNU.sparse.map', '0,4'], ['GNU.sparse.numblocks', '1']]), entry({}, 'data')))
  assert.deepEqual(
    v01.entries.map(({ name, size, offset }) => [name, size, offset]),
    [['real', 1000, 3 * BLOCK]],
  )
  const v00 = scan(
    tar(
      pax([
        ['GNU.sparse.size', '9'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.offset', '0'],
        ['GNU.sparse.numbytes', '4'],
        ['GNU.sparse.offset', '9'],
        ['GNU.sparse.numbytes', '0'],
      ]),
      entry({}, 'data'),
    ),
  )
  assert.deepEqual(v00.entries[0]!.pax, [
    ['GNU.sparse.map', '0,4,9,0'],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.size', '9'],
  ])
})

test('sparse files in PAX: maps that do not fit', () => {
  const v1: [string, string][] = [
    ['GNU.sparse.realsize', '100'],
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
  ]
  const withMap = (map: string): Buffer => tar(pax(v1), entry({}, padded(map)))
  for (const map of ['1\n0\n101\n', '2\n5\n9\n0\n1\n', '1\n-1\n1\n', '1\n0\n-1\n', '1\n9223372036854775807\n1\n']) {
    refused(withMap(map), 'TAR_INVALID', /does not fit a file of 100 bytes/)
  }
  for (const map of ['x\n', '-1\n', '1\n0\nx\n']) refused(withMap(map), 'TAR_INVALID', /sparse map/)
  refused(withMap('3\n0\n'), 'TAR_INVALID', /its data ends within its sparse map/)
  refused(
    tar(pax(v1), entry({}, Buffer.alloc(2 ** 20 + 512, '0'))),
    'LIMIT_EXCEEDED',
    /longer than the limit of 1048576 bytes/,
  )
  refused(
    tar(
      pax([
        ['GNU.sparse.map', '0,1'],
        ['GNU.sparse.numblocks', '2'],
      ]),
      entry(),
    ),
    'TAR_INVALID',
    /has 2 numbers, its records count 2 pairs/,
  )
  refused(tar(pax(v1), entry({ type: '5' }, padded('0\n'))), 'TAR_INVALID', /./)
})

test('ends: clean ones and where the position is', () => {
  const file = entry({}, 'x')
  for (const [bytes, position] of [
    [Buffer.alloc(0), 0],
    [file, 1024],
    [Buffer.concat([file, Buffer.alloc(BLOCK)]), 1536],
    [Buffer.concat([file, END]), 2048],
    [Buffer.concat([file, END, Buffer.alloc(8192, 'x')]), 2048],
    [file.subarray(0, BLOCK + 1), BLOCK + 1], // in the padding
    [file.subarray(0, BLOCK + 100), BLOCK + 100],
    [Buffer.concat([file, pax([['path', 'dropped']])]), 2048],
    [Buffer.concat([file, entry({ type: 'L' }, 'dropped').subarray(0, BLOCK + 7)]), 1543],
  ] as const) {
    const { scanner, entries } = scan(bytes)
    assert.equal(scanner.position, position)
    assert.equal(entries.length, bytes.length === 0 ? 0 : 1)
  }
})

test('ends: within a header, data, an extended header, or after one block of zeros', () => {
  const file = entry({}, 'xx')
  refused(file.subarray(0, 100), 'TAR_INVALID', /ends 100 bytes into a header of 512/)
  refused(file.subarray(0, BLOCK + 1), 'TAR_INVALID', /ends 1 bytes before the end of an entry's data/)
  refused(pax([['path', 'x']]).subarray(0, BLOCK + 1), 'TAR_INVALID', /within an extended header/)
  refused(Buffer.concat([Buffer.alloc(BLOCK), Buffer.from('x')]), 'TAR_INVALID', /1 bytes into a header/)
  refused(
    Buffer.concat([Buffer.alloc(BLOCK), file]),
    'TAR_INVALID',
    /after one block of zeros .* \(offset 512 of the tar\)/,
  )
  refused(entry({ size: base256(2n ** 62n, 12) }), 'TAR_INVALID', /before the end/)
})

test('hasXattrs: SCHILY.xattr. records, and names that end as an opaque whiteout', () => {
  const has = (...parts: Buffer[]): boolean => scan(tar(...parts)).scanner.records.hasXattrs
  assert.equal(has(entry()), false)
  assert.equal(has(pax([['SCHILY.xattr', 'x']]), entry()), false)
  assert.equal(has(pax([['SCHILY.xattr.', '']]), entry(), entry()), true)
  assert.equal(has(entry({ name: 'dir/.wh..wh..opq' })), true)
  assert.equal(has(entry({ name: 'dir/x.wh..wh..opq' })), true)
  assert.equal(has(entry({ name: 'dir/.wh.file' })), false)
})

test('headers only: a segment in the middle of data is not looked at', () => {
  const scanner = new TarScanner()
  scanner.push(header({ size: octal(2 ** 33 - 1, 11) }))
  const segment = new Proxy(new Uint8Array(2 ** 20), {
    get(target, key) {
      assert.equal(key, 'length')
      return Reflect.get(target, key, target)
    },
  })
  for (let i = 0; i < 2 ** 13; i++) scanner.push(segment)
  assert.equal(scanner.position, 2 ** 33 + BLOCK)
})

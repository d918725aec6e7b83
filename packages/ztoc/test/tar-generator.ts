import { Random } from './random.js'
import { BLOCK, base256, byteSum, entry, type HeaderFields, header, octal, padded, paxRecord } from './tar-build.js'

/**
 * A tar of a few entries made of `seed`, of every dialect and with everything that a reader may trip over: odd numbers, PAX records
 * true and false, GNU long names, sparse maps, unknown types, wrong checksums, cut ends. About half of them are sound.
 * conformance/tar-fuzz.mjs asks the reference what it makes of them: a change here makes fixtures/tar-fuzz.json out of date.
 */
export function generateTar(seed: number): Buffer {
  const random = new Random(seed)
  const wild = random.below(3) === 0 // more of what is refused
  const parts: Buffer[] = []
  for (let count = random.below(6); count > 0; count--) parts.push(generateEntry(random, wild))
  parts.push(generateEnd(random))
  const tar = Buffer.concat(parts)
  if (random.below(wild ? 8 : 40) === 0) return tar.subarray(0, random.below(tar.length + 1))
  if (tar.length > 0 && random.below(40) === 0) tar[random.below(tar.length)]! ^= 1 << random.below(8)
  return tar
}

function generateEntry(random: Random, wild: boolean): Buffer {
  const parts: Buffer[] = []
  let map: string | undefined
  let isSparse = false
  if (random.below(2) === 0) {
    const records: [string, string][] = []
    if (random.below(3) === 0) {
      const sparse = generateSparse(random, wild)
      records.push(...sparse.records)
      map = sparse.map
      isSparse = true
    }
    for (let count = random.below(4); count > 0; count--) records.push(generateRecord(random, wild))
    const text = records.map(([key, value]) => damaged(random, wild, paxRecord(key, value))).join('')
    parts.push(entry({ name: 'pax', type: 'x' }, text))
  }
  if (random.below(8) === 0) {
    const name = Buffer.concat([generateName(random), generateName(random), Buffer.from(random.pick(['\0', '\0', '']))])
    parts.push(entry({ name: '././@LongLink', type: random.pick(['L', 'K']), dialect: 'gnu' }, name))
  }
  if (random.below(60) === 0) parts.push(entry({ type: 'g' }, paxRecord('comment', 'global')))

  const type = isSparse && random.below(8) > 0 ? '0' : random.pick(wild ? [...TYPES, ...ODD_TYPES] : TYPES)
  const hasData = !'123456'.includes(type)
  let data = Buffer.alloc(random.pick([0, 0, 1, 511, 512, 513, 100, 2000]), 'd')
  if (map !== undefined) data = Buffer.concat([random.below(8) > 0 ? padded(map) : Buffer.from(map, 'latin1'), data])
  const fields = generateFields(random, wild, type)
  if (hasData && (!wild || random.below(20) > 0)) fields.size = data.length
  else if (!hasData && random.below(8) > 0) fields.size = 0
  const block = header(fields)
  if (random.below(wild ? 8 : 60) === 0) {
    block[random.below(BLOCK)] = random.pick([0, 0x20, 0x30, 0x80, 0xff, random.below(256)])
    if (random.below(4) > 0) block.write(octal(byteSum(block), 6), 148, 'latin1')
  }
  parts.push(block)
  if (hasData) parts.push(padded(data))
  return Buffer.concat(parts)
}

const TYPES = ['0', '0', '0', '0', '\0', '\0', '5', '2', '1', '3', '4', '6']
const ODD_TYPES = ['7', 'S', 'V', 'D', 'Z', '\xff', 'g', ' ']

function generateFields(random: Random, wild: boolean, type: string): HeaderFields {
  const dialect = random.pick(['ustar', 'ustar', 'ustar', 'gnu', 'v7', 'star'] as const)
  const raw: [number, string | Buffer][] = []
  const prefix = generateName(random)
  if (dialect === 'ustar' && random.below(3) === 0) raw.push([345, prefix.subarray(0, 155)])
  if (dialect === 'star') {
    raw.push([345, random.pick(['', 'star/prefix', 's'.repeat(131)])])
    raw.push([476, generateNumber(random, wild, 12)], [488, generateNumber(random, wild, 12)])
  }
  if (dialect === 'gnu') {
    // Access and change time, or a ustar prefix where Go's writer put it by mistake.
    if (random.below(3) === 0) raw.push([345, generateNumber(random, true, 12)])
    if (random.below(3) === 0) raw.push([357, generateNumber(random, true, 12)])
    if (random.below(5) === 0) raw.push([345, prefix.subarray(0, 155)])
  }
  if (dialect === 'v7' && random.below(4) === 0) raw.push([257, random.pick(['ustar ', 'ustar \0\0', 'USTAR\0'])])
  if (dialect === 'ustar' && random.below(8) === 0) raw.push([263, 'xy'])
  return {
    dialect,
    type,
    raw,
    name: generateName(random),
    linkname: random.below(3) === 0 ? generateName(random) : '',
    mode: generateNumber(random, wild, 8),
    uid: generateNumber(random, wild, 8),
    gid: generateNumber(random, wild, 8),
    size: generateNumber(random, wild, 12),
    mtime: random.below(2) === 0 ? octal(random.below(2 ** 32), 11) : generateNumber(random, wild, 12),
    uname: random.pick(['root', '', 'u'.repeat(32), generateName(random)]),
    gname: random.pick(['root', '', 'wheel', generateName(random)]),
    devmajor: random.below(2) === 0 ? '' : generateNumber(random, wild, 8),
    devminor: random.below(2) === 0 ? '' : generateNumber(random, wild, 8),
  }
}

function generateName(random: Random): Buffer {
  const name = Buffer.alloc(random.pick([1, 3, 8, 20, 99, 100, 101, 155, random.below(120)]))
  for (let i = 0; i < name.length; i++) {
    const kind = random.below(60)
    name[i] = kind === 0 ? 0 : kind === 1 ? 128 + random.below(128) : random.pick([97, 98, 47, 46, 99, 32, 65])
  }
  return name
}

function generateNumber(random: Random, wild: boolean, length: number): string | Buffer {
  const small = random.pick([0, 1, 7, 0o644, 0o755, 512, 1000, 511, random.below(4000)])
  const kind = random.below(wild ? 10 : 8)
  if (kind < 5) return octal(small, length - 1)
  if (kind === 5)
    return random.pick(['\0'.repeat(length), ' '.repeat(length), '  7 \0', `7\x00${'1'.repeat(4)}`, ' \0 123\0 '])
  if (kind === 6) return '7'.repeat(length)
  if (kind === 7) return base256(randomBigint(random, Math.min(63, 8 * length - 2)), length)
  if (kind === 8) return random.pick(['7 7', '8', '-1', '+1', '0x1', '1.5', 'x'])
  const bytes = random.bytes(length)
  bytes[0]! |= 0x80
  return bytes
}

function randomBigint(random: Random, bits: number): bigint {
  const high = BigInt(random.below(2 ** 31))
  const value = BigInt.asIntN(bits, ((high << 32n) | BigInt(random.below(2 ** 32))) >> BigInt(random.below(62)))
  return random.below(4) === 0 ? -value : value
}

const KEYS = [
  ...['path', 'linkpath', 'uname', 'gname', 'uid', 'gid', 'size', 'mtime', 'atime', 'ctime', 'comment', 'foo'],
  ...['SCHILY.xattr.user.a', 'SCHILY.xattr.', '__proto__', '1', '\xff\xfe'],
]
const SPARSE_KEYS = ['map', 'name', 'major', 'minor', 'size', 'realsize', 'numblocks', 'offset', 'numbytes']
const NUMBERS = [
  ...['0', '1', '-1', '+5', '12', '512', '600', '1024', '00000000000000000000000000000001', '0000', '4294967296'],
  ...['-4294967297', '9007199254740993', '9223372036854775807', '-9223372036854775808', '253402300800', '-62167219201'],
]
const TIMES = [
  ...['1.5', '-1.5', '1.', '-0.5', '-0', '1.123456789123', '-5.000000001', '253402300799.9', '-62167219200'],
  ...['-62135596800.5', '-9223372036854775808.5', '1700000000.000100000'],
]
const TEXTS = ['', 'x', 'a/b/', 'd/', '\xc3\xa9', '\xff', '0,5', '1,2,3', 'n\0ul', '=', 'a\nb']
const BAD_NUMBERS = [
  '.5',
  '1e3',
  '0x1',
  '9223372036854775808',
  '-9223372036854775809.5',
  '1.2.3',
  '--1',
  ' 1',
  '1 ',
  '1_0',
]

function generateRecord(random: Random, wild: boolean): [string, string] {
  if (wild && random.below(3) === 0)
    return [`GNU.sparse.${random.pick(SPARSE_KEYS)}`, random.pick([...NUMBERS, ...TEXTS])]
  const key = random.pick(wild ? [...KEYS, 'a\0b'] : KEYS)
  if (wild && random.below(8) === 0) return [key, random.pick([...BAD_NUMBERS, ...TEXTS])]
  if (key.endsWith('time')) return [key, random.pick([...TIMES, ...NUMBERS, ''])]
  if (['uid', 'gid', 'size'].includes(key)) return [key, random.pick([...NUMBERS, ''])]
  return [key, random.pick(wild ? [...TEXTS, ...NUMBERS] : TEXTS.filter((text) => !text.includes('\0')))]
}

/** A record with its length spelt in another way, right or wrong. */
function damaged(random: Random, wild: boolean, record: string): string {
  if (random.below(wild ? 20 : 200) > 0) return record
  const space = record.indexOf(' ')
  const [length, rest] = [Number(record.slice(0, space)), record.slice(space)]
  const spelt = [
    `0${length + 1}`,
    `+${length + 1}`,
    `-${length}`,
    length - 1,
    length + 1,
    4,
    '',
    '9'.repeat(20),
    `${length} `,
  ]
  return random.below(8) === 0 ? `${record.slice(0, -1)}x` : `${random.pick(spelt)}${rest}`
}

function generateSparse(random: Random, wild: boolean): { records: [string, string][]; map?: string } {
  const numbers: (number | string)[] = []
  let end = 0
  for (let count = random.below(4); count > 0; count--) {
    const [offset, length] = [end + random.pick([0, 0, random.below(500)]), random.pick([0, 100, random.below(300)])]
    numbers.push(offset, length)
    end = offset + length
  }
  if (wild && numbers.length > 0 && random.below(4) === 0) {
    numbers[random.below(numbers.length)] = random.pick([-1, 9e15, '9223372036854775807', '', 'x', 0])
  }
  const pairs = String(numbers.length / 2)
  const size = String(random.pick([end, end + 100, 5000, ...(wild ? [end - 1, -1, 'x', '9223372036854775807'] : [])]))
  const name: [string, string][] = random.below(2) === 0 ? [['GNU.sparse.name', random.pick(['real', 'x/y', ''])]] : []
  const records: [string, string][] = [...name, [`GNU.sparse.${random.pick(['size', 'realsize'])}`, size]]
  const format = random.below(3)
  if (format === 0) {
    records.push(['GNU.sparse.numblocks', pairs])
    for (let i = 0; i < numbers.length; i += 2) {
      records.push(['GNU.sparse.offset', String(numbers[i])], ['GNU.sparse.numbytes', String(numbers[i + 1])])
    }
    return { records }
  }
  if (format === 1) {
    records.push(['GNU.sparse.numblocks', random.below(10) > 0 ? pairs : '7'], ['GNU.sparse.map', numbers.join(',')])
    if (random.below(3) === 0) {
      records.push(['GNU.sparse.major', '0'], ['GNU.sparse.minor', random.pick(['0', '1', '2', ''])])
    }
    return { records }
  }
  records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'])
  const lines = [pairs, ...numbers].join('\n')
  const before =
    wild && random.below(4) === 0 ? random.pick(['x\n', '-1\n', '3\n', `${'9'.repeat(18)}\n`, '0\n', '+2\n']) : ''
  return { records, map: `${before}${'0'.repeat(random.pick([0, 0, 0, 600, 1400]))}${lines}\n` }
}

function generateEnd(random: Random): Buffer {
  const kind = random.below(9)
  if (kind < 5) return Buffer.alloc(2 * BLOCK + BLOCK * random.below(3))
  if (kind === 5) return Buffer.alloc(BLOCK)
  if (kind === 6) return Buffer.alloc(0)
  if (kind === 7) return Buffer.alloc(random.below(2000))
  return Buffer.concat([Buffer.alloc(BLOCK), Buffer.alloc(random.below(600), 'x')])
}

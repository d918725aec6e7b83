// Tar headers as POSIX.1-2001 (pax) has them: what a ustar header cannot hold goes into a PAX header before it. Equal entries give equal bytes.
import type { FileEntry } from '@sociable/ztoc'

export const BLOCK_SIZE = 512
/** Two blocks of zeros end an archive. */
export const TAR_END = new Uint8Array(2 * BLOCK_SIZE)

/** An entry to write. */
export interface TarEntry {
  readonly type: 'reg' | 'dir' | 'symlink' | 'hardlink'
  /** From the root, without slashes around it; '' is the root itself. */
  readonly path: Uint8Array
  /** A symlink's target as it was written, or a hard link's path as `path`. */
  readonly linkname?: Uint8Array
  /** Whose attributes it gets, and a file's size. */
  readonly from: FileEntry
  /** Whose mode, owner and time it gets, and attributes before those of `from`. @default `from` */
  readonly header?: FileEntry | undefined
}

const TYPE_FLAGS = { reg: '0', hardlink: '1', symlink: '2', dir: '5' } as const
const NAME_SIZE = 100
const OWNER_NAME_SIZE = 32
/** What seven and eleven octal digits hold. */
const MAX_ID = 0o7777777
const MAX_NUMBER = 0o77777777777
const PERMISSIONS = 0o7777

/** PAX records that the writer makes itself, where they are needed. */
const OWN_RECORDS = ['path', 'linkpath', 'size', 'mtime', 'uid', 'gid', 'uname', 'gname', 'hdrcharset']
/** What overlayfs keeps for itself: in a layer it would hide what the layers below have, and no mount shows it. */
const OVERLAY_RECORDS = /^SCHILY\.xattr\.(?:trusted|user)\.overlay\./

/** Why an entry cannot be copied exactly; undefined where it can. @param header as `TarEntry` has it */
export function copyObstacle({ modTime, paxRecords }: FileEntry, header?: FileEntry): string | undefined {
  if (paxRecords.some(({ key }) => key.startsWith('GNU.sparse.'))) return 'it is a sparse file'
  return parseTime(header?.modTime ?? modTime) === undefined ? 'its time is outside the years 0 to 9999' : undefined
}

/** The entry's header blocks. A file's data and `padding` come behind them. @throws RangeError where `copyObstacle` has a reason */
export function encodeEntry(entry: TarEntry): Uint8Array {
  const { type, path, linkname, from: content, header: from = content } = entry
  const time = parseTime(from.modTime)
  if (time === undefined) throw new RangeError(`the time "${from.modTime}" cannot be written`)
  const size = type === 'reg' ? content.size : 0
  const name = path.length === 0 ? Buffer.from('./') : type === 'dir' ? Buffer.concat([path, Buffer.from('/')]) : path
  const [seconds, isWhole] = [Number(time / NANO), time % NANO === 0n]
  const records = keptRecords(content, from)
  const record = (key: string, value: string | Uint8Array): void => {
    records.push([Buffer.from(key), typeof value === 'string' ? Buffer.from(value) : value])
  }
  if (name.length > NAME_SIZE) record('path', name)
  if (linkname !== undefined && linkname.length > NAME_SIZE) record('linkpath', linkname)
  if (size > MAX_NUMBER) record('size', String(size))
  if (!isWhole || seconds < 0 || seconds > MAX_NUMBER) record('mtime', formatTime(time))
  if (from.uid > MAX_ID) record('uid', String(from.uid))
  if (from.gid > MAX_ID) record('gid', String(from.gid))
  const [uname, gname] = [Buffer.from(from.uname), Buffer.from(from.gname)]
  if (uname.length > OWNER_NAME_SIZE) record('uname', uname)
  if (gname.length > OWNER_NAME_SIZE) record('gname', gname)
  const header = encodeHeader({
    name,
    mode: from.mode & PERMISSIONS,
    uid: from.uid > MAX_ID ? 0 : from.uid,
    gid: from.gid > MAX_ID ? 0 : from.gid,
    size: size > MAX_NUMBER ? 0 : size,
    time: Math.min(Math.max(seconds, 0), MAX_NUMBER),
    type: TYPE_FLAGS[type],
    linkname: linkname ?? new Uint8Array(0),
    uname,
    gname,
  })
  return records.length === 0 ? header : Buffer.concat([encodePax(records), header])
}

type Record = readonly [key: Uint8Array, value: Uint8Array]

/** The PAX records of an entry that are copied: of the content, but attributes that a later name's header has are that one's. */
export function keptRecords(content: FileEntry, header: FileEntry): Record[] {
  const later = header === content ? [] : header.paxRecords.filter(({ key }) => key.startsWith('SCHILY.xattr.'))
  const earlier = content.paxRecords.filter(({ key }) => !later.some((other) => other.key === key))
  return [...earlier, ...later]
    .filter(({ key }) => !OWN_RECORDS.includes(key) && !OVERLAY_RECORDS.test(key))
    .map(({ keyBytes, valueBytes }) => [keyBytes, valueBytes])
}

/** Zeros between a file's data and the next header. */
export function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE)
}

interface Header {
  readonly name: Uint8Array
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly time: number
  readonly type: string
  readonly linkname: Uint8Array
  readonly uname: Uint8Array
  readonly gname: Uint8Array
}

function encodeHeader({ name, mode, uid, gid, size, time, type, linkname, uname, gname }: Header): Uint8Array {
  const block = Buffer.alloc(BLOCK_SIZE)
  const octal = (value: number, at: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  }
  block.set(name.subarray(0, NAME_SIZE), 0)
  octal(mode, 100, 7)
  octal(uid, 108, 7)
  octal(gid, 116, 7)
  octal(size, 124, 11)
  octal(time, 136, 11)
  block.write('        ', 148, 'latin1') // the checksum counts as spaces
  block.write(type, 156, 'latin1')
  block.set(linkname.subarray(0, NAME_SIZE), 157)
  block.write('ustar\x0000', 257, 'latin1')
  block.set(uname.subarray(0, OWNER_NAME_SIZE), 265)
  block.set(gname.subarray(0, OWNER_NAME_SIZE), 297)
  octal(0, 329, 7)
  octal(0, 337, 7)
  let sum = 0
  for (let i = 0; i < BLOCK_SIZE; i++) sum += block[i]!
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A PAX header with its records in byte order, as Go writes them. */
function encodePax(records: readonly Record[]): Uint8Array {
  const data = Buffer.concat(
    [...records]
      .sort(([a], [b]) => Buffer.compare(a, b))
      .map(([key, value]) => {
        const rest = key.length + value.length + 3 // a space, an equals sign, a newline
        let length = rest + String(rest).length
        if (rest + String(length).length !== length) length++
        return Buffer.concat([Buffer.from(`${length} `), key, Buffer.from('='), value, Buffer.from('\n')])
      }),
  )
  const header = encodeHeader({
    name: Buffer.from('PaxHeaders.0/entry'),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: data.length,
    time: 0,
    type: 'x',
    linkname: new Uint8Array(0),
    uname: new Uint8Array(0),
    gname: new Uint8Array(0),
  })
  return Buffer.concat([header, data, padding(data.length)])
}

const NANO = 1_000_000_000n

/** An RFC 3339 time in nanoseconds since 1970. */
function parseTime(text: string): bigint | undefined {
  const [, seconds, fraction = '', zone] = /^([\d-]+T[\d:]+)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  const milliseconds = Date.parse(`${seconds}${zone}`)
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

/** As PAX has times: seconds, with as many decimals as there are. */
function formatTime(time: bigint): string {
  const size = time < 0n ? -time : time
  const fraction = String(size % NANO)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${time < 0n ? '-' : ''}${size / NANO}${fraction === '' ? '' : `.${fraction}`}`
}

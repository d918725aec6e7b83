import { Buffer } from 'node:buffer'

export const BLOCK = 512

export interface HeaderFields {
  name?: string | Buffer
  mode?: string | Buffer
  uid?: string | Buffer
  gid?: string | Buffer
  size?: number | string | Buffer
  mtime?: string | Buffer
  /** One character, Latin-1. */
  type?: string
  linkname?: string | Buffer
  dialect?: 'v7' | 'ustar' | 'gnu' | 'star'
  uname?: string | Buffer
  gname?: string | Buffer
  devmajor?: string | Buffer
  devminor?: string | Buffer
  /** Raw bytes put in last, before the checksum. */
  raw?: readonly (readonly [at: number, bytes: string | Buffer])[]
  /** Replaces the checksum field. */
  checksum?: string
}

/** A header block as it is asked for, sound or not; texts are Latin-1. */
export function header(fields: HeaderFields = {}): Buffer {
  const block = Buffer.alloc(BLOCK)
  const put = (at: number, length: number, value: string | Buffer): void => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
    bytes.copy(block, at, 0, Math.min(length, bytes.length))
  }
  const dialect = fields.dialect ?? 'ustar'
  const size = fields.size ?? 0
  put(0, 100, fields.name ?? 'name')
  put(100, 8, fields.mode ?? '0000644\0')
  put(108, 8, fields.uid ?? '0000000\0')
  put(116, 8, fields.gid ?? '0000000\0')
  put(124, 12, typeof size === 'number' ? octal(size, 11) : size)
  put(136, 12, fields.mtime ?? '00000000000\0')
  put(156, 1, fields.type ?? '0')
  put(157, 100, fields.linkname ?? '')
  if (dialect !== 'v7') {
    put(257, 8, dialect === 'gnu' ? 'ustar  \0' : 'ustar\x0000')
    put(265, 32, fields.uname ?? '')
    put(297, 32, fields.gname ?? '')
    put(329, 8, fields.devmajor ?? '')
    put(337, 8, fields.devminor ?? '')
  }
  if (dialect === 'star') put(508, 4, 'tar\0')
  for (const [at, bytes] of fields.raw ?? []) put(at, BLOCK - at, bytes)
  put(148, 8, fields.checksum ?? octal(byteSum(block), 6).concat(' '))
  return block
}

export function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`
}

/** The checksum: its own field counts as spaces. */
export function byteSum(block: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i] as number
  return sum
}

/** Two's complement in base 256, marked by the first bit. */
export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let rest = BigInt.asUintN(8 * length, value)
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  bytes[0]! |= 0x80
  return bytes
}

export function padded(data: string | Buffer): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

/** An entry with its data. */
export function entry(fields: HeaderFields = {}, data: string | Buffer = ''): Buffer {
  return Buffer.concat([header({ size: data.length, ...fields }), padded(data)])
}

/** `<length> <key>=<value>\n`, texts as Latin-1. */
export function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

/** An extended header of these records. */
export function pax(records: readonly (readonly [string, string])[], fields: HeaderFields = {}): Buffer {
  return entry({ name: 'pax', type: 'x', ...fields }, records.map(([key, value]) => paxRecord(key, value)).join(''))
}

export const END = Buffer.alloc(2 * BLOCK)

export function tar(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, END])
}

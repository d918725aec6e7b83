// Tars and gzip streams with the same bytes on every machine: zlib's own output differs between versions of Node.
import { createHash } from 'node:crypto'

export interface TarEntry {
  readonly name: string
  readonly content?: Uint8Array | string
  /** ustar type flag. @default '0', or '5' where the name ends with a slash */
  readonly type?: string
  readonly linkname?: string
  readonly mode?: number
  /** What the header says. @default the content's length */
  readonly size?: number
  readonly xattrs?: Readonly<Record<string, string>>
  /** Other PAX records. */
  readonly pax?: Readonly<Record<string, string>>
}

/** A ustar archive; extended attributes go into PAX records. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = []
  for (const {
    name,
    content = '',
    type,
    linkname = '',
    mode = 0o644,
    size,
    xattrs = {},
    pax: others = {},
  } of entries) {
    const data = Buffer.from(content)
    const records = [
      ...Object.entries(xattrs).map(([key, value]) => paxRecord(`SCHILY.xattr.${key}`, value)),
      ...Object.entries(others).map(([key, value]) => paxRecord(key, value)),
    ]
    if (records.length > 0) {
      const pax = Buffer.concat(records)
      blocks.push(header('pax', 'x', 0o644, pax.length, ''), padded(pax))
    }
    const flag = type ?? (name.endsWith('/') ? '5' : '0')
    blocks.push(header(name, flag, mode, size ?? data.length, linkname), padded(data))
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function header(name: string, type: string, mode: number, size: number, linkname: string): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, '0')
  block.write(name, 0, 100)
  block.write(octal(mode, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(size, 12), 124)
  block.write(octal(1_600_000_000, 12), 136)
  block.write('        ', 148)
  block.write(type, 156)
  block.write(linkname, 157, 100)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length++
  return Buffer.from(`${length} ${key}=${value}\n`)
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)])
}

/** A gzip stream of stored blocks, each of which may start a span. */
export function gzip(data: Uint8Array, blockSize = 700): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])]
  for (let start = 0; start === 0 || start < data.length; start += blockSize) {
    const block = data.subarray(start, start + blockSize)
    const head = Buffer.alloc(5)
    head[0] = start + blockSize >= data.length ? 1 : 0
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(0xffff ^ block.length, 3)
    parts.push(head, Buffer.from(block))
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(data), 0)
  trailer.writeUInt32LE(data.length >>> 0, 4)
  return Buffer.concat([...parts, trailer])
}

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** Bytes that look random and are the same for the same seed. */
export function noise(length: number, seed: string): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

/** The files of a tar that `tar` made. */
export function untar(archive: Uint8Array): { name: string; content: Buffer }[] {
  const bytes = Buffer.from(archive)
  const files: { name: string; content: Buffer }[] = []
  for (let at = 0; bytes[at] !== 0; ) {
    const name = bytes.toString('utf8', at, at + 100).replace(/\0.*$/s, '')
    const size = Number.parseInt(bytes.toString('utf8', at + 124, at + 135), 8)
    files.push({ name, content: bytes.subarray(at + 512, at + 512 + size) })
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

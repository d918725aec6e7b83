// Tars by hand, block by block, so that every quirk can be written, valid or not.
import { be, bytes, concat } from './bytes.mjs'

const BLOCK = 512
const zeros = (size) => new Uint8Array(size)

/** Offsets and sizes of a header's fields. */
const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
}
const numeric = new Set(['mode', 'uid', 'gid', 'size', 'mtime', 'major', 'minor'])
const magics = { ustar: 'ustar\x0000', gnu: 'ustar  \0', v7: '', star: 'ustar\x0000' }

/** Octal digits, zero-filled, with a NUL at the end, in a field of `size` bytes. */
export function octal(value, size) {
  return bytes(`${value.toString(8).padStart(size - 1, '0')}\0`)
}

/** GNU's base-256: the top bit of the first byte says so. */
export function base256(value, size) {
  const field = be(value, size)
  field[0] |= 0x80
  return field
}

/**
 * One header block. Numbers are written in octal, strings and bytes raw; `dialect` chooses the magic; `patch` is a list of
 * [offset, bytes] written over the rest before the checksum; `checksum` is 'unsigned' (default), 'signed', or raw.
 */
export function header({ dialect = 'ustar', patch = [], checksum = 'unsigned', ...values }) {
  const block = zeros(BLOCK)
  const all = {
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 1_700_000_000,
    type: '0',
    magic: magics[dialect],
    ...values,
  }
  if (dialect !== 'v7') Object.assign(all, { major: 0, minor: 0, ...values })
  for (const [field, value] of Object.entries(all)) {
    const place = fields[field]
    if (!place) throw new Error(`no header field ${field}`)
    const [offset, size] = place
    const raw = numeric.has(field) && typeof value === 'number' ? octal(value, size) : bytes(value)
    if (raw.length > size) throw new Error(`${field} does not fit: ${raw.length} > ${size}`)
    block.set(raw, offset)
  }
  if (dialect === 'star') block.set(bytes('tar\0'), 508)
  for (const [offset, raw] of patch) block.set(bytes(raw), offset)
  if (typeof checksum !== 'string' || !['unsigned', 'signed'].includes(checksum)) {
    block.set(bytes(checksum), 148)
    return block
  }
  let sum = 0
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 32 : block[i]
    sum += checksum === 'signed' && byte > 127 ? byte - 256 : byte
  }
  block.set(bytes(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  return block
}

/** Data with its padding to whole blocks. */
export function padded(data) {
  const raw = bytes(data)
  return concat(raw, zeros(-raw.length & (BLOCK - 1)))
}

/** A header and its data; `size` is the data's unless given. */
export function entry(name, values = {}, data = '') {
  return concat(header({ name, size: bytes(data).length, ...values }), padded(data))
}

/** One PAX record, its length counting itself. */
export function record(key, value) {
  const body = concat(' ', key, '=', value, '\n')
  let size = body.length + 1
  while (String(size).length + body.length !== size) size = String(size).length + body.length
  return concat(String(size), body)
}

/** A PAX extended header entry of records, each [key, value] or 'key=value', or of raw bytes. */
export function pax(records, values = {}) {
  const pair = (item) =>
    typeof item === 'string' ? [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)] : item
  const data = Array.isArray(records) ? concat(records.map((item) => record(...pair(item)))) : bytes(records)
  return entry('PaxHeaders/x', { type: 'x', ...values }, data)
}

/** A GNU long name (L) or long link (K) entry. */
export function gnuLong(type, name) {
  return entry('././@LongLink', { dialect: 'gnu', type }, concat(name, '\0'))
}

/** The two zero blocks that end a tar. */
export const end = zeros(2 * BLOCK)
export { zeros }

/** A whole tar: parts and the end. */
export function tar(...parts) {
  return concat(...parts, end)
}

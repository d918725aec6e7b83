import { bytes, concat, le } from './bytes.mjs'
import { deflate } from './deflate.mjs'

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

export function crc32(data) {
  let crc = 0xffffffff
  for (const byte of data) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

export function adler32(data) {
  let a = 1
  let b = 0
  for (const byte of data) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return ((b << 16) | a) >>> 0
}

const FLAGS = { text: 1, hcrc: 2, extra: 4, name: 8, comment: 16 }

/** A gzip header; `hcrc: true` computes the header's checksum, a number writes that one; `flags` are or-ed in. */
export function gzipHeader({
  text,
  hcrc,
  extra,
  name,
  comment,
  flags = 0,
  mtime = 0,
  xfl = 0,
  os = 255,
  method = 8,
  magic = [0x1f, 0x8b],
} = {}) {
  if (text) flags |= FLAGS.text
  if (hcrc !== undefined) flags |= FLAGS.hcrc
  if (extra !== undefined) flags |= FLAGS.extra
  if (name !== undefined) flags |= FLAGS.name
  if (comment !== undefined) flags |= FLAGS.comment
  const parts = [magic, [method, flags], le(mtime, 4), [xfl, os]]
  if (extra !== undefined) parts.push(le(bytes(extra).length, 2), extra)
  if (name !== undefined) parts.push(name, [0])
  if (comment !== undefined) parts.push(comment, [0])
  const header = concat(...parts)
  if (hcrc === undefined) return header
  return concat(header, le(hcrc === true ? crc32(header) & 0xffff : hcrc, 2))
}

/** A gzip member of the data; `deflated` replaces the compressed stream, `crc` and `isize` the trailer's numbers. */
export function gzip(data, { deflated, crc, isize, block, ...header } = {}) {
  const raw = bytes(data)
  return concat(
    gzipHeader(header),
    deflated ?? deflate(raw, { block }),
    le(crc ?? crc32(raw), 4),
    le(isize ?? raw.length % 2 ** 32, 4),
  )
}

/** The data as a zlib stream. */
export function zlib(data) {
  const raw = bytes(data)
  return concat([0x78, 0x01], deflate(raw), le(adler32(raw), 4).reverse())
}

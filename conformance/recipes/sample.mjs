// What the recipes share: entries, small tars, and ways to cut and pack them.
import { concat, prose } from '../lib/bytes.mjs'
import { DeflateWriter } from '../lib/deflate.mjs'
import { gzip } from '../lib/gzip.mjs'
import { entry, pax, tar } from '../lib/tar.mjs'

/** Stands after a quirky entry, so that a wrong offset shows. */
export const tail = entry('tail', {}, 'after')

/** `size` times one character. */
export const long = (size, character = 'n') => character.repeat(size)

/** A path of `size` bytes. */
export const path = (size) => `${'deep/'.repeat(Math.ceil(size / 5)).slice(0, size - 1)}f`

/** A tar of one file with these header fields. */
export const file = (values, data = 'data\n') => tar(entry('file', values, data), tail)

/** A tar of one file with these PAX records. */
export const withPax = (records, values = {}, data = 'data\n') => tar(pax(records), entry('file', values, data), tail)

/** The smallest tar with a file: 2 KiB. */
export const tiny = tar(entry('f', {}, 'x'))

/** A tar of 4.5 KiB. */
export const small = tar(entry('a', {}, prose(7, 3000)), entry('b', {}, 'second file\n'), entry('empty'))

/** A tar of about 130 KiB that compresses well: several windows. */
export const large = tar(
  entry('a', {}, repeat(prose(8, 5000), 70_000)),
  entry('b', {}, repeat(prose(9, 3000), 60_000)),
  entry('c', {}, 'end\n'),
)

/** The piece again and again, `size` bytes in all. */
export function repeat(piece, size) {
  const result = new Uint8Array(size)
  for (let i = 0; i < size; i += piece.length) result.set(piece.subarray(0, Math.min(piece.length, size - i)), i)
  return result
}

/** Cuts into pieces at the offsets. */
export function cut(data, ...offsets) {
  return [...offsets, data.length].map((to, i) => data.subarray(i === 0 ? 0 : offsets[i - 1], to))
}

/** The tar as one member whose deflate stream `write` makes. */
export function stream(write, data = small) {
  const writer = new DeflateWriter()
  write(writer, data)
  return gzip(data, { deflated: writer.finish() })
}

/** A member of stored blocks, one a part. */
export function inStored(parts) {
  const writer = new DeflateWriter()
  for (const part of parts) writer.stored(part, { last: part === parts.at(-1) })
  return gzip(concat(parts), { deflated: writer.finish() })
}

/** Span sizes for quirks of the stream, and for those that spans do not touch. */
export const spans = [0, 1, 512, 32768, 4194304]
export const few = [1, 4194304]

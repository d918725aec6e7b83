// The framing around deflate data: gzip members (RFC 1952), and zlib streams (RFC 1950) where the reference lets them follow a gzip member.
// What is accepted is what zlib's inflate accepts with window bits 47 (32 KiB, gzip or zlib by the header).
import { crc32 } from 'node:zlib'
import { LayerFormatError } from '../error.js'

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16
const RESERVED = 0xe0

/** The longest FNAME or FCOMMENT, in bytes without the terminating zero, that Go's compress/gzip reads. */
export const GO_STRING_LIMIT = 511

/** What zlib takes and Go's compress/gzip does not: a zlib stream in a gzip member's place, a name or comment of more than 511 bytes. */
export const REFUSED_BY_GO = ['zlib', 'FNAME', 'FCOMMENT'] as const
export type RefusedByGo = (typeof REFUSED_BY_GO)[number]

export interface MemberHeader {
  readonly format: 'gzip' | 'zlib'
  readonly refusedByGo: RefusedByGo | undefined
}

/** Reads a member's header byte by byte, in as many calls as the bytes take to come. */
export class HeaderReader {
  #steps = this.#read()
  #bytes = 0
  #checked = false // whether this header has a CRC
  #crc = 0

  /** True while no byte of a header has been read. */
  get untouched(): boolean {
    return this.#bytes === 0
  }

  /** Takes bytes until the header is whole; undefined when `next` gave -1 before. `at` is the offset of the header's first byte, for messages. */
  read(next: () => number, at: () => number): MemberHeader | undefined {
    if (this.#bytes === 0) {
      this.#steps = this.#read()
      this.#steps.next()
    }
    for (let byte = next(); byte >= 0; byte = next()) {
      this.#bytes++
      if (this.#checked) this.#crc = crc32(Uint8Array.of(byte), this.#crc)
      let step: IteratorResult<void, MemberHeader>
      try {
        step = this.#steps.next(byte)
      } catch (cause) {
        if (!(cause instanceof HeaderError)) throw cause
        throw new LayerFormatError('GZIP_CORRUPT', `${cause.message}, in the header at byte ${at() - this.#bytes}`)
      }
      if (step.done) {
        this.#bytes = 0
        return step.value
      }
    }
    return undefined
  }

  *#read(): Generator<void, MemberHeader, number> {
    this.#checked = false
    const first = yield
    const second = yield
    if (first !== 0x1f || second !== 0x8b) {
      if (((first << 8) | second) % 31 !== 0 || (first & 15) !== 8 || first >> 4 > 7)
        throw new HeaderError(`neither a gzip member nor a zlib stream (bytes ${hex(first)} ${hex(second)})`)
      if (second & 0x20) throw new HeaderError('a zlib stream with a preset dictionary')
      return { format: 'zlib', refusedByGo: 'zlib' }
    }
    const method = yield
    if (method !== 8) throw new HeaderError(`unknown compression method ${method}`)
    const flags = yield
    if (flags & RESERVED) throw new HeaderError(`reserved header flags ${hex(flags)}`)
    if (flags & FHCRC) {
      this.#checked = true
      this.#crc = crc32(Uint8Array.of(first, second, method, flags))
    }
    for (let i = 0; i < 6; i++) yield // MTIME, XFL, OS
    let refusedByGo: RefusedByGo | undefined
    if (flags & FEXTRA) {
      const length = (yield) | ((yield) << 8)
      for (let i = 0; i < length; i++) yield
    }
    for (const [flag, name] of [
      [FNAME, 'FNAME'],
      [FCOMMENT, 'FCOMMENT'],
    ] as const) {
      if (!(flags & flag)) continue
      let length = 0
      while ((yield) !== 0) length++
      if (length > GO_STRING_LIMIT) refusedByGo = name
    }
    if (flags & FHCRC) {
      const expected = this.#crc & 0xffff
      this.#checked = false
      const stored = (yield) | ((yield) << 8)
      if (stored !== expected) throw new HeaderError(`header CRC ${hex(stored)}, computed ${hex(expected)}`)
    }
    return { format: 'gzip', refusedByGo }
  }
}

class HeaderError extends Error {}

const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`

export interface MemberTrailer {
  /** CRC-32 of the member's output for gzip, Adler-32 for zlib. */
  readonly check: number
  /** Length of the member's output modulo 2^32; undefined for zlib, which has none. */
  readonly size: number | undefined
}

/** Reads what follows a member's deflate data. */
export class TrailerReader {
  readonly #bytes: number[] = []

  /** Undefined when `next` gave -1 before the trailer was whole. */
  read(format: MemberHeader['format'], next: () => number): MemberTrailer | undefined {
    const length = format === 'gzip' ? 8 : 4
    while (this.#bytes.length < length) {
      const byte = next()
      if (byte < 0) return undefined
      this.#bytes.push(byte)
    }
    const view = new DataView(Uint8Array.from(this.#bytes.splice(0)).buffer)
    return format === 'gzip'
      ? { check: view.getUint32(0, true), size: view.getUint32(4, true) }
      : { check: view.getUint32(0, false), size: undefined }
  }
}

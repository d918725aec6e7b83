// ELF: what the kernel and the dynamic linker read of a program or library. https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html

import type { ByteRange } from '../profile.js'

export interface Elf {
  /** Class, byte order and machine: only files of the same kind are loaded together. */
  readonly kind: string
  readonly interpreter: string | undefined
  readonly needed: readonly string[]
  readonly rpath: readonly string[]
  readonly runpath: readonly string[]
}

/** Reads bytes [start, end) of the file; fewer where it ends earlier. */
export type ReadBytes = (start: number, end: number) => Promise<Buffer | undefined>

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NEEDED = 1
const DT_STRTAB = 5
const DT_RPATH = 15
const DT_RUNPATH = 29

// Far more than any linker writes
const MAX_SEGMENTS = 256
const MAX_DYNAMIC_SIZE = 1 << 18
const MAX_NEEDED = 1024
const MAX_STRING = 4096

/** A file's header, and how its numbers are written. */
interface ElfHeader {
  readonly header: Buffer
  readonly is64: boolean
  readonly u16: (bytes: Buffer, at: number) => number
  readonly u32: (bytes: Buffer, at: number) => number
  /** An address, offset or size. */
  readonly word: (bytes: Buffer, at: number) => number
}

async function readHeader(read: ReadBytes): Promise<ElfHeader | undefined> {
  const header = await read(0, 64)
  if (header === undefined || header.length < 52 || header.readUInt32BE(0) !== 0x7f454c46) return undefined
  const is64 = header[4] === 2
  const isLittle = header[5] === 1
  if ((is64 && header.length < 64) || (!is64 && header[4] !== 1)) return undefined
  const u32 = (b: Buffer, at: number): number => (isLittle ? b.readUInt32LE(at) : b.readUInt32BE(at))
  return {
    header,
    is64,
    u16: (b, at) => (isLittle ? b.readUInt16LE(at) : b.readUInt16BE(at)),
    u32,
    word: (b, at) => (is64 ? Number(isLittle ? b.readBigUInt64LE(at) : b.readBigUInt64BE(at)) : u32(b, at)),
  }
}

/** Undefined for a file that is not ELF, or damaged. */
export async function readElf(read: ReadBytes): Promise<Elf | undefined> {
  const elf = await readHeader(read)
  if (elf === undefined) return undefined
  const { header, is64, u16, u32, word } = elf
  const segmentsAt = word(header, is64 ? 32 : 28)
  const segmentSize = u16(header, is64 ? 54 : 42)
  const segmentCount = u16(header, is64 ? 56 : 44)
  if (segmentSize < (is64 ? 56 : 32) || segmentCount > MAX_SEGMENTS || !Number.isSafeInteger(segmentsAt))
    return undefined
  const table = await read(segmentsAt, segmentsAt + segmentSize * segmentCount)
  if (table === undefined || table.length < segmentSize * segmentCount) return undefined
  const segments = Array.from({ length: segmentCount }, (_, i) => {
    const at = i * segmentSize
    return {
      type: u32(table, at),
      offset: word(table, at + (is64 ? 8 : 4)),
      address: word(table, at + (is64 ? 16 : 8)),
      size: word(table, at + (is64 ? 32 : 16)),
    }
  })
  const stringAt = async (at: number): Promise<string> => {
    const bytes = Number.isSafeInteger(at) ? await read(at, at + MAX_STRING) : undefined
    const end = bytes?.indexOf(0) ?? -1
    return end < 0 ? '' : bytes!.toString('utf8', 0, end)
  }
  const interpreter = segments.find(({ type }) => type === PT_INTERP)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  const found = { needed: [] as number[], rpath: [] as number[], runpath: [] as number[], strings: -1 }
  if (dynamic !== undefined && Number.isSafeInteger(dynamic.offset)) {
    const size = is64 ? 16 : 8
    const bytes = await read(dynamic.offset, dynamic.offset + Math.min(dynamic.size, MAX_DYNAMIC_SIZE))
    for (let at = 0; bytes !== undefined && at + size <= bytes.length; at += size) {
      const tag = word(bytes, at)
      const value = word(bytes, at + size / 2)
      if (tag === 0) break
      if (tag === DT_NEEDED && found.needed.length < MAX_NEEDED) found.needed.push(value)
      else if (tag === DT_STRTAB) found.strings = value
      else if (tag === DT_RPATH) found.rpath.push(value)
      else if (tag === DT_RUNPATH) found.runpath.push(value)
    }
  }
  const load = segments.find(
    ({ type, address, size }) => type === PT_LOAD && found.strings >= address && found.strings < address + size,
  )
  const strings = load === undefined ? Number.NaN : found.strings - load.address + load.offset
  const texts = async (offsets: readonly number[]): Promise<string[]> => {
    const all: string[] = []
    for (const offset of offsets) all.push(await stringAt(strings + offset))
    return all.filter((text) => text !== '')
  }
  const folders = async (offsets: readonly number[]): Promise<string[]> =>
    (await texts(offsets)).flatMap((text) => text.split(':')).filter((folder) => folder !== '')
  return {
    kind: `${header[4]} ${header[5]} ${u16(header, 18)}`,
    interpreter: interpreter === undefined ? undefined : (await stringAt(interpreter.offset)) || undefined,
    needed: await texts(found.needed),
    rpath: await folders(found.rpath),
    runpath: await folders(found.runpath),
  }
}

/** Sections that are mapped but read only when an exception is thrown, or by a GPU's driver. */
const UNREAD = /^(?:\.eh_frame|\.gcc_except_table|\.ARM\.extab|\.nv_fatbin|__nv_relfatbin|\.hip_fatbin)$/
const SHF_ALLOC = 2
const SHT_NOBITS = 8
const MAX_SECTIONS = 4096
const MAX_NAMES_SIZE = 1 << 18

/**
 * The parts of a program or library that a start may read, as sorted half-open ranges: what is mapped into memory, without tables for exceptions and code for
 * GPUs. Symbols for debuggers and the table of sections are not mapped. Undefined where the file does not list its sections.
 */
export async function mappedParts(read: ReadBytes, size: number): Promise<ByteRange[] | undefined> {
  const elf = await readHeader(read)
  if (elf === undefined) return undefined
  const { header, is64, u16, u32, word } = elf
  const at = word(header, is64 ? 40 : 32)
  const entrySize = u16(header, is64 ? 58 : 46)
  const count = u16(header, is64 ? 60 : 48)
  const namesIndex = u16(header, is64 ? 62 : 50)
  const tableSize = entrySize * count
  if (entrySize < (is64 ? 64 : 40) || count > MAX_SECTIONS || namesIndex >= count || !(at + tableSize <= size))
    return undefined
  const table = await read(at, at + tableSize)
  if (table === undefined || table.length < tableSize) return undefined
  const sections = Array.from({ length: count }, (_, i) => {
    const start = i * entrySize
    return {
      name: u32(table, start),
      type: u32(table, start + 4),
      flags: word(table, start + 8),
      offset: word(table, start + (is64 ? 24 : 16)),
      size: word(table, start + (is64 ? 32 : 20)),
    }
  })
  const namesAt = sections[namesIndex]!
  if (!Number.isSafeInteger(namesAt.offset) || namesAt.size > MAX_NAMES_SIZE) return undefined
  const names = await read(namesAt.offset, namesAt.offset + namesAt.size)
  if (names === undefined) return undefined
  const nameOf = (from: number): string => names.toString('latin1', from, Math.max(from, names.indexOf(0, from)))
  const left = sections
    .filter(({ type, offset, size: length }) => type !== SHT_NOBITS && offset + length <= size)
    .filter(({ flags, name }) => flags % (2 * SHF_ALLOC) < SHF_ALLOC || UNREAD.test(nameOf(name)))
    .map(({ offset, size: length }): ByteRange => [offset, offset + length])
  left.push([at, at + tableSize])
  return without(size, left)
}

/** What of [0, size) is in none of the ranges. */
function without(size: number, ranges: readonly ByteRange[]): ByteRange[] {
  const kept: ByteRange[] = []
  let from = 0
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (start > from) kept.push([from, start])
    from = Math.max(from, end)
  }
  if (from < size) kept.push([from, size])
  return kept
}

/** As glibc writes it since 2.32, alone or behind the old form. */
const CACHE_MAGIC = 'glibc-ld.so.cache1.1'
const CACHE_HEADER_SIZE = 48
const CACHE_ENTRY_SIZE = 24
const MAX_CACHE_ENTRIES = 100_000

/** The libraries that `/etc/ld.so.cache` lists: paths by name, the first is the one preferred. Empty for a cache of another form. */
export function parseLinkerCache(bytes: Buffer): ReadonlyMap<string, readonly string[]> {
  const libraries = new Map<string, string[]>()
  const start = bytes.indexOf(CACHE_MAGIC)
  if (start < 0 || bytes.length < start + CACHE_HEADER_SIZE) return libraries
  const count = Math.min(bytes.readUInt32LE(start + 20), MAX_CACHE_ENTRIES)
  const text = (offset: number): string => {
    const end = bytes.indexOf(0, start + offset)
    return end < 0 || end - start - offset > MAX_STRING ? '' : bytes.toString('utf8', start + offset, end)
  }
  for (let i = 0; i < count; i++) {
    const at = start + CACHE_HEADER_SIZE + i * CACHE_ENTRY_SIZE
    if (at + CACHE_ENTRY_SIZE > bytes.length) break
    const name = text(bytes.readUInt32LE(at + 4))
    const path = text(bytes.readUInt32LE(at + 8))
    // With bit 62 the hardware capabilities are of glibc-hwcaps: whether a machine has them, no image tells
    const isPlain = bytes.readBigUInt64LE(at + 16) === 0n
    if (name === '' || !path.startsWith('/') || !isPlain) continue
    const known = libraries.get(name)
    if (known === undefined) libraries.set(name, [path])
    else known.push(path)
  }
  return libraries
}

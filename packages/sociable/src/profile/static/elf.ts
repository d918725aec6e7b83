// ELF: what the kernel and the dynamic linker read of a program or library. https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html

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

/** Undefined for a file that is not ELF, or damaged. */
export async function readElf(read: ReadBytes): Promise<Elf | undefined> {
  const header = await read(0, 64)
  if (header === undefined || header.length < 52 || header.readUInt32BE(0) !== 0x7f454c46) return undefined
  const is64 = header[4] === 2
  const isLittle = header[5] === 1
  if ((is64 && header.length < 64) || (!is64 && header[4] !== 1)) return undefined
  const u16 = (b: Buffer, at: number): number => (isLittle ? b.readUInt16LE(at) : b.readUInt16BE(at))
  const u32 = (b: Buffer, at: number): number => (isLittle ? b.readUInt32LE(at) : b.readUInt32BE(at))
  const word = (b: Buffer, at: number): number =>
    is64 ? Number(isLittle ? b.readBigUInt64LE(at) : b.readBigUInt64BE(at)) : u32(b, at)
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

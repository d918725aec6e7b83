import { posix } from 'node:path'
import { decodeUtf8 } from '../document/utf8.js'
import { StoreError } from '../error.js'
import type { RandomAccessFile } from '../file/random-access.js'
import { BLOCK_SIZE, decodeTarHeader } from './tar-header.js'

/** Where an archive's file lies in it. */
export interface TarFile {
  readonly offset: number
  readonly size: number
}

/** The files of a tar by their cleaned names (`./a//b` is `a/b`); of several of one name the last, as unpacking would leave it. */
export type TarIndex = ReadonlyMap<string, TarFile>

/** Archives of images have some dozens: more than this is none, or an attempt to fill the memory. */
const MAX_ENTRIES = 250_000
/** Go's maxSpecialFileSize (archive/tar, format.go): of a long name or a PAX header. */
const MAX_SPECIAL_SIZE = 1 << 20
const MAX_LINKS = 40
/** Headers are read in pieces: those of small files follow one another. */
const WINDOW_SIZE = 16 << 10

type Entry = TarFile | { readonly target: string }

/**
 * Reads a tar's headers, not its data: what every file is called and where it lies. Links within the archive are followed; nothing is unpacked, so
 * no name can lead anywhere. A name that climbs out of the archive is not an entry of it.
 * @param what names the archive in messages
 * @throws StoreError PROTOCOL if it is not a tar, is compressed, or is cut short
 */
export async function indexTar(file: RandomAccessFile, what: string, signal?: AbortSignal): Promise<TarIndex> {
  const reader = new HeaderReader(file)
  const entries = new Map<string, Entry>()
  let special: Special = {}
  let position = 0
  let count = 0
  for (;;) {
    signal?.throwIfAborted()
    const block = await reader.block(position)
    if (block.length === 0) break // without the two zero blocks at the end; they say nothing
    if (block.length < BLOCK_SIZE) throw malformed(compression(block) ?? `it ends within a header, at ${file.size}`)
    if (block.every((byte) => byte === 0)) break
    const header = decodeTarHeader(block)
    if (header === undefined)
      throw malformed(
        position === 0
          ? (compression(block) ?? 'it does not start with a tar header')
          : `there is no valid header at ${position} (its checksum or size is wrong)`,
      )
    if (++count > MAX_ENTRIES) throw malformed(`it has more than ${MAX_ENTRIES} entries`)
    const { type } = header
    const isSpecial = type === 'x' || type === 'L' || type === 'K'
    // Links and folders have no data, whatever their size says (archive/tar, format.go, isHeaderOnlyType).
    const size = /[1-6]/.test(type) ? 0 : isSpecial ? header.size : (special.size ?? header.size)
    const offset = position + BLOCK_SIZE
    const end = offset + size
    if (end > file.size)
      throw malformed(`its entry "${header.name}" goes to ${end}, and it ends at ${file.size}: it is cut short`)
    if (isSpecial) {
      if (size > MAX_SPECIAL_SIZE)
        throw malformed(`a header at ${position} has ${size} bytes, the most is ${MAX_SPECIAL_SIZE}`)
      const data = new Uint8Array(size)
      await file.read(data, offset)
      special = withSpecial(special, type, data, (reason) => malformed(`the extended header at ${position} ${reason}`))
    } else {
      if (type !== 'g')
        addEntry(special.name ?? header.name, type, { offset, size }, special.linkName ?? header.linkName)
      special = {}
    }
    position = offset + Math.ceil(size / BLOCK_SIZE) * BLOCK_SIZE
  }
  return followLinks(entries)

  function addEntry(rawName: string, type: string, place: TarFile, linkName: string): void {
    const name = posix.normalize(rawName).replace(/^\/+/, '')
    if (name === '..' || name.startsWith('../')) return
    if ((type === '0' || type === '\0' || type === '7') && !name.endsWith('/')) entries.set(name, place)
    else if (type === '1') entries.set(name, { target: posix.normalize(linkName) })
    else if (type === '2') entries.set(name, { target: posix.join(posix.dirname(name), linkName) })
    else entries.delete(name)
  }

  function malformed(reason: string): StoreError {
    return new StoreError('PROTOCOL', `${what} is not a readable archive: ${reason}`)
  }
}

function followLinks(entries: ReadonlyMap<string, Entry>): TarIndex {
  const files = new Map<string, TarFile>()
  for (const [name, entry] of entries) {
    let found: Entry | undefined = entry
    for (let i = 0; i < MAX_LINKS && found !== undefined && 'target' in found; i++) found = entries.get(found.target)
    if (found !== undefined && 'offset' in found) files.set(name, found)
  }
  return files
}

/** What extended headers say of the entry that follows. */
interface Special {
  readonly name?: string
  readonly linkName?: string
  readonly size?: number
}

function withSpecial(
  special: Special,
  type: string,
  data: Uint8Array,
  malformed: (reason: string) => StoreError,
): Special {
  if (type === 'L') return { ...special, name: untilNul(data) }
  if (type === 'K') return { ...special, linkName: untilNul(data) }
  const records = paxRecords(data)
  if (records === undefined) throw malformed('has a malformed record')
  const name = records.get('path')
  const linkName = records.get('linkpath')
  const sizeText = records.get('size')
  if (sizeText && !/^[0-9]{1,15}$/.test(sizeText)) throw malformed(`says a size of "${sizeText.slice(0, 40)}"`)
  // A GNU long name wins over PAX, whichever comes first; an empty value says nothing.
  return {
    ...(name && { name }),
    ...(linkName && { linkName }),
    ...(sizeText && { size: Number(sizeText) }),
    ...special,
  }
}

/** `length key=value\n`, one after the other; `undefined` where they are not. */
function paxRecords(data: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>()
  for (let at = 0; at < data.length; ) {
    const length = /^([0-9]{1,7}) /.exec(decodeUtf8(data.subarray(at, at + 8)))?.[1]
    const end = at + Number(length)
    if (length === undefined || end > data.length || end < at + length.length + 3 || data[end - 1] !== 0x0a)
      return undefined
    const record = decodeUtf8(data.subarray(at + length.length + 1, end - 1))
    const equals = record.indexOf('=')
    if (equals < 1) return undefined
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at = end
  }
  return records
}

function untilNul(data: Uint8Array): string {
  const end = data.indexOf(0)
  return decodeUtf8(end < 0 ? data : data.subarray(0, end))
}

/** Why an archive that is compressed as a whole cannot be read; `undefined` where it is not. */
function compression(block: Uint8Array): string | undefined {
  const starts = (...magic: number[]) => magic.every((byte, i) => block[i] === byte)
  if (starts(0x1f, 0x8b))
    return 'it is compressed with gzip, which allows no random access: unpack it first with gzip -d'
  if (starts(0x28, 0xb5, 0x2f, 0xfd))
    return 'it is compressed with zstd, which allows no random access: unpack it first with zstd -d'
  return undefined
}

/** Blocks at any position, by way of a window that is read ahead. */
class HeaderReader {
  readonly #file: RandomAccessFile
  #window = new Uint8Array(0)
  #start = 0

  constructor(file: RandomAccessFile) {
    this.#file = file
  }

  /** Shorter than a block at the file's end. The bytes hold until the next call. */
  async block(position: number): Promise<Uint8Array> {
    if (position < this.#start || position + BLOCK_SIZE > this.#start + this.#window.length) {
      const window = new Uint8Array(WINDOW_SIZE)
      this.#window = window.subarray(0, await this.#file.read(window, position))
      this.#start = position
    }
    return this.#window.subarray(position - this.#start, position - this.#start + BLOCK_SIZE)
  }
}

import { FileError, ZtocFormatError } from '../error.js'
import { sparseFormat } from '../tar/tar-sparse.js'
import type { FetchRange } from '../types.js'
import { spansOf } from '../ztoc/spans.js'
import type { FileEntry, Toc } from '../ztoc/toc.js'
import { fetchSpans } from './span-fetcher.js'
import { SpanInflater } from './span-inflater.js'

export interface ReadFileOptions {
  /** First byte of the file to read. @default 0 */
  readonly start?: number
  /** Byte to stop before; at most the file's size. @default the file's size */
  readonly end?: number
  readonly signal?: AbortSignal
}

/**
 * Reads a file, or the bytes [start, end) of it, out of a layer: fetches the compressed bytes of the spans that hold them and no
 * others, verifies each span against its digest before it uses any of its bytes, and decodes from its checkpoint. Nothing is fetched
 * for no bytes. Memory does not grow with the file, only with the size of a compressed span.
 *
 * `file` is an entry of `toc.files`, or a name as it stands there (the last entry of that name). A hard link gives the file that it
 * links to; a symbolic link is not followed.
 *
 * Throws FileError where there is no such file, RangeError for bytes outside of it, ZtocFormatError SPAN_DIGEST_MISMATCH where the
 * fetched bytes are not those that the zTOC was made of, ZTOC_INVALID where the zTOC tells of data that is not there, and what
 * `fetchRange` throws.
 *
 * @example
 * for await (const bytes of readFile(toc, 'etc/os-release', async (start, end) => blob.subarray(start, end))) process.stdout.write(bytes)
 */
export async function* readFile(
  toc: Toc,
  file: string | Uint8Array | FileEntry,
  fetchRange: FetchRange,
  options: ReadFileOptions = {},
): AsyncGenerator<Uint8Array> {
  const entry = resolveFile(toc, file)
  const range = rangeOf(toc, entry)
  const { start = 0, end = entry.size, signal } = options
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= entry.size)) {
    throw new RangeError(`bytes ${start} to ${end} of ${JSON.stringify(entry.name)}, which has ${entry.size}`)
  }
  yield* readRange(toc, range.start + start, range.start + end, fetchRange, signal)
}

/**
 * Where a file's bytes are in the uncompressed tar, as `readFile` would read them: [start, end).
 * @throws FileError, ZtocFormatError as `readFile`
 */
export function fileRange(
  toc: Toc,
  file: string | Uint8Array | FileEntry,
): { readonly start: number; readonly end: number } {
  return rangeOf(toc, resolveFile(toc, file))
}

function rangeOf(toc: Toc, { name, offset, size }: FileEntry): { readonly start: number; readonly end: number } {
  // The spans of an uncompressed layer are its bytes, whatever tar size the zTOC states
  const tarSize = toc.compression === 'gzip' ? toc.uncompressedSize : Math.min(toc.uncompressedSize, toc.compressedSize)
  if (offset < 0 || size < 0 || offset + size > tarSize)
    throw new ZtocFormatError(
      'ZTOC_INVALID',
      `${JSON.stringify(name)} has ${size} bytes at ${offset}, the tar has ${tarSize}`,
    )
  return { start: offset, end: offset + size }
}

/**
 * Reads the bytes [from, to) of the uncompressed tar, as `readFile` reads those of a file: so that several files that lie together, even in
 * one span, are read at once.
 */
export async function* readRange(
  toc: Toc,
  from: number,
  to: number,
  fetchRange: FetchRange,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= toc.uncompressedSize))
    throw new RangeError(`bytes ${from} to ${to} of a tar that has ${toc.uncompressedSize}`)
  if (from === to) return
  const { first, last } = spansOf(toc, from, to - from)
  const inflater = toc.compression === 'gzip' ? new SpanInflater() : undefined
  for await (const span of fetchSpans(toc, first, last, fetchRange, signal)) {
    if (inflater !== undefined) {
      yield* inflater.inflate(toc, span, from, to)
    } else {
      const spanStart = span.index * toc.spanSize
      yield span.bytes.subarray(Math.max(0, from - spanStart), to - spanStart)
    }
  }
}

/** The entry whose data is the file's: for a hard link, that of the file it links to, which stands before it. */
function resolveFile(toc: Toc, file: string | Uint8Array | FileEntry): FileEntry {
  const named = typeof file === 'string' || file instanceof Uint8Array
  let entry = named ? toc.files.find(file) : file
  if (entry === undefined) {
    const name = typeof file === 'string' ? file : new TextDecoder().decode(file as Uint8Array)
    throw new FileError('FILE_NOT_FOUND', `the layer has no entry ${JSON.stringify(name)}`)
  }
  while (entry.type === 'hardlink') {
    const target = findBefore(toc, entry)
    if (target === undefined) {
      throw new FileError(
        'FILE_NOT_FOUND',
        `${JSON.stringify(entry.name)} is a hard link to ${JSON.stringify(entry.linkname)}, which no earlier entry has`,
      )
    }
    entry = target
  }
  if (entry.type !== 'reg') {
    const to = entry.type === 'symlink' ? ` to ${JSON.stringify(entry.linkname)}` : ''
    throw new FileError('NOT_A_FILE', `${JSON.stringify(entry.name)} is not a regular file but a ${entry.type}${to}`)
  }
  const records = new Map(entry.paxRecords.map(({ key, value }) => [key, value]))
  if (sparseFormat((key) => records.get(key)) !== undefined) {
    throw new FileError(
      'NOT_A_FILE',
      `${JSON.stringify(entry.name)} is a sparse file: its size in the zTOC includes the holes, so its data cannot be located`,
    )
  }
  return entry
}

function findBefore(toc: Toc, link: FileEntry): FileEntry | undefined {
  const wanted = Buffer.from(link.linknameBytes)
  for (let i = link.index - 1; i >= 0; i--) {
    const entry = toc.files.at(i)
    if (entry !== undefined && wanted.equals(entry.nameBytes)) return entry
  }
  return undefined
}

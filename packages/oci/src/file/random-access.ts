import { randomUUID } from 'node:crypto'
import { type BigIntStats, close, constants, fstat, open, read, type Stats, unlink, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { promisify } from 'node:util'
import { StoreError } from '../error.js'

const openFile = promisify(open)
const closeFile = promisify(close)
const readFile = promisify(read) as unknown as (
  fd: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number }>
const writeFile = promisify(write) as unknown as (
  fd: number,
  from: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesWritten: number }>

/** Bytes of a chunk: the largest that a fetch hands out. */
export const CHUNK_SIZE = 1 << 20
const REUSED_CHUNK_SIZE = 1 << 19

export interface RangeOptions {
  readonly signal?: AbortSignal | undefined
  readonly reuse?: boolean | undefined
}

/** A regular file, read or written at any position. */
export class RandomAccessFile {
  readonly #fd: number
  readonly #owned: boolean
  /** Where it can be opened again; `undefined` for standard input. */
  readonly path: string | undefined
  /** Bytes, when it was opened. */
  readonly size: number

  private constructor(fd: number, owned: boolean, path: string | undefined, size: number) {
    this.#fd = fd
    this.#owned = owned
    this.path = path
    this.size = size
  }

  /** @throws StoreError NOT_FOUND where there is none, or something that is not a regular file (a pipe would never end) */
  static async open(path: string): Promise<RandomAccessFile> {
    // Without O_NONBLOCK a pipe that nobody writes to would hang right here.
    const fd = await openFile(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause) => {
      throw fileError(cause, path)
    })
    const stats = await promisify(fstat)(fd)
    if (stats.isFile()) return new RandomAccessFile(fd, true, path, stats.size)
    await closeFile(fd)
    throw new StoreError('NOT_FOUND', `${path} is ${stats.isDirectory() ? 'a folder' : 'not a regular file'}`)
  }

  /** A new file for writing, and for reading what was written. */
  static async create(path: string): Promise<RandomAccessFile> {
    const fd = await openFile(path, 'wx+').catch((cause) => {
      throw fileError(cause, path)
    })
    return new RandomAccessFile(fd, true, path, 0)
  }

  /**
   * Standard input: itself if it is a file, else its bytes in a temporary file, see `spool`.
   * @param decode what to write of the bytes that arrive
   */
  static async openStandardInput(
    input: Readable & { fd?: number },
    signal?: AbortSignal,
    decode: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> = (bytes) => bytes,
  ): Promise<RandomAccessFile> {
    const fd = input.fd
    const stats: Stats | undefined = fd === undefined ? undefined : await promisify(fstat)(fd)
    if (fd !== undefined && stats?.isFile()) return new RandomAccessFile(fd, false, undefined, stats.size)
    // Aborting must end the wait for bytes that never come, too.
    return RandomAccessFile.spool(decode(signal === undefined ? input : addAbortSignal(signal, input)), signal)
  }

  /**
   * The bytes in a temporary file that has no name any more: nothing is left of it, however the process ends.
   * @throws StoreError that names the folder for temporary files if it cannot be written to (no space, read-only); what `bytes` throws
   */
  static async spool(bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<RandomAccessFile> {
    const path = join(tmpdir(), `sociable-${randomUUID()}.tar`)
    const spool = await openFile(path, 'wx+', 0o600).catch((cause) => {
      throw fileError(cause, tmpdir())
    })
    try {
      await promisify(unlink)(path)
      let size = 0
      const file = new RandomAccessFile(spool, true, undefined, 0)
      for await (const chunk of bytes) {
        signal?.throwIfAborted()
        await file.write(chunk, size).catch((cause) => {
          throw fileError(cause, `${tmpdir()} (the folder for temporary files, see TMPDIR)`)
        })
        size += chunk.length
      }
      return new RandomAccessFile(spool, true, undefined, size)
    } catch (error) {
      await closeFile(spool)
      signal?.throwIfAborted()
      throw error
    }
  }

  /** Fills `into` from `position` on, as far as the file goes. Gives the number of bytes. */
  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < into.length) {
      const { bytesRead } = await readFile(this.#fd, into, filled, into.length - filled, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return filled
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const result = await writeFile(this.#fd, bytes, written, bytes.length - written, position + written).catch(
        (cause) => {
          throw this.path === undefined ? cause : fileError(cause, this.path)
        },
      )
      written += result.bytesWritten
    }
  }

  /** What the file system says of it now. */
  async stat(): Promise<BigIntStats> {
    return new Promise((resolve, reject) => {
      fstat(this.#fd, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(stats)))
    })
  }

  /**
   * The bytes [start, end) in chunks that are the receiver's, or with `reuse` only until the next one is asked for; the next one is read while the last is used.
   * @throws StoreError SIZE_MISMATCH where the file ends before
   */
  async *range(
    start: number,
    end: number,
    { signal, reuse = false }: RangeOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    // One is read into while the other is used. Smaller than fresh ones, so that both stay in a core's cache.
    const size = reuse ? REUSED_CHUNK_SIZE : CHUNK_SIZE
    const reused = reuse && end - start > size ? [new Uint8Array(size), new Uint8Array(size)] : undefined
    const readChunk = async (position: number): Promise<Uint8Array> => {
      const length = Math.min(size, end - position)
      const chunk = reused?.[((position - start) / size) % 2]?.subarray(0, length) ?? new Uint8Array(length)
      await this.#fill(chunk, position, end)
      return chunk
    }
    let next: Promise<Uint8Array> | undefined
    try {
      for (let position = start; position < end; position += size) {
        signal?.throwIfAborted()
        const chunk = await (next ?? readChunk(position))
        next = position + size < end ? readChunk(position + size) : undefined
        next?.catch(() => {}) // it is awaited in the next round, if there is one
        yield chunk
      }
    } finally {
      // The file may be closed as soon as this returns.
      await next?.catch(() => {})
    }
  }

  async #fill(chunk: Uint8Array, position: number, end: number): Promise<void> {
    const length = await this.read(chunk, position)
    if (length < chunk.length)
      throw new StoreError(
        'SIZE_MISMATCH',
        `${this.path ?? 'standard input'} ends at ${position + length}, before ${end}`,
      )
  }

  async close(): Promise<void> {
    if (this.#owned) await closeFile(this.#fd)
  }
}

/** What writing fails with that says nothing of the path. */
const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device (ENOSPC)',
  EDQUOT: 'the disk quota is used up (EDQUOT)',
  EFBIG: 'the file system cannot hold a file as large (EFBIG)',
  EROFS: 'the file system is read-only (EROFS)',
}

/** What the system says of a path, as a store's error. */
export function fileError(cause: unknown, path: string): StoreError {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP')
    return new StoreError('NOT_FOUND', `${path} does not exist (${code})`, { cause })
  const message = SYSTEM_MESSAGES[code ?? '']
  if (message !== undefined)
    return new StoreError(code === 'EROFS' ? 'DENIED' : 'UNREACHABLE', `${path}: ${message}`, { cause })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EISDIR')
    return new StoreError('DENIED', `${path} cannot be opened: ${(cause as Error).message}`, { cause })
  return new StoreError('UNREACHABLE', `${path}: ${(cause as Error).message}`, { cause })
}

// Files for what would take too much memory. They have no names, so nothing is left of them however the process ends.
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, open, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class TemporaryFiles {
  readonly #handles: FileHandle[] = []

  /** An empty file, for reading and writing; undefined where there can be none, as on a system that cannot unlink an open file. */
  async open(): Promise<FileHandle | undefined> {
    const path = join(tmpdir(), `sociable-${randomUUID()}.tmp`)
    let handle: FileHandle | undefined
    try {
      handle = await open(path, 'wx+', 0o600)
      await unlink(path)
    } catch {
      await handle?.close()
      if (handle !== undefined) await rm(path, { force: true })
      return undefined
    }
    this.#handles.push(handle)
    return handle
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close()))
  }
}

/** Bytes that were made once, and are read as often as wanted. */
export interface Spooled {
  readonly digest: string
  readonly size: number
  /** The bytes [start, end). @default all */
  readonly content: (start?: number, end?: number) => AsyncIterable<Uint8Array>
}

/**
 * Makes bytes and keeps them in a temporary file. If there is no place for it, or the disk is full, they are made again each time they are read.
 * @param make gives the same bytes each time
 */
export async function spool(temporary: TemporaryFiles, make: () => AsyncIterable<Uint8Array>): Promise<Spooled> {
  const hash = createHash('sha256')
  let kept = await temporary.open()
  let size = 0
  for await (const bytes of make()) {
    hash.update(bytes)
    if (kept !== undefined && !(await isWritten(kept, bytes, size))) kept = undefined
    size += bytes.length
  }
  const file = kept
  return {
    digest: `sha256:${hash.digest('hex')}`,
    size,
    content: (start = 0, end = size) => (file === undefined ? slice(make(), start, end) : chunksOf(file, start, end)),
  }
}

/** False where the disk is full, or takes no more for another reason. */
async function isWritten(file: FileHandle, bytes: Uint8Array, at: number): Promise<boolean> {
  try {
    for (let done = 0; done < bytes.length; )
      done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
    return true
  } catch {
    return false
  }
}

async function* slice(content: AsyncIterable<Uint8Array>, start: number, end: number): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const bytes of content) {
    const part = bytes.subarray(Math.max(0, start - at), Math.max(0, end - at))
    if (part.length > 0) yield part
    at += bytes.length
    if (at >= end) return
  }
}

async function* chunksOf(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const { buffer, bytesRead } = await file.read(new Uint8Array(Math.min(CHUNK_SIZE, end - at)), { position: at })
    if (bytesRead === 0) throw new Error(`a temporary file has lost its bytes from ${at} on`)
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}

const CHUNK_SIZE = 256 << 10

/** Bytes that are read at once: the files of a layer are small and follow one another. */
const WINDOW_SIZE = 1 << 20

/** Contents of a layer's files, kept when it was indexed. */
export class CapturedFiles {
  readonly #handle: FileHandle
  /** By where the file's data starts in the tar. */
  readonly #places: ReadonlyMap<number, { readonly at: number; readonly size: number }>
  readonly #window = new Uint8Array(WINDOW_SIZE)
  /** Of the handle's bytes, what is in the window. */
  #start = 0
  #end = 0

  constructor(
    handle: FileHandle,
    files: readonly { readonly offset: number; readonly at: number; readonly size: number }[],
  ) {
    this.#handle = handle
    this.#places = new Map(files.map(({ offset, at, size }) => [offset, { at, size }]))
  }

  has(offset: number): boolean {
    return this.#places.has(offset)
  }

  /** Each chunk is written over once the next one is asked for, of this or another file. */
  async *read(offset: number): AsyncGenerator<Uint8Array> {
    const { at, size } = this.#places.get(offset)!
    for (let from = at; from < at + size; ) {
      if (from < this.#start || from >= this.#end) {
        const { bytesRead } = await this.#handle.read(this.#window, 0, WINDOW_SIZE, from)
        if (bytesRead === 0) throw new Error(`a temporary file has lost its bytes from ${from} on`)
        this.#start = from
        this.#end = from + bytesRead
      }
      const chunk = this.#window.subarray(from - this.#start, Math.min(this.#end, at + size) - this.#start)
      yield chunk
      from += chunk.length
    }
  }
}

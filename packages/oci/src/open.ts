import { stat } from 'node:fs/promises'
import { openArchive } from './archive/archive.js'
import { openSink, streamSink } from './archive/archive-sink.js'
import {
  type ArchiveUpdate,
  ArchiveWriter,
  type PreviousArchive,
  readPreviousArchive,
} from './archive/archive-writer.js'
import { uncompressedBytes } from './archive/compressed-archive.js'
import { indexTar } from './archive/tar-index.js'
import {
  type ImageReference,
  type LocalReference,
  parseReference,
  type RegistryReference,
} from './document/reference.js'
import { StoreError } from './error.js'
import { RandomAccessFile } from './file/random-access.js'
import { openLayout } from './layout/layout.js'
import { createMemoryStore } from './memory.js'
import type { RegistryClient } from './registry/registry.js'
import type { CallOptions, Store } from './store.js'

export interface OpenOptions extends CallOptions {
  /**
   * `read`: what is there. `write`: a layout is made or added to, an archive replaces the one that is there. `update`: as
   * `write`, and an archive keeps what it holds; it may not exist yet. Nothing is made before the first `push`, no archive before `close`.
   * @default 'read'
   */
  readonly mode?: 'read' | 'write' | 'update' | undefined
  /** Connections, logins and memory that the registry stores of a run share. @default one of the store's own, closed with it */
  readonly registries?: RegistryClient | undefined
}

/**
 * Opens the store that a reference is in; which image of it is `referenceWithin(reference)`. To be closed by the caller.
 *
 * An archive is read where it lies. On standard input too, if that is a file; if it is a pipe, which has no random access, its bytes go to a
 * temporary file that has no name any more, as large as the archive. The same happens to an archive that is compressed with gzip, unpacked.
 * @throws ImageReferenceError, StoreError NOT_FOUND, DENIED, PROTOCOL
 * @example
 * const store = await openStore('oci:./image:app')
 * const top = await store.resolve('app')
 */
export async function openStore(reference: string | ImageReference, options: OpenOptions = {}): Promise<Store> {
  options.signal?.throwIfAborted()
  const parsed = typeof reference === 'string' ? parseReference(reference) : reference
  const mode = options.mode ?? 'read'
  switch (parsed.transport) {
    case 'registry':
      return openInRegistry(parsed, options)
    case 'memory':
      return createMemoryStore()
    case 'oci':
      return openLayout(`oci:${parsed.path}`, parsed.path, { write: mode !== 'read' })
    default:
      return mode === 'read' ? openForReading(parsed, options) : openForWriting(parsed, mode, options)
  }
}

/** Loaded when it is needed: folders and archives need no network code. */
async function openInRegistry(reference: RegistryReference, { registries, signal }: OpenOptions): Promise<Store> {
  const { openRegistry, RegistryClient } = await import('./registry/registry.js')
  if (registries !== undefined) return openRegistry(reference, registries, { signal })
  const client = new RegistryClient()
  try {
    return await openRegistry(reference, client, { signal, close: () => client.close() })
  } catch (error) {
    await client.close()
    throw error
  }
}

async function openForReading({ transport, path }: LocalReference, { signal }: OpenOptions): Promise<Store> {
  if (path !== '-') return openArchive(`${transport}:${path}`, await RandomAccessFile.open(path), signal)
  const name = 'standard input'
  const file = await RandomAccessFile.openStandardInput(process.stdin, signal, (bytes) =>
    uncompressedBytes(bytes, name, signal),
  )
  return openArchive(name, file, signal)
}

async function openForWriting(
  { transport, path }: LocalReference,
  mode: 'write' | 'update',
  { signal }: OpenOptions,
): Promise<Store> {
  const name = path === '-' ? 'standard output' : `${transport}:${path}`
  if (transport === 'docker-archive')
    throw new StoreError(
      'DENIED',
      `${name} cannot be written: a docker-archive has no room for SOCI indexes; write an oci-archive`,
    )
  if (path === '-') {
    if (mode === 'update') throw new StoreError('DENIED', `${name} cannot be updated: name a file`)
    return new ArchiveWriter(name, streamSink(process.stdout, name, false))
  }
  const sink = await openSink(path)
  return new ArchiveWriter(name, sink, mode === 'update' ? await openUpdate(name, path, signal) : undefined)
}

async function openUpdate(name: string, path: string, signal: AbortSignal | undefined): Promise<ArchiveUpdate> {
  const previous = await openPrevious(name, path, signal)
  return {
    previous,
    async changed() {
      if (await isStill(path, previous?.archive.file)) return undefined
      return async () => new ArchiveWriter(name, await openSink(path), await openUpdate(name, path, signal))
    },
  }
}

/** Whether the path leads to that file, or to none as before. Changed files are new ones, and while one is open no other has its number. */
async function isStill(path: string, file: RandomAccessFile | undefined): Promise<boolean> {
  const now = await stat(path, { bigint: true }).catch(() => undefined)
  if (now === undefined || file === undefined) return now === file
  const before = await file.stat()
  return now.dev === before.dev && now.ino === before.ino && now.size === before.size && now.size === BigInt(file.size)
}

async function openPrevious(
  name: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<PreviousArchive | undefined> {
  const file = await RandomAccessFile.open(path).catch((error) => {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    return await readPreviousArchive(name, { file, files: await indexTar(file, name, signal) })
  } catch (error) {
    await file.close()
    throw error
  }
}

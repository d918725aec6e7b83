import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { StoreError } from '../error.js'
import { removeAtExit } from '../file/half-made.js'
import { fileError, RandomAccessFile } from '../file/random-access.js'
import { whileBusy } from '../file/while-busy.js'

/** Where the bytes of an archive that is being written go. Nothing is made before the first `write`. */
export interface ArchiveSink {
  /** The file's path when it is finished; `undefined` for a stream. */
  readonly path: string | undefined
  /** Whether positions must come in order, without a gap. */
  readonly sequential: boolean
  write(bytes: Uint8Array, position: number): Promise<void>
  /** What was written, to be read again; `undefined` where it cannot be. */
  readFrom(): Promise<RandomAccessFile> | undefined
  finish(): Promise<void>
  discard(): Promise<void>
}

/**
 * A file that appears under its name when it is finished; until then it is beside it, as `NAME.….partial`. Anything else that has the name, such as `/dev/stdout` or a
 * pipe, is written to directly.
 * @throws StoreError NOT_FOUND if its folder does not exist, DENIED if it is itself a folder
 */
export async function openSink(path: string): Promise<ArchiveSink> {
  const stats = await stat(path).catch(() => undefined)
  if (stats?.isDirectory()) throw new StoreError('DENIED', `${path} is a folder: an archive is a file`)
  if (stats !== undefined && !stats.isFile()) return streamSink(createWriteStream(path), path, true)
  const folder = await stat(dirname(path)).catch((cause) => {
    throw fileError(cause, dirname(path))
  })
  if (!folder.isDirectory()) throw new StoreError('NOT_FOUND', `${dirname(path)} is not a folder`)
  return fileSink(stats === undefined ? path : await realpath(path))
}

function fileSink(path: string): ArchiveSink {
  const temporary = `${path}.${randomUUID()}.partial`
  let opened: Promise<RandomAccessFile> | undefined
  let isGone = (): void => {}
  const file = () => {
    if (opened === undefined) isGone = removeAtExit(temporary)
    opened ??= RandomAccessFile.create(temporary)
    return opened
  }
  return {
    path,
    sequential: false,
    write: async (bytes, position) => (await file()).write(bytes, position),
    readFrom: file,
    async finish() {
      await (await file()).close()
      await whileBusy(() => rename(temporary, path)).catch((cause) => {
        throw fileError(cause, path)
      })
      isGone()
    },
    async discard() {
      if (opened === undefined) return
      await opened.then((made) => made.close()).catch(() => {})
      await rm(temporary, { force: true })
      isGone()
    },
  }
}

/** A stream, such as standard output; `end` whether it is the archive's own. */
export function streamSink(stream: Writable, name: string, end: boolean): ArchiveSink {
  let failure: Error | undefined
  const failed = () => new StoreError('UNREACHABLE', `${name}: ${failure?.message}`, { cause: failure })
  const onError = (error: Error) => {
    failure = error
  }
  stream.on('error', onError) // else it would end the process
  return {
    path: undefined,
    sequential: true,
    write(bytes) {
      return new Promise((resolve, reject) => {
        if (failure !== undefined) reject(failed())
        else
          stream.write(bytes, (error) => {
            if (error) onError(error)
            if (error) reject(failed())
            else resolve()
          })
      })
    },
    readFrom: () => undefined,
    async finish() {
      if (end) await finished(stream.end())
      if (failure !== undefined) throw failed()
    },
    async discard() {
      if (end) stream.destroy()
    },
  }
}

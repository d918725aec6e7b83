// Archives that are compressed as a whole (`docker save app | gzip`): they allow no random access, so they are unpacked into a temporary file first.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { StoreError } from '../error.js'
import { RandomAccessFile } from '../file/random-access.js'

/** A compressed archive may unpack to this many bytes, or to `MAX_EXPANSION` times its own size, whichever is more. */
const FREE_EXPANSION = 2 ** 30
/** Images compress to a half or a third. Zeros compress to a thousandth: enough of them would fill the disk. */
const MAX_EXPANSION = 100

/** The archive itself, or what it unpacks to if it is compressed with gzip: then `file` is closed. @throws StoreError PROTOCOL */
export async function uncompressedArchive(
  file: RandomAccessFile,
  name: string,
  signal?: AbortSignal,
): Promise<RandomAccessFile> {
  const magic = new Uint8Array(2)
  await file.read(magic, 0)
  if (!isGzip(magic)) return file
  const unpacked = await RandomAccessFile.spool(gunzip(file.range(0, file.size, { signal }), name, signal), signal)
  await file.close()
  return unpacked
}

/** The bytes as they are, or unpacked if they start as gzip does. @throws StoreError PROTOCOL */
export async function* uncompressedBytes(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  for (let length = 0; length < 2; ) {
    const { done, value } = await source.next()
    if (done) break
    first.push(value)
    length += value.length
  }
  const all = (async function* () {
    yield* first
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
  })()
  if (isGzip(Buffer.concat(first))) yield* gunzip(all, name, signal)
  else yield* all
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

async function* gunzip(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let [compressed, unpacked] = [0, 0]
  let failure: unknown
  const counted = (async function* () {
    try {
      for await (const chunk of bytes) {
        compressed += chunk.length
        yield chunk
      }
    } catch (error) {
      failure = error
      throw error
    }
  })()
  const decoder = createGunzip({ chunkSize: 256 << 10 })
  const done = pipeline(Readable.from(counted), decoder, { ...(signal !== undefined && { signal }) })
  done.catch(() => {}) // the decoder throws it
  try {
    for await (const chunk of decoder) {
      unpacked += chunk.length
      if (unpacked > Math.max(FREE_EXPANSION, MAX_EXPANSION * compressed))
        throw new StoreError(
          'PROTOCOL',
          `${name} unpacks to more than ${MAX_EXPANSION} times its size: if this is intended, unpack it first with gzip -d`,
        )
      yield chunk
    }
    await done
  } catch (error) {
    signal?.throwIfAborted()
    if (failure !== undefined) throw failure
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!code.startsWith('Z_')) throw error
    throw new StoreError(
      'PROTOCOL',
      `${name} is damaged or cut short: its gzip data cannot be unpacked after ${unpacked} bytes (${(error as Error).message})`,
      { cause: error },
    )
  } finally {
    decoder.destroy()
  }
}

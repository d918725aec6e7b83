// Gzip on all cores: one member, whose deflate stream is made block by block. The bytes depend on the content alone.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { chunksOf, WorkerPool } from '@sociable/ztoc'
import { deflateBlock, WINDOW_SIZE } from './gzip-block.js'
import type { GzipQuestion } from './gzip-worker.js'

/** Bytes of the content that one thread compresses at a time. */
const BLOCK_SIZE = 1 << 20
const MAX_THREADS = 8

/** A gzip header without a name or time, of an unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** The stream's last block: fixed codes, and nothing in it. */
const LAST_BLOCK = Uint8Array.of(3, 0)

/**
 * Compresses the content. Memory: some five blocks a thread. Chunks of the content may be written over once the next one is asked for.
 * @param threads at most; 1 is the caller's own @default the machine's cores, up to 8
 */
export async function* compressGzip(
  content: AsyncIterable<Uint8Array>,
  threads = Math.min(availableParallelism(), MAX_THREADS),
): AsyncGenerator<Uint8Array> {
  const start = () => new Worker(new URL('./gzip-worker.js', import.meta.url), { name: 'sociable gzip' })
  const pool = new WorkerPool({ threads, start })
  const compress = async (question: GzipQuestion): Promise<Uint8Array> =>
    (await pool.ask<Uint8Array>(question).catch(() => undefined)) ?? deflateBlock(question.block, question.window)
  const pending: Promise<Uint8Array>[] = []
  let check = 0
  let size = 0
  let window = new Uint8Array(0)
  try {
    yield HEADER
    for await (const block of chunksOf(content, BLOCK_SIZE)) {
      check = crc32(block, check)
      size += block.length
      const before = window
      window = block.slice(-WINDOW_SIZE)
      if (pending.length > threads) yield await pending.shift()!
      pending.push(compress({ block, window: before }))
      pending.at(-1)!.catch(() => {}) // thrown when its turn comes
    }
    for (const bytes of pending) yield await bytes
    yield LAST_BLOCK
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(check, 0)
    trailer.writeUInt32LE(size % 2 ** 32, 4)
    yield trailer
  } finally {
    await pool.close()
  }
}

// A thread that compresses blocks, one after another.
import { parentPort } from 'node:worker_threads'
import { deflateBlock } from './gzip-block.js'

export interface GzipQuestion {
  readonly block: Uint8Array<ArrayBuffer>
  readonly window: Uint8Array<ArrayBuffer>
}

const port = parentPort!
port.on('message', ({ block, window }: GzipQuestion) => {
  const bytes = deflateBlock(block, window)
  port.postMessage(bytes, [bytes.buffer])
})

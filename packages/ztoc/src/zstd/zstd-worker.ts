// A thread that compresses chunks, one after another.
import { parentPort, workerData } from 'node:worker_threads'
import { ZstdEncoder } from './zstd-encoder.js'

export interface ZstdWorkerData {
  readonly chunkSize: number
  readonly level: number
}

/** What a thread answers, and its memory with it. */
export interface ZstdAnswer {
  readonly chunk: Uint8Array<ArrayBuffer>
  /** Undefined where it could not be made. */
  readonly frame?: Uint8Array<ArrayBuffer>
}

const { chunkSize, level } = workerData as ZstdWorkerData
const encoder = new ZstdEncoder(chunkSize)
const port = parentPort!
port.on('message', (chunk: Uint8Array<ArrayBuffer>) => {
  let frame: Uint8Array<ArrayBuffer> | undefined
  try {
    frame = encoder.compress(chunk, level)
  } catch {}
  const answer: ZstdAnswer = frame === undefined ? { chunk } : { chunk, frame }
  port.postMessage(answer, frame === undefined ? [chunk.buffer] : [chunk.buffer, frame.buffer])
})
port.postMessage('ready')

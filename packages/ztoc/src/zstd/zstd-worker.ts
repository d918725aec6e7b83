// A thread that compresses chunks, one after another.
import { parentPort, workerData } from 'node:worker_threads'
import { ZstdEncoder } from './zstd-encoder.js'

export interface ZstdWorkerData {
  readonly chunkSize: number
  readonly level: number
}

const { chunkSize, level } = workerData as ZstdWorkerData
const encoder = new ZstdEncoder(chunkSize)
const port = parentPort!
port.on('message', (chunk: Uint8Array) => {
  const frame = encoder.compress(chunk, level)
  port.postMessage(frame, [frame.buffer as ArrayBuffer])
})

import type { Writable } from 'node:stream'

/** When a stream that is full takes more, or has come to its end. */
export function drained(stream: Writable | NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

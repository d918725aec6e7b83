import type { Socket } from 'node:net'

/** Bytes of a read, as large as Node's own. */
const SIZE = 64 << 10
/** What is shorter is copied, rather than have a buffer to itself. */
const SHORT = 4 << 10

/** A buffer on its way through a socket's stream. */
interface Lent {
  readonly buffer: Uint8Array
  /** How many bytes had come over the connection when it was full. */
  readonly at: number
}

interface Connection {
  readonly lent: Lent[]
  bytes: number
}

/**
 * The `onread` of `net.connect` and `tls.connect`: what comes in is read into buffers that are used again. Node makes one for each read, and half of
 * what a download costs is to collect them.
 *
 * A buffer is free when the stream has passed on all that was in it, and its reader has no view of it any more. undici's parser gives a body on while it is
 * called, and our handlers (`Take`) keep none of it; it keeps views of a head or a trailer that is not complete, which has at most `headSize` bytes. So a
 * buffer is written over only when more than that has come after it.
 */
export function readBuffers(headSize: number): {
  readonly buffer: () => Uint8Array
  readonly callback: (size: number, buffer: Uint8Array) => boolean
} {
  const connections = new WeakMap<Socket, Connection>()
  let next: Uint8Array | undefined
  return {
    // Asked for at a connection's begin, and right after each `callback`
    buffer() {
      const buffer = next ?? Buffer.allocUnsafeSlow(SIZE)
      next = undefined
      return buffer
    },
    callback(this: Socket, size, buffer) {
      let connection = connections.get(this)
      if (connection === undefined) {
        connection = { lent: [], bytes: 0 }
        connections.set(this, connection)
      }
      connection.bytes += size
      if (size < SHORT) {
        next = buffer
        return this.push(Buffer.from(buffer.subarray(0, size)))
      }
      const { lent, bytes } = connection
      // Where some is still in the stream, nobody knows of which buffer
      if (this.readableLength > 0) lent.length = 0
      else if (lent.length > 0 && bytes - size - lent[0]!.at > headSize) next = lent.shift()!.buffer
      lent.push({ buffer, at: bytes })
      return this.push(buffer.subarray(0, size))
    },
  }
}

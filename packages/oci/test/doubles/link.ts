import { connect, createServer, type Socket } from 'node:net'
import type { Listening } from './listen.js'

export interface LinkOptions {
  /** Where it leads: `127.0.0.1:5000`. */
  readonly target: string
  /** What it carries each way, all connections together. */
  readonly bytesPerSecond: number
  /** Milliseconds that a byte takes one way; half of a round trip. */
  readonly latency: number
}

export interface Link extends Listening {
  /** Bytes that went through: `down` to clients, `up` to the server. */
  readonly bytes: { readonly up: number; readonly down: number }
}

/** Bytes that wait in a connection before its source is held back, beside those that are on the way. */
const QUEUE_SIZE = 256 << 10

/** A network link before a server, for measurements: whatever protocol, in TCP's order, at the rate and with the latency given. */
export async function startLink({ target, bytesPerSecond, latency }: LinkOptions): Promise<Link> {
  const [hostname, port] = target.split(':')
  const bytes = { up: 0, down: 0 }
  const limit = QUEUE_SIZE + (bytesPerSecond * latency) / 1000
  const sockets = new Set<Socket>()
  // One lane per direction; each chunk takes it when those before it are through.
  const lane = (direction: 'up' | 'down') => {
    let free = 0
    return (length: number) => {
      bytes[direction] += length
      free = Math.max(free, performance.now()) + (length / bytesPerSecond) * 1000
      return free
    }
  }
  const up = lane('up')
  const down = lane('down')
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname!, port: Number(port), noDelay: true, allowHalfOpen: true })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        if (!socket.readableEnded) other.destroy()
      })
    }
    carry(client, upstream, up, latency, limit)
    carry(upstream, client, down, latency, limit)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`
  return {
    host,
    url: `http://${host}`,
    bytes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Moves what comes from one socket to the other, each chunk when its time has come. */
function carry(from: Socket, to: Socket, take: (length: number) => number, latency: number, limit: number): void {
  const waiting: { readonly at: number; readonly chunk: Uint8Array | undefined }[] = []
  let queued = 0
  let state: 'idle' | 'timed' | 'blocked' = 'idle'
  const wait = () => {
    if (state !== 'idle' || waiting.length === 0) return
    state = 'timed'
    setTimeout(deliver, Math.max(0, waiting[0]!.at - performance.now()))
  }
  const deliver = () => {
    state = 'idle'
    while (waiting.length > 0 && waiting[0]!.at <= performance.now() && !to.destroyed) {
      const { chunk } = waiting.shift()!
      if (chunk === undefined) to.end()
      else {
        queued -= chunk.length
        if (!to.write(chunk)) {
          state = 'blocked'
          to.once('drain', deliver)
          break
        }
      }
    }
    if (queued < limit) from.resume()
    if (!to.destroyed) wait()
  }
  from.on('data', (chunk) => {
    queued += chunk.length
    if (queued >= limit) from.pause()
    waiting.push({ at: take(chunk.length) + latency, chunk })
    wait()
  })
  from.once('end', () => {
    waiting.push({ at: take(0) + latency, chunk: undefined })
    wait()
  })
}

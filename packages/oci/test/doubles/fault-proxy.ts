import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Certificate } from './certificate.js'
import { drained } from './drained.js'
import { answerWith, type Fault } from './fault.js'
import { type Listening, listen } from './listen.js'
import type { TokenServer } from './token-server.js'

/** A request as it came. */
export interface SeenRequest {
  /** From 1, over all requests. */
  readonly number: number
  /** From 1, over those of the same method and address: `seen.attempt <= 3 ? fault : undefined` fails three times, then passes. */
  readonly attempt: number
  readonly method: string
  /** With its query. */
  readonly path: string
  /** By lower-case name. */
  readonly headers: IncomingHttpHeaders
}

export interface FaultProxyOptions {
  /** Where requests go on to: `http://127.0.0.1:5000`. They keep their `Host`, so that the server's addresses lead back here. */
  readonly target: string
  /** What goes wrong with this request. @default nothing does: the proxy only records */
  readonly fault?: (request: SeenRequest) => Fault | undefined
  /** Speak TLS with it. */
  readonly tls?: Certificate | undefined
  /** Stands before it, as that of a token server does: what it refuses is not seen here. */
  readonly guard?: TokenServer['guard'] | undefined
}

export interface FaultProxy extends Listening {
  /** All that came, in order: also what a host that was redirected to got to see. */
  readonly requests: readonly SeenRequest[]
  /** Bytes of bodies that were sent to clients, and received from them. */
  readonly bytes: { readonly sent: number; readonly received: number }
  /** Another function from now on. */
  setFault(fault: FaultProxyOptions['fault']): void
}

/**
 * A proxy before a plain HTTP server, which does to each request what a function says.
 * @example
 * const proxy = await startFaultProxy({ target: registry.url, fault: ({ path, attempt }) =>
 *   path.includes('/blobs/') && attempt === 1 ? { kind: 'cut', after: 1000 } : undefined })
 * t.after(() => proxy.close())
 */
export async function startFaultProxy({ target, fault: first, tls, guard }: FaultProxyOptions): Promise<FaultProxy> {
  const requests: SeenRequest[] = []
  const bytes = { sent: 0, received: 0 }
  const attempts = new Map<string, number>()
  let choose = first
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const method = request.method!
    const path = request.url!
    const attempt = (attempts.get(`${method} ${path}`) ?? 0) + 1
    attempts.set(`${method} ${path}`, attempt)
    const seen = { number: requests.length + 1, attempt, method, path, headers: request.headers }
    requests.push(seen)
    request.on('error', () => {}) // a client that disconnects is not a fault of the proxy
    response.on('error', () => {})
    const fault = choose?.(seen) ?? { kind: 'none' }
    if (fault.delay !== undefined) await sleep(fault.delay)
    const { socket } = response
    const before = socket?.bytesWritten ?? 0
    response.once('close', () => {
      bytes.sent += (socket?.bytesWritten ?? 0) - before
    })
    await perform(fault, request, response, target, (received) => {
      bytes.received += received
    })
  }
  const listening = await listen(guard?.(handle) ?? handle, { tls })
  return {
    ...listening,
    requests,
    bytes,
    setFault(fault) {
      choose = fault
    },
  }
}

async function perform(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  received: (bytes: number) => void,
): Promise<void> {
  switch (fault.kind) {
    case 'hang':
      return
    case 'reset':
      if (fault.when === 'before') request.socket.resetAndDestroy()
      break
    case 'answer':
      return answer(request, response, fault.status, fault.headers ?? {}, fault.body)
    case 'redirect':
      return answer(request, response, fault.status ?? 307, { location: `${fault.to}${request.url}` })
    case 'redirect-loop':
      return answer(request, response, 307, { location: request.url! })
  }
  if (request.socket.destroyed) return
  const forwarded = await forward(fault, request, response, target, received)
  if (forwarded === undefined) return
  if (fault.kind === 'reset') {
    for await (const _ of forwarded); // done when its answer is complete
    request.socket.resetAndDestroy()
  } else await answerWith(fault, forwarded, response).catch(() => response.destroy())
}

/** Reads the request to its end, else the client could not read the answer. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<void> {
  try {
    for await (const _ of request);
  } catch {
    return // the client disconnected
  }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? '' : body)
}

/** The server's answer; `undefined` where the connection broke before there was one. */
async function forward(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  received: (bytes: number) => void,
): Promise<IncomingMessage | undefined> {
  const { hostname, port } = new URL(target)
  const headers = request.headers
  // A connection for each request: one that is kept could end just when it is used again.
  const upstream = send({ hostname, port, method: request.method!, path: request.url!, headers, agent: false })
  response.once('close', () => upstream.destroy())
  const answered = new Promise<IncomingMessage | undefined>((resolve) => {
    upstream.once('response', resolve)
    upstream.once('error', () => {
      if (!response.headersSent) response.destroy()
      resolve(undefined)
    })
  })
  let sent = 0
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      const part = fault.kind === 'cut-request' ? chunk.subarray(0, fault.after - sent) : chunk
      sent += part.length
      received(part.length)
      if (!upstream.write(part) && !upstream.destroyed) await drained(upstream)
      if (fault.kind === 'cut-request' && sent === fault.after) {
        await new Promise((resolve) => setTimeout(resolve, 20)) // so that the server has them
        request.socket.resetAndDestroy()
        upstream.destroy()
        return undefined
      }
    }
    upstream.end()
  } catch {
    upstream.destroy()
    return undefined
  }
  return answered
}

// What can go wrong with a request, and how it is done to one that is on its way.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { drained } from './drained.js'

/** Bytes are those of the response's body, unless it says otherwise. */
export type Fault = {
  /** Milliseconds before anything else happens. @default 0 */
  readonly delay?: number
} & (
  | { readonly kind: 'none' }
  /** The connection breaks after so many bytes. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The connection breaks when the server was sent so many bytes of the request's body. */
  | { readonly kind: 'cut-request'; readonly after: number }
  /** The connection breaks without an answer: before the server sees the request, or when it has done what was asked. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** No answer, ever; the server does not see the request. */
  | { readonly kind: 'hang' }
  /** After so many bytes nothing more comes, and the connection stays. */
  | { readonly kind: 'stall'; readonly after: number }
  /** So many bytes at a time, with a pause between. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly every: number }
  /** The byte at that position has all its bits turned. */
  | { readonly kind: 'wrong-bytes'; readonly at: number }
  /** `Content-Length` is larger by that number (or smaller) than what the server sends; then the connection ends. */
  | { readonly kind: 'wrong-length'; readonly by: number }
  /** The body is repeated for ever, in chunks. */
  | { readonly kind: 'endless' }
  /** The body ends after so many bytes as if that were all, its length and the status as they should be for that. */
  | { readonly kind: 'short'; readonly after: number }
  /** An answer of the proxy's own; the server does not see the request. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** 307 to the same path and query of another host (`http://127.0.0.1:1234`). */
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** 307 to the same address, again and again. */
  | { readonly kind: 'redirect-loop' }
  /** The server's answer with headers set, or removed by `undefined`. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> }
)

/** 429 or 503 with `Retry-After`, in seconds. */
export function tooMany(retryAfter: number, status = 429): Fault {
  return {
    kind: 'answer',
    status,
    headers: { 'retry-after': String(retryAfter), 'content-type': 'application/json' },
    body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
  }
}

/** Passes the server's answer on, with the fault in it. */
export async function answerWith(fault: Fault, from: IncomingMessage, to: ServerResponse): Promise<void> {
  const headers = { ...from.headers }
  delete headers.connection
  delete headers['keep-alive']
  const length = Number(headers['content-length'])
  if (fault.kind === 'wrong-length') {
    headers['content-length'] = String(length + fault.by)
    headers.connection = 'close'
  }
  if (fault.kind === 'short' && length > fault.after) headers['content-length'] = String(fault.after)
  if (fault.kind === 'endless') delete headers['content-length']
  if (fault.kind === 'headers')
    for (const [name, value] of Object.entries(fault.headers))
      if (value === undefined) delete headers[name]
      else headers[name] = value
  to.strictContentLength = false
  to.writeHead(from.statusCode!, headers)
  to.flushHeaders()
  if (to.req.method === 'HEAD' || from.statusCode === 204) return void to.end() // there is no body that anything could go wrong with
  for await (const chunk of bodyWith(fault, from)) {
    if (to.destroyed) return
    if (!to.write(chunk) && !to.destroyed) await drained(to)
  }
  if (fault.kind === 'cut') await flushed(to).then(() => to.destroy())
  else if (fault.kind === 'wrong-length') await flushed(to).then(() => to.socket?.end())
  else if (fault.kind !== 'stall') to.end()
}

async function* bodyWith(fault: Fault, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let position = 0
  const all: Uint8Array[] = []
  for await (const bytes of body) {
    let chunk = bytes
    if (fault.kind === 'cut' || fault.kind === 'stall' || fault.kind === 'short') {
      chunk = chunk.subarray(0, fault.after - position)
      if (chunk.length > 0) yield chunk
      position += chunk.length
      if (position === fault.after) return
      continue
    }
    if (fault.kind === 'wrong-bytes' && fault.at >= position && fault.at < position + chunk.length) {
      chunk = chunk.slice()
      chunk[fault.at - position] = chunk[fault.at - position]! ^ 0xff
    }
    if (fault.kind === 'endless') all.push(chunk)
    position += chunk.length
    if (fault.kind === 'drip')
      for (let at = 0; at < chunk.length; at += fault.bytes) {
        yield chunk.subarray(at, at + fault.bytes)
        await sleep(fault.every)
      }
    else yield chunk
  }
  if (fault.kind === 'endless') for (const again = Buffer.concat([...all, Buffer.from('\n')]); ; ) yield again
}

/** When what was written is on its way; else a broken connection would take it along. */
function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = response
    if (socket === null || socket.destroyed) resolve()
    else socket.write('', () => setImmediate(resolve))
  })
}

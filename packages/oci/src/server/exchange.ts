import type { IncomingMessage, ServerResponse } from 'node:http'
import { joinChunks } from '../content.js'
import { RequestError } from './request-error.js'

/** A request that is being answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly query: URLSearchParams
  /** Aborted when the connection breaks before the answer is complete. */
  readonly signal: AbortSignal
}

/** An answer: headers, and a body, of which HEAD gets the length only. */
export function answer(
  { response, method }: Exchange,
  status: number,
  headers: Readonly<Record<string, string | number>>,
  body: Uint8Array | string = '',
): void {
  response.writeHead(status, { ...headers, ...(status !== 204 && { 'content-length': Buffer.byteLength(body) }) })
  response.end(method === 'HEAD' ? undefined : body)
}

export function answerJson(
  exchange: Exchange,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  answer(exchange, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value))
}

/** The request's body, whole. @throws RequestError 413 where it is longer than `limit` bytes */
export async function readBody({ request }: Exchange, limit: number, what: string): Promise<Uint8Array> {
  const tooLarge = (size: string) =>
    new RequestError(413, 'SIZE_INVALID', `${what} has ${size} bytes, more than the limit of ${limit}`)
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limit) throw tooLarge(String(declared))
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bodyOf(request)) {
    size += chunk.length
    if (size > limit) throw tooLarge(`at least ${size}`)
    chunks.push(chunk)
  }
  return joinChunks(chunks)
}

/** What comes of the body. Unlike the request's own iterator, leaving it early does not break the connection: there is an answer to send. */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
}

/** Bytes of a refused body that are read all the same: the client may not look for an answer before it has sent all. */
const DRAIN_LIMIT = 16 << 20

/** Reads what is left of the body, within a limit. Gives whether that was all of it. */
export async function drain(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > DRAIN_LIMIT) return request.complete
  let size = 0
  for await (const chunk of bodyOf(request)) {
    size += chunk.length
    if (size > DRAIN_LIMIT) return false
  }
  return true
}

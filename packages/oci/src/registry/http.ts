import { setMaxListeners } from 'node:events'
import { gunzipSync, inflateSync } from 'node:zlib'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { joinChunks } from '../content.js'
import { StoreError } from '../error.js'
import { type AnswerHead, Incoming, type Take } from './incoming.js'
import { connectionFailure, proxyRefusal } from './network-failure.js'
import { type Pace, ProgressClock } from './progress-clock.js'
import { type HttpProxy, type ProxyFor, proxiesFrom } from './proxy.js'
import { readBuffers } from './read-buffers.js'
import { redactUrl } from './redact.js'
import { TransientError } from './transient.js'

export type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface HttpRequest {
  readonly method: Method
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The `Authorization` header. It goes to the origin of `url` only, wherever the answer points to. */
  readonly authorization?: string | undefined
  /** Bytes, or a function that gives them from their start each time. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>) | undefined
  /** `within`: a redirect to another origin is an answer, not a way to go. @default 'follow' */
  readonly redirects?: 'follow' | 'within' | undefined
  /** Whether a body that is a function can be sent again. @default true */
  readonly repeatable?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HttpResponse {
  readonly status: number
  /** Where it came from in the end. */
  readonly url: URL
  /** Whether that is another origin than was asked. */
  readonly moved: boolean
  /** `GET https://host/path`, for messages. */
  readonly request: string
  header(name: string): string | undefined
  /** The body, chunk by chunk as it comes. It is to be taken once, by this, by `bytes`, or by `discard`. */
  deliver(take: Take): Promise<void>
  /** The body whole. @throws StoreError PROTOCOL where it has more than `limit` bytes */
  bytes(limit: number): Promise<Uint8Array>
  discard(): void
}

export interface HttpOptions {
  /** Take any certificate. @default false */
  readonly insecure?: boolean | undefined
  /** Milliseconds until a server must have taken a connection. @default 15,000 */
  readonly connectTimeout?: number | undefined
  /** Milliseconds until a server must have answered, its answer's body aside. @default 60,000 */
  readonly answerTimeout?: number | undefined
  /** Milliseconds for the answer to an upload, which a registry may have to copy before it answers. @default 600,000 */
  readonly uploadTimeout?: number | undefined
  /** The slowest body that is waited for, either way. @default 16 KiB in 30 s */
  readonly pace?: Pace | undefined
  /** Milliseconds without an answer after which `onNotice` is called. @default 10,000 */
  readonly silenceNotice?: number | undefined
  /** Called with a line for the user about what delays the work. @default not reported */
  readonly onNotice?: ((message: string) => void) | undefined
  /** Where proxies are named. @default process.env */
  readonly environment?: NodeJS.ProcessEnv | undefined
}

const REDIRECTS = 10
const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308])
const CONNECT_TIMEOUT = 15_000 // ms
const HEADER_SIZE = 64 << 10
/** Bytes of an answer that are read for nothing, so that its connection can be used again. */
const DISCARDED = 64 << 10

/**
 * One request and its answer, with any status, over connections that are kept. Redirects are followed here, as undici would send the
 * `Authorization` along. Proxies come from the environment, see `proxiesFrom`.
 */
export class Http {
  readonly #direct: Dispatcher
  /** For TLS through proxies, by the proxy's address. */
  readonly #tunnels = new Map<string, Dispatcher>()
  readonly #openTunnel: (proxy: HttpProxy) => Dispatcher
  readonly #proxyFor: ProxyFor
  readonly #answerTimeout: number
  readonly #uploadTimeout: number
  readonly #pace: Pace
  readonly #silenceNotice: number
  readonly #onNotice: ((message: string) => void) | undefined

  constructor(options: HttpOptions = {}) {
    const connect = {
      timeout: options.connectTimeout ?? CONNECT_TIMEOUT,
      ...(options.insecure === true && { rejectUnauthorized: false }),
    }
    // Time-outs are ours, see ProgressClock. A socket that the server has closed in between shows as a reset, which is tried again.
    const onread = readBuffers(HEADER_SIZE)
    const limits = { headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: HEADER_SIZE }
    this.#direct = new Agent({ ...limits, connect: { ...connect, onread } })
    this.#openTunnel = ({ url, authorization }) =>
      new ProxyAgent({ ...limits, uri: url.href, requestTls: connect, ...(authorization && { token: authorization }) })
    this.#proxyFor = proxiesFrom(options.environment ?? process.env)
    this.#answerTimeout = options.answerTimeout ?? 60_000
    this.#uploadTimeout = options.uploadTimeout ?? 600_000
    this.#pace = options.pace ?? { bytes: 16 << 10, milliseconds: 30_000 }
    this.#silenceNotice = options.silenceNotice ?? 10_000
    this.#onNotice = options.onNotice
  }

  /**
   * @throws TransientError UNREACHABLE where no answer came; StoreError UNREACHABLE where it never will (no such host, no trust), PROTOCOL for
   * redirects that must not be followed; the signal's reason
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let { url } = request
    let { authorization } = request
    for (let redirects = 0; ; redirects++) {
      const response = await this.#exchange({ ...request, url, authorization }, url.origin !== request.url.origin)
      const location = response.header('location')
      if (!REDIRECT_STATUS.has(response.status) || location === undefined) return response
      const next = redirectTarget(location, response)
      if (request.redirects === 'within' && next.origin !== request.url.origin) return response
      response.discard()
      if (redirects === REDIRECTS)
        throw new StoreError('PROTOCOL', `${response.request} was redirected more than ${REDIRECTS} times: a loop`)
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        // Only these keep method and body, and what is written goes to no other origin
        const isSame = (response.status === 307 || response.status === 308) && next.origin === request.url.origin
        if (!isSame || (typeof request.body === 'function' && request.repeatable === false))
          throw refusedRedirect(response, next)
      }
      url = next
      if (url.origin !== request.url.origin) authorization = undefined // for good, even if the way leads back
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct, ...this.#tunnels.values()].map((dispatcher) => dispatcher.destroy()))
  }

  /** TLS goes through a tunnel that the proxy makes (CONNECT); plain HTTP is sent to the proxy itself, with the whole address as its path. */
  #route(url: URL, proxy: HttpProxy | undefined): Route {
    const path = url.pathname + url.search
    if (proxy === undefined) return { dispatcher: this.#direct, origin: url.origin, path, headers: {} }
    if (url.protocol === 'http:') {
      const { authorization } = proxy
      const headers = { host: url.host, ...(authorization !== undefined && { 'proxy-authorization': authorization }) }
      return { dispatcher: this.#direct, origin: proxy.url.origin, path: url.origin + path, headers }
    }
    let dispatcher = this.#tunnels.get(proxy.url.href)
    if (dispatcher === undefined) {
      dispatcher = this.#openTunnel(proxy)
      this.#tunnels.set(proxy.url.href, dispatcher)
    }
    return { dispatcher, origin: url.origin, path, headers: {} }
  }

  async #exchange(request: HttpRequest, moved: boolean): Promise<HttpResponse> {
    const { method, url, signal } = request
    const what = `${method} ${redactUrl(url)}`
    signal?.throwIfAborted()
    const proxy = this.#proxyFor(url)
    const onAbort = () => incoming.abort(asError(signal?.reason))
    const incoming = new Incoming(() => signal?.removeEventListener('abort', onAbort))
    if (signal !== undefined) setMaxListeners(0, signal) // each request under way has one: no leak
    signal?.addEventListener('abort', onAbort)
    const fail = (error: unknown) => (signal?.aborted ? signal.reason : connectionFailure(error, what, url, proxy))
    let timer: NodeJS.Timeout | undefined
    let settled = false
    const silence = this.#watchSilence(request, incoming)
    const awaitAnswer = (milliseconds: number) => {
      // The answer, or the connection's end, may come before the body's: what nobody waits for must not keep the process.
      if (settled) return
      clearTimeout(timer)
      const late = () =>
        incoming.abort(
          new TransientError('UNREACHABLE', `${what}: no answer in ${milliseconds / 1000} seconds`, {
            brief: `no answer from ${url.host}`,
          }),
        )
      timer = setTimeout(late, milliseconds)
    }
    const body = this.#uploadBody(request, what, incoming, awaitAnswer)
    try {
      if (typeof request.body !== 'function')
        awaitAnswer(request.body === undefined || request.body.length === 0 ? this.#answerTimeout : this.#uploadTimeout)
      const { dispatcher, origin, path, headers } = this.#route(url, proxy)
      const options = {
        origin,
        path,
        method,
        // undici ends a connection after HEAD, as a server may send a body all the same: the next request would fail by that, and be tried again
        ...(method === 'HEAD' && { reset: false }),
        headers: {
          'user-agent': 'sociable',
          ...headers,
          ...request.headers,
          ...(request.authorization !== undefined && { authorization: request.authorization }),
        },
        ...(body !== undefined && { body: body as Dispatcher.DispatchOptions['body'] & object }),
      }
      dispatcher.dispatch(options, incoming)
      const head = await incoming.head
      if (head.status === 407 && proxy !== undefined) {
        incoming.discard(DISCARDED)
        throw proxyRefusal(407, what, proxy)
      }
      return this.#response(head, incoming, { url, moved, what, method, fail })
    } catch (error) {
      throw fail(error)
    } finally {
      settled = true
      clearTimeout(timer)
      clearTimeout(silence)
    }
  }

  /** Reports a server that stays silent. An upload's answer may take longer, as the registry may have to copy the blob first. */
  #watchSilence({ body, url }: HttpRequest, incoming: Incoming): NodeJS.Timeout | undefined {
    const report = this.#onNotice
    if (report === undefined || typeof body === 'function') return undefined
    const seconds = this.#silenceNotice / 1000
    return setTimeout(() => {
      const so = incoming.isSent
        ? `${url.host} accepted the request but has not answered for ${seconds} s`
        : `no ${url.protocol === 'https:' ? 'TLS connection' : 'connection'} to ${url.host} after ${seconds} s`
      report(`${so}: still waiting`)
    }, this.#silenceNotice)
  }

  /** The body under a clock of its own: it stalls where the server takes no more; and from its end the answer is awaited. */
  #uploadBody(
    { body }: HttpRequest,
    what: string,
    incoming: Incoming,
    awaitAnswer: (milliseconds: number) => void,
  ): Uint8Array | AsyncIterable<Uint8Array> | undefined {
    if (typeof body !== 'function') return body
    const clock = new ProgressClock(this.#pace, () => incoming.abort(stalled(what, 'the upload', this.#pace)))
    const end = () => awaitAnswer(this.#uploadTimeout)
    return (async function* () {
      for await (const chunk of body()) {
        clock.waiting()
        try {
          yield chunk
        } finally {
          clock.arrived(chunk.length)
        }
      }
      end()
    })()
  }

  #response({ status, headers }: AnswerHead, incoming: Incoming, context: ResponseContext): HttpResponse {
    const { url, moved, what, method, fail } = context
    const pace = this.#pace
    async function deliver(take: Take): Promise<void> {
      const clock = new ProgressClock(pace, () => incoming.abort(stalled(what, 'the answer', pace)))
      let refusal: unknown
      clock.waiting()
      try {
        await incoming.deliver((chunk) => {
          clock.arrived(chunk.length)
          try {
            const more = take(chunk)
            if (more instanceof Promise) return more.then(() => clock.waiting())
            clock.waiting()
            return more
          } catch (error) {
            refusal = error
            throw error
          }
        })
      } catch (error) {
        throw error === refusal ? error : fail(error)
      } finally {
        clock.arrived(0)
      }
    }
    const discard = () => incoming.discard(DISCARDED)
    if (method === 'HEAD') discard()
    return {
      status,
      url,
      moved,
      request: what,
      header: (name) => {
        const value = headers[name]
        return Array.isArray(value) ? value.join(', ') : value
      },
      deliver,
      discard,
      async bytes(limit) {
        const read: Uint8Array[] = []
        let size = 0
        await deliver((chunk) => {
          size += chunk.length
          if (size > limit)
            throw new StoreError('PROTOCOL', `${what} answered with more than the limit of ${limit} bytes`)
          read.push(new Uint8Array(chunk)) // a copy, which `slice` of a Buffer is not
          return undefined
        })
        return decoded(joinChunks(read), headers['content-encoding'], limit, what)
      },
    }
  }
}

/** The body without a compression that was not asked for, as some proxies and caches add it. */
function decoded(bytes: Uint8Array, encoding: string | string[] | undefined, limit: number, what: string): Uint8Array {
  const decode =
    DECODERS[
      String(encoding ?? '')
        .trim()
        .toLowerCase()
    ]
  if (decode === undefined || bytes.length === 0) return bytes
  try {
    return new Uint8Array(decode(bytes, { maxOutputLength: limit }))
  } catch (cause) {
    throw new StoreError(
      'PROTOCOL',
      `${what} answers with a body that is not valid ${String(encoding)}, or has more than ${limit} bytes`,
      { cause },
    )
  }
}

const DECODERS: Readonly<Record<string, typeof gunzipSync>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
}

/** How a request gets on its way. */
interface Route {
  readonly dispatcher: Dispatcher
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

interface ResponseContext {
  readonly url: URL
  readonly moved: boolean
  readonly what: string
  readonly method: Method
  fail(error: unknown): unknown
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

function stalled(what: string, stream: string, { bytes, milliseconds }: Pace): TransientError {
  return new TransientError(
    'UNREACHABLE',
    `${what}: ${stream} has stalled: fewer than ${bytes} bytes in ${milliseconds / 1000} seconds`,
  )
}

function redirectTarget(location: string, { url, request }: HttpResponse): URL {
  // Not with the error of URL as its cause: that holds the address, which may be presigned.
  if (!URL.canParse(location, url.href))
    throw new StoreError('PROTOCOL', `${request} was redirected to an invalid address`)
  const target = new URL(location, url)
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && url.protocol === 'http:'))
    throw new StoreError(
      'PROTOCOL',
      `${request} was redirected from ${url.protocol}// to ${redactUrl(target)}, which is not followed: it would not be private`,
    )
  return target
}

function refusedRedirect({ request, status }: HttpResponse, next: URL): StoreError {
  return new StoreError(
    'PROTOCOL',
    `${request} was redirected (${status}) to ${redactUrl(next)}: uploads are not sent to another host; name the registry by that address`,
  )
}

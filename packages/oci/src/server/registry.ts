import type { IncomingMessage, ServerResponse } from 'node:http'
import { deleteBlob, getBlob } from './blob-requests.js'
import { Budget } from './budget.js'
import { answerJson, drain, type Exchange } from './exchange.js'
import { deleteManifest, getManifest, putManifest } from './manifest-requests.js'
import { listReferrers } from './referrer-requests.js'
import type { Repositories, ServedStore } from './repositories.js'
import { asRequestError, RequestError } from './request-error.js'
import { parseRoute, type Route } from './route.js'
import type { Served } from './served.js'
import { listRepositories, listTags } from './tag-requests.js'
import { beginUpload, cancelUpload, continueUpload, finishUpload, uploadStatus } from './upload-requests.js'
import { Uploads } from './uploads.js'

export interface RegistryOptions {
  readonly repositories: Repositories
  /** Whether whatever would change something is refused. @default false */
  readonly readOnly?: boolean | undefined
  /** Entries of a list's page, whatever a client asks for. @default 10000 */
  readonly pageSize?: number | undefined
  /** Bytes of the largest blob that is taken. @default 1 TiB, beyond what disks of today have for one layer */
  readonly blobLimit?: number | undefined
  /** Uploads at once. @default 1000 */
  readonly uploadLimit?: number | undefined
  /** Milliseconds after which an upload that nobody goes on with is dropped. @default 1 h */
  readonly uploadExpiry?: number | undefined
  /** Called with errors of the server itself, of which the client only sees status 500. @default not reported */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** Bytes of all manifests that are being received at once: each may have 4 MiB. */
const BODIES_LIMIT = 64 << 20

/** A registry (distribution-spec v1.1.1) over stores: `handle` answers the requests of any HTTP server. */
export class Registry implements Served {
  readonly repositories: Repositories
  readonly uploads: Uploads
  readonly bodies = new Budget(BODIES_LIMIT)
  readonly pageSize: number
  readonly blobLimit: number
  readonly #readOnly: boolean
  readonly #onError: ((error: unknown) => void) | undefined

  constructor(options: RegistryOptions) {
    this.repositories = options.repositories
    this.uploads = new Uploads(options.uploadLimit ?? 1000, options.uploadExpiry ?? 3600_000)
    this.pageSize = options.pageSize ?? 10_000
    this.blobLimit = options.blobLimit ?? 2 ** 40
    this.#readOnly = options.readOnly ?? false
    this.#onError = options.onError
  }

  /** Answers a request; with what `check` throws, where it does. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse, check = () => {}): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client disconnected'))
    })
    request.on('error', () => {}) // seen by whoever reads the body
    response.on('error', () => {})
    const [path = '', query] = (request.url ?? '').split('?', 2)
    const exchange = {
      request,
      response,
      method: request.method ?? '',
      query: new URLSearchParams(query),
      signal: gone.signal,
    }
    response.setHeader('docker-distribution-api-version', 'registry/2.0')
    response.setHeader('x-content-type-options', 'nosniff')
    try {
      check()
      await this.#dispatch(exchange, path)
    } catch (error) {
      if (!isDeparture(error, gone.signal)) await this.#fail(exchange, error)
    }
  }

  /** Drops the uploads that are under way, and closes the stores. */
  async close(): Promise<void> {
    await this.uploads.close()
    await this.repositories.close()
  }

  /** @throws RequestError NAME_UNKNOWN */
  async repository(name: string): Promise<ServedStore> {
    const store = await this.repositories.open(name)
    if (store === undefined) throw new RequestError(404, 'NAME_UNKNOWN', `there is no repository ${name}`)
    return store
  }

  async #dispatch(exchange: Exchange, path: string): Promise<void> {
    const { method, request } = exchange
    // Only browsers send it: a web page must not write to a registry on the machine of whoever looks at it.
    if (request.headers.origin !== undefined && method !== 'GET' && method !== 'HEAD')
      throw new RequestError(403, 'DENIED', 'web pages must not write to this registry')
    const route = parseRoute(path)
    const methods = this.#methods(exchange, route)
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined
    const writes = !(method === 'GET' || method === 'HEAD')
    if (run === undefined || (writes && this.#readOnly)) {
      const allowed = Object.keys(methods).filter((name) => !this.#readOnly || name === 'GET' || name === 'HEAD')
      const why = run === undefined ? `${method} is not supported here` : 'this registry is read-only'
      throw new RequestError(405, 'UNSUPPORTED', why, { allow: allowed.join(', ') })
    }
    await run()
  }

  /** What can be done at an endpoint. */
  #methods(exchange: Exchange, route: Route): Record<string, () => Promise<void> | void> {
    const both = (run: () => Promise<void> | void) => ({ GET: run, HEAD: run })
    switch (route.kind) {
      case 'base':
        return both(() => answerJson(exchange, 200, {}))
      case 'catalog':
        return both(() => listRepositories(this, exchange))
      case 'tags':
        return both(() => listTags(this, exchange, route.repository))
      case 'referrers':
        return both(() => listReferrers(this, exchange, route.repository, route.digest))
      case 'blob':
        return {
          ...both(() => getBlob(this, exchange, route.repository, route.digest)),
          DELETE: () => deleteBlob(this, exchange, route.repository, route.digest),
        }
      case 'manifest':
        return {
          ...both(() => getManifest(this, exchange, route.repository, route.reference)),
          PUT: () => putManifest(this, exchange, route.repository, route.reference),
          DELETE: () => deleteManifest(this, exchange, route.repository, route.reference),
        }
      case 'uploads':
        return { POST: () => beginUpload(this, exchange, route.repository) }
      case 'upload':
        return {
          ...both(() => uploadStatus(this, exchange, route.repository, route.id)),
          PATCH: () => continueUpload(this, exchange, route.repository, route.id),
          PUT: () => finishUpload(this, exchange, route.repository, route.id),
          DELETE: () => cancelUpload(this, exchange, route.repository, route.id),
        }
    }
  }

  async #fail(exchange: Exchange, error: unknown): Promise<void> {
    const { request, response } = exchange
    const answer = asRequestError(error) ?? new RequestError(500, 'UNKNOWN', 'the registry failed')
    if (answer.status >= 500) this.#onError?.(error)
    if (response.destroyed) return
    if (response.headersSent) {
      response.destroy() // that the body is not complete must be seen
      return
    }
    const complete = await drain(request).catch(() => false)
    answerJson(
      exchange,
      answer.status,
      { errors: [{ code: answer.code, message: answer.message }] },
      {
        ...answer.headers,
        ...(!complete && { connection: 'close' }),
      },
    )
  }
}

/** Whether it is an error for no other reason than that the client disconnected. */
function isDeparture(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return error === signal.reason || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET'
}

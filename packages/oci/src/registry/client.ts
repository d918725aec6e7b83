import { StoreError } from '../error.js'
import { READ_AHEAD } from '../read-ahead.js'
import type { CallOptions } from '../store.js'
import { Authenticator } from './auth.js'
import { ChunkPool } from './chunk-pool.js'
import type { Credentials } from './credentials/credential.js'
import { defaultCredentials } from './credentials/default.js'
import { ECR_IMAGES, type EcrImagesApi } from './ecr-images.js'
import { type Explanation, failureOf, readRefusal } from './failure.js'
import { apiHost, isLoopback } from './hosts.js'
import { Http, type HttpOptions, type HttpRequest, type HttpResponse } from './http.js'
import { ecrImmutableTags, type ImmutableTags } from './immutable-tags.js'
import { MemoryBudget } from './memory-budget.js'
import { tlsProblem } from './network-failure.js'
import { RETRY_POLICY, type RetryPolicy, retrying } from './retry.js'
import type { Scopes } from './scope.js'
import { TransientError } from './transient.js'

/**
 * For which registries something holds: all, none, those of these names, or those that need it. One that turns out to need it gets no login: whoever sits
 * between could have made it need it.
 */
export type ForRegistries = boolean | 'as needed' | readonly string[]

export interface RegistryOptions extends Omit<HttpOptions, 'insecure'> {
  /** Speak HTTP without TLS. @default only with this machine, and only if no TLS is spoken there */
  readonly plainHttp?: ForRegistries | undefined
  /** Take any certificate. @default false */
  readonly insecure?: ForRegistries | undefined
  /** @default `defaultCredentials()`: docker's and podman's files, and AWS's chain for ECR */
  readonly credentials?: Credentials | undefined
  /** @default `ecrImmutableTags()`: ECR is asked, by AWS's chain */
  readonly immutableTags?: ImmutableTags | undefined
  /** @default ECR's API, by AWS's chain */
  readonly ecrImages?: EcrImagesApi | undefined
  /** Bytes that all downloads together hold ahead of their readers. @default 40 MiB */
  readonly memory?: number | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Called, once each, with what a user should know although the work continues. @default not reported */
  readonly onNotice?: ((message: string) => void) | undefined
}

const PART_SIZE = 8 << 20 // S3 recommends 8–16 MB for ranged requests
const SMALLEST_PART = 1 << 20
const PARTS_AHEAD = 5
/** What a registry may answer to a client without a login. */
const HIDING = [401, 403, 404]
/** "Your authorization token has expired. Reauthenticate and try again." */
const EXPIRED = /token (?:has )?expired|expired token/i

/**
 * What the stores of one run share: connections, logins, and the memory for reading ahead. To be closed when the last of its stores is.
 * @example
 * const registries = new RegistryClient({ memory: 128 << 20 })
 * const store = await openStore('host/app:1', { registries })
 */
export class RegistryClient {
  /** @internal */
  readonly policy: RetryPolicy
  /** @internal Memory that all downloads share. */
  readonly budget: MemoryBudget
  /** @internal Buffers that all downloads share. */
  readonly pool: ChunkPool
  /** Bytes of the ranges that a large download is made of. */
  readonly partSize: number
  readonly immutableTags: ImmutableTags
  readonly ecrImages: EcrImagesApi
  readonly #options: RegistryOptions
  readonly #credentials: Credentials
  readonly #registries = new Map<string, Promise<Registry>>()
  readonly #notices = new Set<string>()
  readonly #http: Http
  /** For registries whose certificate is not verified. */
  #insecureHttp: Http | undefined

  constructor(options: RegistryOptions = {}) {
    this.#options = options
    this.#credentials = options.credentials ?? defaultCredentials()
    this.immutableTags = options.immutableTags ?? ecrImmutableTags()
    this.ecrImages = options.ecrImages ?? ECR_IMAGES
    this.#http = new Http(httpOptions(options))
    this.policy = { ...RETRY_POLICY, onRetry: options.onNotice, ...options.retry }
    this.budget = new MemoryBudget(options.memory ?? READ_AHEAD)
    this.pool = new ChunkPool(this.budget.capacity)
    this.partSize = Math.max(SMALLEST_PART, Math.min(PART_SIZE, Math.floor(this.budget.capacity / PARTS_AHEAD)))
  }

  /** Tells the user, once for each message. */
  notice(message: string): void {
    if (this.#notices.has(message)) return
    this.#notices.add(message)
    this.#options.onNotice?.(message)
  }

  /** The registry of that name (`docker.io`, `host:port`). */
  async registry(name: string, { signal }: CallOptions = {}): Promise<Registry> {
    const known = this.#registries.get(name)
    if (known !== undefined) return known
    const found = this.#reach(name, signal).then((way) => new Registry(name, way, this, this.#credentials))
    this.#registries.set(name, found)
    found.catch(() => this.#registries.delete(name))
    return found
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#http.close(), this.#insecureHttp?.close()])
  }

  /** How the registry of that name is reached. */
  async #reach(name: string, signal: AbortSignal | undefined): Promise<Way> {
    const host = apiHost(name)
    const https = new URL(`https://${host}`)
    const plain = new URL(`http://${host}`)
    const { plainHttp, insecure } = this.#options
    const http =
      holdsFor(insecure, name) || (insecure === 'as needed' && isLoopback(host)) ? this.#insecure() : this.#http
    if (holdsFor(plainHttp, name)) return { origin: plain, http }
    if (isLoopback(host) && plainHttp !== false)
      return { origin: (await this.#wantsTls(plain, signal)) ? https : plain, http }
    if (plainHttp !== 'as needed' && insecure !== 'as needed') return { origin: https, http }
    const problem = await this.#tlsProblem(https, signal)
    if (problem === 'no TLS' && plainHttp === 'as needed')
      return {
        origin: plain,
        http,
        withholdsLogin: `its login is not sent without TLS: name it as one without TLS (--plain-http-registry ${name})`,
      }
    if (problem === 'untrusted' && insecure === 'as needed')
      return {
        origin: https,
        http: this.#insecure(),
        withholdsLogin: `its login is not sent, as its certificate is not trusted: name it as one to accept any certificate of (--insecure-registry ${name})`,
      }
    return { origin: https, http }
  }

  #insecure(): Http {
    this.#insecureHttp ??= new Http({ ...httpOptions(this.#options), insecure: true })
    return this.#insecureHttp
  }

  /** The status of the API's base. @throws StoreError where no answer comes */
  async #askBase(origin: URL, signal: AbortSignal | undefined): Promise<number> {
    const url = new URL('/v2/', origin)
    const response = await this.#http.send({ method: 'GET', url, redirects: 'within', signal })
    response.discard()
    return response.status
  }

  /** What keeps TLS from being spoken with a registry as it should; undefined for nothing, or for what has another cause. */
  async #tlsProblem(origin: URL, signal: AbortSignal | undefined): Promise<'no TLS' | 'untrusted' | undefined> {
    try {
      await this.#askBase(origin, signal)
      return undefined
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return tlsProblem(error.cause)
    }
  }

  /** Go's servers answer 400 to HTTP where they want TLS; others break off. One that is not there at all is asked as plain HTTP is. */
  async #wantsTls(origin: URL, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.#askBase(origin, signal)) === 400
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      if (error instanceof TransientError && error.cause === undefined) throw error // connected and silent: not a matter of TLS
      const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined
      return code !== 'ECONNREFUSED' && code !== 'ENOTFOUND'
    }
  }
}

/** How a registry is reached. */
interface Way {
  readonly origin: URL
  readonly http: Http
  /** Why it gets no login. */
  readonly withholdsLogin?: string
}

const holdsFor = (registries: ForRegistries | undefined, name: string): boolean =>
  registries === true || (typeof registries === 'object' && registries.includes(name))

function httpOptions({ insecure: _, ...options }: RegistryOptions): HttpOptions {
  return options
}

export interface RegistryRequest extends Omit<HttpRequest, 'authorization' | 'url'> {
  /** A path of the registry (`/v2/…`), or an address that it gave, which gets no `Authorization` where it is elsewhere. */
  readonly url: string | URL
  readonly scopes: Scopes
  /** Statuses that are an answer; all others are an error. */
  readonly expect: readonly number[]
  /** Statuses that are an answer where they come from another origin, as of a storage that the registry points to. */
  readonly expectElsewhere?: readonly number[] | undefined
}

/** One registry: requests that log in, and try again what may pass. */
export class Registry {
  readonly name: string
  readonly origin: URL
  readonly http: Http
  readonly client: RegistryClient
  readonly #auth: Authenticator

  constructor(name: string, { origin, http, withholdsLogin }: Way, client: RegistryClient, credentials: Credentials) {
    this.name = name
    this.origin = origin
    this.http = http
    this.client = client
    const withheld: Credentials = async (_, request) => {
      request?.note?.(withholdsLogin!)
      return undefined
    }
    const given = withholdsLogin === undefined ? credentials : withheld
    this.#auth = new Authenticator({ registry: name, credentials: given, http, policy: client.policy })
  }

  /**
   * @throws StoreError UNAUTHORIZED, DENIED, NOT_FOUND, RATE_LIMITED, UNREACHABLE, PROTOCOL with the request, without secrets, and what to do
   */
  send(request: RegistryRequest): Promise<HttpResponse> {
    return retrying(this.client.policy, request.signal, () => this.once(request))
  }

  /** As `send`, and asked once: what may pass is a `TransientError`. */
  async once(request: RegistryRequest, again = false): Promise<HttpResponse> {
    const { response, used } = await this.#authorized(request)
    const { expect, expectElsewhere = [] } = request
    if (expect.includes(response.status) || (response.moved && expectElsewhere.includes(response.status)))
      return response
    if (response.status === 401 && !response.moved) throw await this.#auth.unauthorized(response)
    const refusal = await readRefusal(response, await this.#auth.secrets())
    // Not by a challenge but so does ECR say that a login has ended; to HEAD it says nothing.
    if (response.status === 403 && !response.moved && (request.method === 'HEAD' || EXPIRED.test(refusal.detail)))
      if (!again && isRepeatable(request) && (await this.#auth.expired(used))) return this.once(request, true)
    throw failureOf(response, refusal, await this.#explain(response))
  }

  /** The refusal of an answer that `expect` let through, as an error. */
  async failure(
    response: HttpResponse,
  ): Promise<{ readonly error: StoreError; readonly code: string; readonly detail: string }> {
    const refusal = await readRefusal(response, await this.#auth.secrets())
    const error = failureOf(response, refusal, await this.#explain(response))
    return { error, code: refusal.code, detail: refusal.detail }
  }

  async #explain({ status, moved }: HttpResponse): Promise<Explanation> {
    if (status === 403 && !moved) return this.#auth.explain()
    if (status === 403) return { because: 'the storage refuses the address that the registry gave' }
    if (status === 405) return { because: 'the registry does not allow that' }
    if (status === 404)
      return {
        because: 'it does not exist, or this login cannot see it: check the registry, the repository and the tag',
      }
    if (status === 413) return { because: 'it is too large for this registry, or for a proxy before it' }
    return {}
  }

  async #authorized(
    request: RegistryRequest,
  ): Promise<{ readonly response: HttpResponse; readonly used: string | undefined }> {
    const url = typeof request.url === 'string' ? new URL(request.url, this.origin) : request.url
    const { http } = this
    const { scopes, signal } = request
    if (url.origin !== this.origin.origin) return { response: await http.send({ ...request, url }), used: undefined }
    const used = await this.#auth.authorization(scopes, signal)
    const sent = performance.now()
    const response = await http.send({ ...request, url, authorization: used })
    if (response.moved || !isRepeatable(request)) return { response, used }
    if (response.status === 401 && (used !== undefined || response.header('www-authenticate') !== undefined)) {
      const authorization = await this.#auth.renewed(response, { used, sent }, scopes, signal)
      response.discard()
      return { response: await http.send({ ...request, url, authorization }), used: authorization }
    }
    // Some registries say how to log in at /v2/ only, and to others that what they hide is not there
    if (used !== undefined || !HIDING.includes(response.status)) return { response, used }
    const authorization = await this.#auth.learn(this.origin, scopes, signal)
    if (authorization === undefined && response.status === 401)
      await this.#auth.renewed(response, { used, sent }, scopes, signal) // which says that there is no way to log in
    if (authorization === undefined) return { response, used }
    response.discard()
    return { response: await http.send({ ...request, url, authorization }), used: authorization }
  }
}

function isRepeatable({ repeatable = true }: RegistryRequest): boolean {
  return repeatable
}

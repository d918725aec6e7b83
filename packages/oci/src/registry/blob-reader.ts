import type { Descriptor } from '../document/descriptor.js'
import { sizeMismatch } from '../document/digest.js'
import { StoreError } from '../error.js'
import type { Registry } from './client.js'
import { failureOf, readRefusal } from './failure.js'
import type { HttpResponse } from './http.js'
import { repositoryScope } from './scope.js'

/** The answer to a wish for some bytes of a blob: those, or the whole of it from its start. */
export interface OpenedBlob {
  readonly kind: 'range' | 'whole'
  readonly response: HttpResponse
}

/** What storage answers if an address that it gave out has expired (S3 403, GCS 400, Azure 403, and what others do). */
const EXPIRED = [400, 401, 403, 404, 410]
/** How many new addresses in a row may fail before the download fails. */
const RENEWALS = 3

/**
 * Opens ranges of one blob of a registry. Where the registry redirects to an object storage, the address is kept and asked directly from then on;
 * when it has expired, one of the readers asks the registry for another, and the others wait for it.
 */
export class BlobReader {
  readonly descriptor: Descriptor
  readonly #registry: Registry
  readonly #repository: string
  #address: URL | undefined
  #renewal: Promise<unknown> | undefined
  /** False once a range was asked for, and not given. */
  #ranges = true

  constructor(registry: Registry, repository: string, descriptor: Descriptor) {
    this.#registry = registry
    this.#repository = repository
    this.descriptor = descriptor
  }

  /** Bytes [start, end). Asked once: what may pass is a `TransientError`. */
  async open(start: number, end: number, signal: AbortSignal | undefined): Promise<OpenedBlob> {
    const { size } = this.descriptor
    for (let renewals = 0; ; renewals++) {
      const ranged = this.#ranges && !(start === 0 && end === size)
      const headers = {
        // What is hashed is what is stored.
        'accept-encoding': 'identity',
        ...(ranged && { range: `bytes=${start}-${end - 1}` }),
      }
      const response = await this.#ask(headers, renewals, signal)
      if (response === undefined) continue
      const kind = this.#classify(response, start, end)
      if (kind !== undefined) return { kind, response }
      // Ranges are not offered, and it is said in an odd way: from now on the whole is asked for.
      response.discard()
      if (!ranged)
        throw new StoreError('PROTOCOL', `${response.request} answered ${response.status} to a request for all of it`)
      this.#ranges = false
    }
  }

  /** Undefined where the address has expired meanwhile: then ask again. */
  async #ask(
    headers: Readonly<Record<string, string>>,
    renewals: number,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse | undefined> {
    const address = this.#address
    if (address !== undefined) {
      const response = await this.#registry.http.send({ method: 'GET', url: address, headers, signal })
      if ([200, 206, 416].includes(response.status)) return response
      if (!EXPIRED.includes(response.status) || renewals >= RENEWALS)
        throw failureOf(response, await readRefusal(response))
      response.discard()
    }
    if (this.#renewal !== undefined) {
      await this.#renewal.catch(() => {}) // its own reader hears of a failure; we ask for ourselves
      signal?.throwIfAborted()
      return undefined
    }
    if (address !== this.#address) return undefined
    const asked = this.#registry.once({
      method: 'GET',
      url: `/v2/${this.#repository}/blobs/${this.descriptor.digest}`,
      headers,
      scopes: repositoryScope(this.#repository, 'pull'),
      expect: [200, 206, 416],
      // An address may end between the registry's answer and its first use
      expectElsewhere: EXPIRED,
      signal,
    })
    // Only where addresses are given out need the others wait.
    if (address !== undefined) this.#renewal = asked
    try {
      const response = await asked
      const isExpired = EXPIRED.includes(response.status)
      this.#address = response.moved && !isExpired ? response.url : undefined
      if (!isExpired) return response
      if (renewals >= RENEWALS) throw (await this.#registry.failure(response)).error
      response.discard()
      return undefined
    } finally {
      if (this.#renewal === asked) this.#renewal = undefined
    }
  }

  #classify(response: HttpResponse, start: number, end: number): 'range' | 'whole' | undefined {
    const { size } = this.descriptor
    if (response.status === 200) {
      const length = response.header('content-length')
      if (length !== undefined && Number(length) !== size) {
        response.discard()
        throw sizeMismatch(this.descriptor, Number(length), response.request)
      }
      return 'whole'
    }
    if (response.status !== 206) return undefined
    const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.header('content-range') ?? '')
    if (match === null) return undefined
    const [first, last, total] = [Number(match[1]), Number(match[2]), match[3]!]
    if (total !== '*' && Number(total) !== size) {
      response.discard()
      throw sizeMismatch(this.descriptor, Number(total), response.request)
    }
    return first === start && last < end ? 'range' : undefined
  }
}

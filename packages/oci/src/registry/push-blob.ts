import type { Descriptor } from '../document/descriptor.js'
import { StoreError } from '../error.js'
import type { CallOptions } from '../store.js'
import type { Registry, RegistryRequest } from './client.js'
import type { HttpResponse } from './http.js'
import { redactUrl } from './redact.js'
import { retrying } from './retry.js'
import { repositoryScope, type Scopes, uniteScopes } from './scope.js'
import { TransientError } from './transient.js'
import type { UploadContent } from './upload-content.js'

/** Bytes of a chunk: within the 20 MB that ACR takes, over the 5 MiB that S3 asks for. */
const CHUNK_SIZE = 8 << 20
/** A chunk that a registry asks for is held in memory. */
const LARGEST_CHUNK = 64 << 20
/** Statuses by which registries say that a blob or manifest is stored; the specification has 201 only. */
export const STORED: readonly number[] = [200, 201, 202, 204]
/** Statuses of a registry, or of a proxy before it, that does not take a blob in one request. */
const NOT_AT_ONCE = [404, 405, 411, 413, 416, 501]

/** Codes of an upload that has ended before its time. */
const UPLOAD_GONE = /^BLOB_UPLOAD_(?:UNKNOWN|INVALID)$/

/** Pushes the blobs of one repository (distribution-spec v1.1.1, "Pushing Blobs"). */
export class BlobPusher {
  readonly #registry: Registry
  readonly #repository: string
  readonly #scopes: Scopes
  /** Uploads that were opened by a mount which came to nothing. */
  readonly #opened = new Map<string, HttpResponse>()
  /** Set once the registry has refused a blob in one request, or asked for chunks. */
  #chunked = false

  constructor(registry: Registry, repository: string) {
    this.#registry = registry
    this.#repository = repository
    this.#scopes = repositoryScope(repository, 'pull', 'push')
  }

  /** Whether the repository has the blob. A redirect to a storage is a yes: its address may be good for GET only. */
  async exists({ digest, size }: Descriptor, scopes: Scopes, signal: AbortSignal | undefined): Promise<boolean> {
    const response = await this.#registry.send({
      method: 'HEAD',
      url: `/v2/${this.#repository}/blobs/${digest}`,
      scopes,
      redirects: 'within',
      expect: [200, 301, 302, 303, 307, 308, 404],
      signal,
    })
    response.discard()
    const length = response.header('content-length')
    return response.status === 200 ? length === undefined || Number(length) === size : response.status !== 404
  }

  /** Makes a blob of another repository of the registry one of this too. False where the registry does not (202): then `push` it. */
  async mount({ digest }: Descriptor, from: string, { signal }: CallOptions): Promise<boolean> {
    let response: HttpResponse
    try {
      response = await this.#registry.once({
        method: 'POST',
        url: `${this.#uploads()}?mount=${digest}&from=${encodeURIComponent(from)}`,
        scopes: uniteScopes(this.#scopes, repositoryScope(from, 'pull')),
        expect: [201, 202],
        signal,
      })
    } catch (error) {
      signal?.throwIfAborted()
      // A registry that knows no mounts, or no such repository, or gives no token for both: the blob is uploaded, which tells if something is wrong
      if (error instanceof StoreError) return false
      throw error
    }
    response.discard()
    if (response.status === 202) this.#opened.set(digest, response)
    if (response.status === 201) checkPushed(response, digest)
    return response.status === 201
  }

  /** Uploads a blob that is not there: in one request, or in chunks where the registry asks for them. */
  async push(content: UploadContent, signal: AbortSignal | undefined): Promise<void> {
    const { descriptor } = content
    let failure: unknown
    await retrying(this.#registry.client.policy, signal, async () => {
      if (failure !== undefined) {
        // The answer may have got lost when all else had been done.
        if (await this.exists(descriptor, this.#scopes, signal)) return
        if (!content.available) throw notAgain(failure)
      }
      try {
        await this.#upload(content, signal)
      } catch (error) {
        failure = error instanceof UploadLost ? new TransientError(error.code, error.message) : error
        throw failure
      }
    })
  }

  async #upload(content: UploadContent, signal: AbortSignal | undefined): Promise<void> {
    const { descriptor } = content
    const opened = this.#opened.get(descriptor.digest) ?? (await this.#open(signal))
    this.#opened.delete(descriptor.digest)
    const asked = Number(opened.header('oci-chunk-min-length') ?? 0)
    if (asked > LARGEST_CHUNK)
      throw new StoreError(
        'PROTOCOL',
        `${opened.request} asks for chunks of ${asked} bytes, more than the limit of 64 MiB`,
      )
    const chunkSize = Math.max(CHUNK_SIZE, asked || 0)
    if (descriptor.size > chunkSize && (this.#chunked || asked > 0))
      return this.#inChunks(opened, content, chunkSize, signal)
    const response = await this.#registry.once({
      method: 'PUT',
      url: withDigest(locationOf(opened), descriptor.digest),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
      ...(descriptor.size > 0 && { body: () => content.chunks() }),
      repeatable: content.repeatable,
      scopes: this.#scopes,
      expect: descriptor.size > 0 ? [...STORED, ...NOT_AT_ONCE] : STORED,
      signal,
    })
    if (STORED.includes(response.status)) {
      response.discard()
      checkPushed(response, descriptor.digest)
      return
    }
    const { error, code } = await this.#registry.failure(response)
    if (UPLOAD_GONE.test(code)) throw new UploadLost('UNREACHABLE', error.message)
    if (!content.available) throw error
    await this.#inChunks(await this.#open(signal), content, chunkSize, signal)
    this.#chunked = true
  }

  async #open(signal: AbortSignal | undefined): Promise<HttpResponse> {
    const headers = { 'content-length': '0' }
    const response = await this.#registry.once({
      ...this.#request(signal),
      method: 'POST',
      url: this.#uploads(),
      headers,
      expect: [202],
    })
    response.discard()
    return response
  }

  async #inChunks(
    opened: HttpResponse,
    content: UploadContent,
    chunkSize: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let location = locationOf(opened)
    let start = 0
    for await (const piece of content.pieces(chunkSize)) {
      location = await this.#pushChunk(location, piece, start, signal)
      start += piece.length
    }
    const response = await this.#registry.once({
      ...this.#request(signal),
      method: 'PUT',
      url: withDigest(location, content.descriptor.digest),
      headers: { 'content-length': '0' },
      expect: STORED,
    })
    response.discard()
    checkPushed(response, content.descriptor.digest)
  }

  /** One chunk; after a failure the registry is asked how much of it came. Gives where the next one goes. */
  async #pushChunk(location: URL, piece: Uint8Array, start: number, signal: AbortSignal | undefined): Promise<URL> {
    let from = start
    let at = location
    let failed = false
    return retrying(this.#registry.client.policy, signal, async () => {
      if (failed) {
        const request = { ...this.#request(signal), method: 'GET', url: at, expect: [204, 404, 416] } as const
        const response = await this.#registry.once(request)
        response.discard()
        // docker-registry's addresses are good only for as many bytes as it had when it gave them.
        if (response.status !== 204) throw new UploadLost('UNREACHABLE', `${response.request}: the upload was lost`)
        at = locationOf(response, at)
        from = receivedBytes(response)
        if (from === start + piece.length) return at
        if (from < start || from > start + piece.length)
          throw new StoreError(
            'PROTOCOL',
            `${response.request} has ${from} bytes, and ${start} to ${start + piece.length} were sent`,
          )
      }
      const body = piece.subarray(from - start)
      failed = true
      const response = await this.#registry.once({
        ...this.#request(signal),
        method: 'PATCH',
        url: at,
        headers: {
          'content-type': 'application/octet-stream',
          'content-length': String(body.length),
          'content-range': `${from}-${from + body.length - 1}`,
        },
        body,
        // ECR answers 201, with the Range of before: the status alone counts.
        expect: [201, 202, 204, 416],
      })
      response.discard()
      if (response.status === 416)
        throw new TransientError('PROTOCOL', `${response.request} does not take bytes ${from} to ${from + body.length}`)
      return locationOf(response, at)
    })
  }

  #uploads(): string {
    return `/v2/${this.#repository}/blobs/uploads/`
  }

  #request(signal: AbortSignal | undefined): Pick<RegistryRequest, 'scopes' | 'signal'> {
    return { scopes: this.#scopes, signal }
  }
}

/** @throws StoreError DIGEST_MISMATCH where the registry says that it has stored something else */
export function checkPushed(response: HttpResponse, digest: string): void {
  const stored = response.header('docker-content-digest')
  // One of another algorithm says nothing.
  if (stored === undefined || stored.split(':')[0] !== digest.split(':')[0] || stored === digest) return
  throw new StoreError(
    'DIGEST_MISMATCH',
    `${response.request} has stored ${stored.slice(0, 150)}, and ${digest} was sent`,
  )
}

/** Where an upload goes on: absolute, or relative to what was asked. */
function locationOf(response: HttpResponse, otherwise?: URL): URL {
  const location = response.header('location')
  if (location === undefined && otherwise !== undefined) return otherwise
  if (location === undefined || !URL.canParse(location, response.url.href))
    throw new StoreError('PROTOCOL', `${response.request} does not say where the upload continues: it has no Location`)
  const url = new URL(location, response.url)
  if (url.protocol !== response.url.protocol && url.protocol !== 'https:')
    throw new StoreError(
      'PROTOCOL',
      `${response.request} wants the upload to go on at ${redactUrl(url)}, which is not private: tell the registry that it is behind TLS (X-Forwarded-Proto)`,
    )
  return url
}

/** The query that is there is left as it is, to the letter: it is the registry's own, and may be signed. */
function withDigest(location: URL, digest: string): URL {
  const url = new URL(location)
  url.search = `${url.search}${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`
  return url
}

/** Of an upload: `Range: 0-99` for the first 100 bytes; none, or `0-0`, for nothing. */
function receivedBytes(response: HttpResponse): number {
  const match = /^(?:bytes=)?0-(\d+)$/.exec(response.header('range') ?? '0-0')
  if (match === null)
    throw new StoreError('PROTOCOL', `${response.request} does not say how much of the upload arrived`)
  return match[1] === '0' ? 0 : Number(match[1]) + 1
}

/** An upload that was begun is not there any more: only one from the start will do. */
class UploadLost extends StoreError {}

/** A content that can be read once only cannot be sent again. */
function notAgain(failure: unknown): unknown {
  if (!(failure instanceof TransientError)) return failure
  const message = `${failure.message}; its content cannot be read again: start again`
  return new StoreError(failure.code, message, { cause: failure })
}

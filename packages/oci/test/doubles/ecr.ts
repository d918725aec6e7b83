// Amazon ECR as its clients see it, from what AWS documents ("Amazon ECR private registry" and "service quotas" in the user guide,
// GetAuthorizationToken and PutImage in the API reference, "Authenticating Requests: Using Query Parameters" of S3) and users.md lists.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readContent } from '../../src/content.js'
import { digestOf, isDigest } from '../../src/document/digest.js'
import { decodeIndex } from '../../src/document/manifest.js'
import { isIndexType } from '../../src/document/mediatype.js'
import { Registry } from '../../src/server/registry.js'
import { memoryRepositories, type Repositories } from '../../src/server/repositories.js'
import type { Certificate } from './certificate.js'
import { answerEcrApi, type EcrApiState } from './ecr-api.js'
import { actionsOf, type EcrCall, type EcrPolicy, refusal } from './ecr-iam.js'
import { type Listening, listen } from './listen.js'

export interface EcrOptions {
  /** What it has. @default nothing yet, in memory */
  readonly repositories?: Repositories | undefined
  /** The repositories that exist; a push to another is refused, as ECR makes none by itself. @default any */
  readonly existing?: readonly string[] | undefined
  /** Milliseconds that the address of a blob can be used. @default 1 h */
  readonly addressLife?: number | undefined
  /** Milliseconds that a token can be used. @default 12 h */
  readonly tokenLife?: number | undefined
  /** Repositories whose tags are immutable. @default none */
  readonly immutable?: readonly string[] | undefined
  /** Tags that are the exception to that in each repository, with `*` for any characters. @default none */
  readonly tagExclusions?: readonly string[] | undefined
  /** Whether its login may ask what the settings of a repository are. @default true */
  readonly describes?: boolean | undefined
  /** What IAM allows its logins. @default all */
  readonly policy?: EcrPolicy | undefined
  /** Speak TLS with it, as the real one does; the storage too. @default plain HTTP */
  readonly tls?: Certificate | undefined
  /** Name of the storage's host, where something leads that name to it. @default its address */
  readonly storageName?: string | undefined
  /** One of so many manifests that are put is answered with "Rate exceeded". @default none */
  readonly throttleEvery?: number
  /** Manifests that may be put within a second. @default any number */
  readonly putRate?: number | undefined
  /** Whether blobs are mounted from other repositories; an account has to allow that. @default false: 202 */
  readonly mounts?: boolean | undefined
  /** Whether the storage answers ranges without an end with 416, as some do. @default false */
  readonly refuseOpenRanges?: boolean | undefined
  /** Results that its API gives in one answer, at most. @default what is asked for */
  readonly pageSize?: number | undefined
}

/** A request and how it was answered. */
export interface EcrRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  status(): number
}

export interface Ecr extends Listening {
  readonly requests: readonly EcrRequest[]
  /** What IAM was asked for, in order. */
  readonly calls: readonly EcrCall[]
  /** The object storage that blobs' addresses lead to: another host. */
  readonly storage: { readonly host: string; readonly url: string; readonly requests: readonly EcrRequest[] }
  /** A new token, as GetAuthorizationToken gives it: base64 of `AWS:…`. The API at `/` answers that action too, and those that `ecr-api.ts` has. */
  authorizationToken(): string
  /** From now on no token that was given out before can be used. */
  expireTokens(): void
  /** From now on no address of a blob can be used that has been used before: one that is on its way to its first use would not end there. */
  expireAddresses(): void
  /** So many addresses of blobs, from the next on, have ended before they are used. */
  spoilAddresses(count: number): void
  /** What a lifecycle rule for untagged images does: removes manifests that neither have a tag nor are in an index that has one. Gives their digests. */
  expireUntagged(repository: string): Promise<readonly string[]>
  /** What its API tells of when a manifest was pushed. */
  setPushedAt(repository: string, digest: string, date: Date): void
  /** As a lifecycle rule that archives: it is described as archived from now on. */
  archive(repository: string, digest: string): void
  /** Another policy from now on. */
  setPolicy(policy: EcrPolicy | undefined): void
}

const EMPTY_DIGEST = digestOf(new Uint8Array(0))
const ACCOUNT = '123456789012'
const REGION = 'eu-west-1'

export async function startEcr(options: EcrOptions = {}): Promise<Ecr> {
  const repositories = options.repositories ?? memoryRepositories()
  const registry = new Registry({ repositories })
  const tokens = new Map<string, number>()
  const addresses = new Map<string, { readonly path: string; expires: number; used: boolean }>()
  const requests: EcrRequest[] = []
  const calls: EcrCall[] = []
  const storageRequests: EcrRequest[] = []
  const puts: number[] = []
  const ranges = new Map<string, string>()
  /** By repository: when each manifest was pushed last. */
  const pushed = new Map<string, Map<string, Date>>()
  const archived = new Set<string>()

  let spoiled = 0

  const authorizationToken = () => {
    const token = Buffer.from(`AWS:${randomUUID()}`).toString('base64')
    tokens.set(token, Date.now() + (options.tokenLife ?? 12 * 3600_000))
    return token
  }

  const storage = await listen((request, response) => {
    storageRequests.push(seen(request, response))
    const [path = '', query = ''] = request.url!.split('?', 2)
    const signature = new URLSearchParams(query).get('X-Amz-Signature') ?? ''
    const address = addresses.get(signature)
    if (request.headers.authorization !== undefined)
      return answerXml(request, response, 400, 'InvalidArgument', 'Only one auth mechanism allowed')
    // The method is part of what is signed.
    if (request.method !== 'GET' || address === undefined || address.path !== path)
      return answerXml(request, response, 403, 'SignatureDoesNotMatch', 'The request signature does not match')
    if (address.expires <= Date.now()) return answerXml(request, response, 403, 'AccessDenied', 'Request has expired')
    if (options.refuseOpenRanges && /^bytes=\d+-$/.test(request.headers.range ?? ''))
      return answerXml(request, response, 416, 'InvalidRange', 'The requested range is not satisfiable')
    address.used = true
    request.url = path
    return registry.handle(request, response)
  }, options)
  const storageUrl = options.storageName === undefined ? storage.url : `https://${options.storageName}`

  let attempts = 0
  const tooManyPuts = () => {
    if (++attempts % (options.throttleEvery ?? Number.POSITIVE_INFINITY) === 0) return true
    const now = Date.now()
    while (puts.length > 0 && puts[0]! <= now - 1000) puts.shift()
    if (puts.length >= (options.putRate ?? Number.POSITIVE_INFINITY)) return true
    puts.push(now)
    return false
  }

  const { immutable = [], tagExclusions = [] } = options
  const isImmutable = (repository: string, tag: string) => {
    const isExcluded = tagExclusions.some((filter) =>
      new RegExp(`^${filter.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(tag),
    )
    return immutable.includes(repository) !== isExcluded
  }
  let policy = options.policy
  const refuse = (action: string, repository: string | undefined): string | undefined => {
    const allowed =
      (policy?.(action, repository) ?? true) && !(options.describes === false && action === 'ecr:DescribeRepositories')
    calls.push({ action, repository, allowed })
    const resource = repository === undefined ? '*' : `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${repository}`
    return allowed ? undefined : refusal(action, resource)
  }
  const exists = (repository: string) => options.existing?.includes(repository) ?? true
  const api: EcrApiState = {
    account: ACCOUNT,
    authorizationToken,
    refuse,
    async repositories() {
      const names = new Set(options.existing)
      for await (const name of repositories.names()) names.add(name)
      return [...names].sort()
    },
    store: async (repository) =>
      exists(repository) ? await repositories.open(repository, { create: options.existing !== undefined }) : undefined,
    async manifests(repository) {
      const store = await repositories.open(repository)
      const digests = new Set([...(pushed.get(repository)?.keys() ?? []), ...(await tagged(repositories, repository))])
      const sizes = await Promise.all([...digests].map((digest) => store?.sizeOf(digest)))
      return [...digests].filter((_, i) => sizes[i] !== undefined)
    },
    pushedAt: (repository, digest) => pushed.get(repository)?.get(digest),
    isArchived: (repository, digest) => archived.has(`${repository}@${digest}`),
    pageSize: options.pageSize ?? Number.POSITIVE_INFINITY,
    tagRules(repository) {
      const rule = immutable.includes(repository) ? 'IMMUTABLE' : 'MUTABLE'
      if (tagExclusions.length === 0) return { imageTagMutability: rule }
      const filters = tagExclusions.map((filter) => ({ filterType: 'WILDCARD', filter }))
      return { imageTagMutability: `${rule}_WITH_EXCLUSION`, imageTagMutabilityExclusionFilters: filters }
    },
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push(seen(request, response))
    if (request.method === 'POST' && request.url === '/') return answerEcrApi(request, response, api)
    const token = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const expires = token === undefined ? undefined : tokens.get(token)
    if (expires === undefined) {
      const realm = `Basic realm="http://${request.headers.host}/",service="ecr.amazonaws.com"`
      return answerError(request, response, 401, 'UNAUTHORIZED', 'Not Authorized', { 'www-authenticate': realm })
    }
    if (expires <= Date.now()) {
      const message = 'Your authorization token has expired. Reauthenticate and try again.'
      return answerError(request, response, 403, 'DENIED', message)
    }
    const { method } = request
    const [path = '', query] = request.url!.split('?', 2)
    const parameters = new URLSearchParams(query)
    const [, name = '', kind = '', last = ''] = /^\/v2\/(.+)\/(blobs|manifests|tags|referrers)\/(.*)$/.exec(path) ?? []
    if (kind !== '') {
      const refused = actionsOf(method!, kind, last, parameters).map((action) => refuse(action, name))
      const message = refused.find((text) => text !== undefined)
      if (message !== undefined) return answerError(request, response, 403, 'DENIED', message)
    }
    if (kind !== '' && !exists(name)) {
      const message = `The repository with name '${name}' does not exist in the registry with id '${ACCOUNT}'`
      return answerError(request, response, 404, 'NAME_UNKNOWN', message)
    }
    if (kind === 'blobs' && method === 'GET' && isDigest(last)) {
      const store = await repositories.open(name)
      if ((await store?.sizeOf(last)) === undefined) return registry.handle(request, response)
      const life = spoiled-- > 0 ? 0 : (options.addressLife ?? 3600_000)
      const signature = randomUUID()
      addresses.set(signature, { path, expires: Date.now() + life, used: false })
      const signed = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=${Math.ceil(life / 1000)}&X-Amz-Signature=${signature}`
      response.writeHead(307, { location: `${storageUrl}${path}?${signed}`, 'content-length': 0 }).end()
      return
    }
    if (method === 'DELETE' && kind === 'manifests')
      return answerError(request, response, 405, 'UNSUPPORTED', 'The operation is unsupported.')
    if (parameters.get('digest') === EMPTY_DIGEST)
      return answerError(request, response, 400, 'BLOB_UPLOAD_INVALID', 'The layer upload does not contain any parts')
    if (parameters.has('mount') && !options.mounts) request.url = path
    if (method === 'PATCH') {
      // 201 where others say 202, and the range is that before this chunk.
      const stale = ranges.get(path) ?? '0-0'
      changeHead(response, (status, headers) => {
        if (status !== 202) return [status, headers]
        ranges.set(path, String(headers.range))
        return [201, { ...headers, range: stale }]
      })
    }
    if (kind === 'manifests' && method === 'PUT') {
      if (tooManyPuts()) return answerError(request, response, 429, 'TOOMANYREQUESTS', 'Rate exceeded')
      if (isImmutable(name, last) && !isDigest(last) && (await hasTag(repositories, name, last))) {
        const message = `The image tag '${last}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`
        return answerError(request, response, 400, 'TAG_INVALID', message)
      }
      changeHead(response, (status, headers) => {
        if (status !== 201) return [status, headers]
        const digests = pushed.get(name) ?? new Map<string, Date>()
        pushed.set(name, digests.set(String(headers['docker-content-digest']), new Date()))
        return [status, headers]
      })
    }
    return registry.handle(request, response)
  }

  const listening = await listen(handle, options)
  return {
    ...listening,
    requests,
    calls,
    setPolicy: (other) => {
      policy = other
    },
    storage: { host: storage.host, url: storage.url, requests: storageRequests },
    authorizationToken,
    expireTokens: () => tokens.forEach((_, token) => void tokens.set(token, 0)),
    expireAddresses() {
      for (const address of addresses.values()) if (address.used) address.expires = 0
    },
    spoilAddresses(count) {
      spoiled = count
    },
    async expireUntagged(repository) {
      const kept = await tagged(repositories, repository)
      const expired = [...(pushed.get(repository)?.keys() ?? [])].filter((digest) => !kept.has(digest))
      const store = await repositories.open(repository)
      for (const digest of expired) {
        const size = await store?.sizeOf(digest)
        if (size !== undefined) await store?.delete?.({ mediaType: '', digest, size })
        pushed.get(repository)?.delete(digest)
      }
      return expired
    },
    setPushedAt(repository, digest, date) {
      pushed.set(repository, (pushed.get(repository) ?? new Map()).set(digest, date))
    },
    archive(repository, digest) {
      archived.add(`${repository}@${digest}`)
    },
    async close() {
      await listening.close()
      await storage.close()
      await registry.close()
    },
  }
}

async function hasTag(repositories: Repositories, repository: string, tag: string): Promise<boolean> {
  for await (const name of (await repositories.open(repository))?.tags() ?? []) if (name === tag) return true
  return false
}

/** Digests of manifests that have a tag, and of those in indexes that have. */
async function tagged(repositories: Repositories, repository: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const store = await repositories.open(repository)
  if (store === undefined) return found
  const waiting = []
  for await (const tag of store.tags()) waiting.push(await store.resolve(tag))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.add(next.digest)
    if (isIndexType(next.mediaType))
      waiting.push(...(decodeIndex(await readContent(store, next), next.digest).manifests ?? []))
  }
  return found
}

type Headers = Record<string, string | number>

/** Lets `change` have its way with the answer that another writes. */
function changeHead(
  response: ServerResponse,
  change: (status: number, headers: Headers) => readonly [status: number, headers: Headers],
): void {
  const write = response.writeHead.bind(response) as (status: number, headers: Headers) => ServerResponse
  response.writeHead = ((status: number, headers: Headers) =>
    write(...change(status, headers))) as ServerResponse['writeHead']
}

function seen(request: IncomingMessage, response: ServerResponse): EcrRequest {
  return {
    method: request.method!,
    path: request.url!,
    headers: request.headers,
    status: () => response.statusCode,
  }
}

function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Headers = {},
): void {
  const body = JSON.stringify({ errors: [{ code, message }] })
  answerWhenRead(request, response, status, { 'content-type': 'application/json', ...headers }, body)
}

function answerXml(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  text: string,
): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${text}</Message></Error>`
  answerWhenRead(request, response, status, { 'content-type': 'application/xml' }, body)
}

function answerWhenRead(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Headers,
  body: string,
): void {
  request.on('error', () => {})
  request.resume()
  request.once('end', () => {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
}

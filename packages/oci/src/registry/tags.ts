import { StoreError } from '../error.js'
import type { Registry, RegistryRequest } from './client.js'
import type { HttpResponse } from './http.js'
import { redactUrl } from './redact.js'
import { repositoryScope } from './scope.js'

const PAGE_SIZE = 1000
const PAGE_BYTES = 8 << 20
const PAGES = 1000

/** The pages of a listing, by `Link: <…>; rel="next"` (distribution-spec v1.1.1, "Listing Tags"). @throws StoreError PROTOCOL where it has no end */
export async function* pages(
  registry: Registry,
  first: RegistryRequest,
  send: (request: RegistryRequest) => Promise<HttpResponse> = (request) => registry.send(request),
): AsyncGenerator<{ readonly response: HttpResponse; readonly bytes: Uint8Array }, void, undefined> {
  const seen = new Set<string>()
  let url: URL | undefined = new URL(first.url, registry.origin)
  for (let request = first; url !== undefined; request = { ...first, expect: [200] }) {
    seen.add(url.href)
    const response: HttpResponse = await send({ ...request, url })
    if (response.status !== 200) {
      yield { response, bytes: new Uint8Array() }
      return
    }
    yield { response, bytes: await response.bytes(PAGE_BYTES) }
    url = nextPage(response)
    if (url !== undefined && (seen.has(url.href) || seen.size === PAGES))
      throw new StoreError(
        'PROTOCOL',
        `${response.request}: the listing has no end: ${seen.size} pages were read, and ${redactUrl(url)} should be next`,
      )
  }
}

/** The tags of a repository, each once. @throws StoreError NOT_FOUND where there is no such repository, PROTOCOL */
export async function* listTags(
  registry: Registry,
  repository: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const seen = new Set<string>()
  const request: RegistryRequest = {
    method: 'GET',
    url: `/v2/${repository}/tags/list?n=${PAGE_SIZE}`,
    scopes: repositoryScope(repository, 'pull'),
    expect: [200],
    signal,
  }
  for await (const { response, bytes } of pages(registry, request))
    for (const tag of readTags(bytes, response.request)) {
      if (seen.has(tag)) continue
      seen.add(tag)
      yield tag
    }
}

function readTags(bytes: Uint8Array, what: string): readonly string[] {
  let tags: unknown
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    tags = (json as { readonly tags?: unknown } | null)?.tags ?? []
  } catch {
    tags = undefined
  }
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw new StoreError('PROTOCOL', `${what} did not return a list of tags`)
  return tags
}

function nextPage(response: HttpResponse): URL | undefined {
  const link = /<([^<>]*)>[^,<]*;\s*rel="?next"?(?=[\s;,]|$)/i.exec(response.header('link') ?? '')
  if (link === null) return undefined
  const next = URL.canParse(link[1]!, response.url.href) ? new URL(link[1]!, response.url) : undefined
  if (next === undefined || next.origin !== response.url.origin)
    throw new StoreError('PROTOCOL', `${response.request}: its next page is not in this registry`)
  return next
}

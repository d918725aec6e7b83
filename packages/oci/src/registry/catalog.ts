// The repositories of a registry.
import { type EcrHost, parseEcrHost } from '../document/ecr-host.js'
import { StoreError } from '../error.js'
import type { CallOptions } from '../store.js'
import type { RegistryClient, RegistryRequest } from './client.js'
import { withEcr } from './ecr-client.js'
import { pages } from './tags.js'

const PAGE_SIZE = 1000

/** A page of the repositories that ECR lists (ECR API, DescribeRepositories). */
export interface EcrRepositories {
  readonly names: readonly string[]
  /** Absent on the last page. */
  readonly next?: string | undefined
}

/** The call of the AWS SDK: for tests, or for a client of one's own. */
export type EcrCatalogApi = (host: EcrHost, next: string | undefined, options: CallOptions) => Promise<EcrRepositories>

/**
 * The repositories of a registry, each once. Amazon ECR is asked by its API, which needs the permission ecr:DescribeRepositories; every other registry by
 * `/v2/_catalog` (distribution, "Listing Repositories").
 * @throws StoreError NOT_FOUND or DENIED where the registry does not list its repositories, PROTOCOL
 */
export async function* listRepositories(
  client: RegistryClient,
  registry: string,
  { signal, ecr = awsSdk }: CallOptions & { readonly ecr?: EcrCatalogApi } = {},
): AsyncGenerator<string, void, undefined> {
  const seen = new Set<string>()
  const host = parseEcrHost(registry)
  for await (const names of host === undefined
    ? catalogPages(client, registry, signal)
    : ecrPages(ecr, host, registry, signal))
    for (const name of names) {
      if (seen.has(name)) continue
      seen.add(name)
      yield name
    }
}

async function* catalogPages(
  client: RegistryClient,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], void, undefined> {
  const request: RegistryRequest = {
    method: 'GET',
    url: `/v2/_catalog?n=${PAGE_SIZE}`,
    scopes: new Map([['registry:catalog', new Set(['*'])]]),
    expect: [200],
    signal,
  }
  for await (const { response, bytes } of pages(await client.registry(name, { signal }), request))
    yield readNames(bytes, response.request)
}

function readNames(bytes: Uint8Array, what: string): readonly string[] {
  let names: unknown
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    names = (json as { readonly repositories?: unknown } | null)?.repositories ?? []
  } catch {
    names = undefined
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new StoreError('PROTOCOL', `${what} did not return a list of repositories`)
  return names
}

async function* ecrPages(
  api: EcrCatalogApi,
  host: EcrHost,
  registry: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], void, undefined> {
  const seen = new Set<string>()
  let next: string | undefined
  do {
    signal?.throwIfAborted()
    const page: EcrRepositories = await api(host, next, { signal }).catch((cause: Error) => {
      signal?.throwIfAborted()
      throw new StoreError(
        'DENIED',
        `${registry}: Amazon ECR did not list its repositories (ecr:DescribeRepositories): ${cause.message}`,
        { cause },
      )
    })
    yield page.names
    next = page.next
    if (next !== undefined && seen.has(next))
      throw new StoreError('PROTOCOL', `${registry}: the list of repositories does not end`)
    if (next !== undefined) seen.add(next)
  } while (next !== undefined)
}

const awsSdk: EcrCatalogApi = (host, nextToken, { signal }) =>
  withEcr(host, { signal }, async (client, sdk, options) => {
    const command = new sdk.DescribeRepositoriesCommand({ registryId: host.account, nextToken, maxResults: PAGE_SIZE })
    const page = await client.send(command, options)
    const names = (page.repositories ?? []).flatMap(({ repositoryName }) => repositoryName ?? [])
    return { names, next: page.nextToken }
  })

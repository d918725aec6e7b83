import type { Descriptor } from '../document/descriptor.js'
import { isTag } from '../document/reference.js'
import { StoreError } from '../error.js'
import { answerJson, type Exchange } from './exchange.js'
import { nextLink, pageOfNames } from './pages.js'
import type { ServedStore } from './repositories.js'
import type { Served } from './served.js'

/** GET of the tags, in pages (distribution-spec v1.1.1, "Listing Tags"). Names that a layout can have and a registry cannot are left out. */
export async function listTags(registry: Served, exchange: Exchange, repository: string): Promise<void> {
  const store = await registry.repository(repository)
  const names: string[] = []
  for await (const name of store.tags()) if (isTag(name)) names.push(name)
  if (names.length === 0 && (await untaggedImage(store)) !== undefined) names.push('latest')
  const { query } = exchange
  const { items, more } = pageOfNames(names, query, registry.pageSize)
  const path = `/v2/${repository}/tags/list`
  const link = more ? nextLink(path, { n: query.get('n'), last: items.at(-1)! }) : {}
  answerJson(exchange, 200, { name: repository, tags: items }, link)
}

/** GET of the repositories' names, in pages (distribution's "Catalog"; not in the specification). */
export async function listRepositories(registry: Served, exchange: Exchange): Promise<void> {
  const names: string[] = []
  for await (const name of registry.repositories.names()) names.push(name)
  const { query } = exchange
  const { items, more } = pageOfNames(names, query, registry.pageSize)
  const link = more ? nextLink('/v2/_catalog', { n: query.get('n'), last: items.at(-1)! }) : {}
  answerJson(exchange, 200, { repositories: items }, link)
}

/** A layout's image that has no name: a registry's client finds it as `latest`. */
export async function untaggedImage(store: ServedStore): Promise<Descriptor | undefined> {
  for await (const _ of store.tags()) return undefined
  try {
    const descriptor = await store.resolve(undefined)
    return descriptor.artifactType === undefined ? descriptor : undefined
  } catch (error) {
    if (error instanceof StoreError) return undefined
    throw error
  }
}

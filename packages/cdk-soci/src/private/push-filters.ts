import { Token } from 'aws-cdk-lib'

/** A pattern of pushes. Both parts may have the wildcards `*` and `?`; a repository may be a name that is only known when it is deployed. */
export interface PushFilter {
  readonly repository: string
  readonly tag: string
}

export const ALL: PushFilter = { repository: '*', tag: '*' }

/** What names, tags and wildcards are made of: the handler takes the same. */
const FILTER = /^([a-z0-9._/*?-]+):([\w.*?-]+)$/
/** Of 4 KB that a function's environment variables may have in all. */
const LENGTH_LIMIT = 3_000

/**
 * Reads patterns `REPOSITORY:TAG`. What is only known when it is deployed is taken to match everything.
 * @throws Error with the pattern, and what it must be
 */
export function parseFilters(filters: readonly string[]): PushFilter[] {
  if (filters.length === 0) throw new Error('filters is empty: leave it out for *:*, or give at least one pattern')
  if (Token.isUnresolved(filters)) return [ALL]
  const { length } = filters.join()
  if (length > LENGTH_LIMIT)
    throw new Error(
      `filters have ${length} characters in all, and at most ${LENGTH_LIMIT} fit into the function's environment: use wildcards, or several SociIndexOnPush`,
    )
  return filters.map((filter) => (Token.isUnresolved(filter) ? ALL : parseFilter(filter)))
}

function parseFilter(filter: string): PushFilter {
  const [, repository, tag] = FILTER.exec(filter) ?? []
  if (repository !== undefined && tag !== undefined) return { repository: simple(repository), tag: simple(tag) }
  const example = 'such as app/*:v*'
  const has = `filters has "${filter.slice(0, 300)}"`
  if (filter.includes(',')) throw new Error(`${has}: give each pattern as an element of its own`)
  if (/^[^:]*[A-Z][^:]*:/.test(filter)) throw new Error(`${has}: names of repositories have no capital letters`)
  if (!filter.includes(':')) throw new Error(`${has}, without a tag: write REPOSITORY:TAG, ${example}`)
  throw new Error(
    `${has}: it must be REPOSITORY:TAG, ${example}, without the registry's host, and its wildcards are * and ?`,
  )
}

/** Stars in a row mean the same as one. */
function simple(pattern: string): string {
  return pattern.replaceAll(/\*+/g, '*')
}

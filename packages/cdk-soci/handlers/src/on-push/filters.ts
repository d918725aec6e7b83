// Which pushes are meant: `repository:tag` patterns, as those of AWS's own index builder. Neither names nor tags have a colon, so each pattern has one.

/** A pattern that can match no image. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
}

export interface PushFilter {
  readonly repository: string
  readonly tag: string
}

/** What names, tags and wildcards are made of. */
const FILTER = /^([a-z0-9._/*?-]+):([\w.*?-]+)$/

/** @throws FilterError with the pattern, and what it must be */
export function parseFilters(text: string): readonly PushFilter[] {
  return text.split(',').map((part) => {
    const pattern = part.trim()
    const [, repository, tag] = FILTER.exec(pattern) ?? []
    if (repository === undefined || tag === undefined)
      throw new FilterError(
        `the filter ${JSON.stringify(pattern.slice(0, 300))} must be REPOSITORY:TAG, each of which may have the wildcards * and ?`,
      )
    return { repository, tag }
  })
}

/** @param tag '' for an image without one, which only `*` matches */
export function matchesFilters(filters: readonly PushFilter[], repository: string, tag: string): boolean {
  return filters.some((filter) => matchesWildcards(repository, filter.repository) && matchesWildcards(tag, filter.tag))
}

/** Whether all of the text matches: `*` is any number of characters, `/` included, and `?` is one. Takes time by the product of the lengths, at most. */
export function matchesWildcards(text: string, pattern: string): boolean {
  let [at, from] = [0, 0]
  // Where to go on if what follows does not match: behind the last star, with one more character in it
  let [star, next] = [-1, 0]
  while (at < text.length) {
    const wanted = pattern[from]
    if (wanted === '*') [star, next, from] = [from, at, from + 1]
    else if (wanted === '?' || wanted === text[at]) [at, from] = [at + 1, from + 1]
    else if (star >= 0) [next, at, from] = [next + 1, next + 1, star + 1]
    else return false
  }
  return /^\**$/.test(pattern.slice(from))
}

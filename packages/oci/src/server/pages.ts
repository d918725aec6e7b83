import { RequestError } from './request-error.js'

/** A part of a list, and whether there is more. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** The order of lists: alphabetical without regard to case (distribution-spec v1.1.1, "Listing Tags"); names that are the same but for it, by their bytes. */
export function compareNames(a: string, b: string): number {
  return order(a.toLowerCase(), b.toLowerCase()) || order(a, b)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The first `n` names after `last`, which need not be one of them; at most `limit`. */
export function pageOfNames(names: readonly string[], query: URLSearchParams, limit: number): Page<string> {
  const last = query.get('last')
  const sorted = [...names].sort(compareNames)
  const rest = last === null ? sorted : sorted.filter((name) => compareNames(name, last) > 0)
  const size = pageSize(query, limit)
  return { items: rest.slice(0, size), more: size > 0 && rest.length > size }
}

/** @throws RequestError where `n` is not a number */
export function pageSize(query: URLSearchParams, limit: number): number {
  const n = query.get('n')
  if (n === null) return limit
  if (!/^\d{1,9}$/.test(n))
    throw new RequestError(400, 'UNSUPPORTED', `n="${n.slice(0, 50)}" is not a number of entries`)
  return Math.min(Number(n), limit)
}

/** The header that leads to the next page (RFC 8288). */
export function nextLink(path: string, parameters: Readonly<Record<string, string | null>>): Record<string, string> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== null) query.set(name, value)
  return { link: `<${path}?${query}>; rel="next"` }
}

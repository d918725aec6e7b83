import { StoreError } from '../error.js'

/** One way to log in that a server offers (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. Of one that stands twice, the first. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const TOKEN68 = /[0-9A-Za-z._~+/-]+=*(?=[ \t]*(?:,|$))/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const EQUALS = /[ \t]*=[ \t]*/y
const SEPARATOR = /[ \t,]*/y
const SPACE = /[ \t]+/y

/**
 * The challenges of a `WWW-Authenticate` header. Several may stand in one value, separated by the same commas as their parameters.
 * @throws StoreError PROTOCOL where it is none
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match[1] ?? match[0]
  }
  let parameters: Map<string, string> | undefined
  take(SEPARATOR)
  while (at < header.length) {
    const name = take(TOKEN)
    if (name === undefined) throw malformed(header)
    if (parameters !== undefined && take(EQUALS) !== undefined) {
      const quoted = take(QUOTED)
      const value = quoted?.replace(/\\(.)/g, '$1') ?? take(TOKEN)
      if (value === undefined) throw malformed(header)
      if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value)
    } else {
      parameters = new Map()
      challenges.push({ scheme: name.toLowerCase(), parameters })
      if (at < header.length && take(SPACE) === undefined && header[at] !== ',') throw malformed(header)
      skipToken68(take, header, () => at)
    }
    take(SEPARATOR)
  }
  return challenges
}

/** Data of other schemes (`Negotiate YII…==`), which could be mistaken for a parameter's name. */
function skipToken68(take: (pattern: RegExp) => string | undefined, header: string, at: () => number): void {
  if (at() < header.length && header[at()] !== ',') take(TOKEN68)
}

function malformed(header: string): StoreError {
  const shown = header.slice(0, 200).replace(/[\p{Cc}]/gu, ' ')
  return new StoreError('PROTOCOL', `the registry asks for a login in an unknown form: ${shown}`)
}

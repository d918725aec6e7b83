// An image's config with one more layer. Only the layer is inserted, all other bytes stay: so what no struct knows survives, and taking the layer
// away again gives the config that there was, digest and all.
import { isJsonObject, type JsonValue, parseJson, printJson } from '@sociable/oci'

/** What the config's history says of the start layer. */
export const CREATED_BY = 'sociable start layer'
/** As Go prints the zero of Unix time; the time of the layer is left out, so that equal input gives equal bytes. */
const CREATED = '1970-01-01T00:00:00Z'

/** The config with the layer on top, or why it cannot have one. @param layers how many the image has */
export function addLayerToConfig(config: Uint8Array, diffId: string, layers: number): Uint8Array | string {
  const places = findPlaces(config)
  if (typeof places === 'string') return places
  const { diffIds, history } = places
  if (diffIds.count !== layers) return `its config lists ${diffIds.count} layers, its manifest ${layers}`
  const edits = [{ at: diffIds.end, text: insertion(diffIds, diffId) }]
  if (history !== undefined) edits.push({ at: history.end, text: insertion(history, historyEntry()) })
  let text = Buffer.from(config).toString('latin1')
  for (const { at, text: added } of edits.sort((a, b) => b.at - a.at))
    text = `${text.slice(0, at)}${added}${text.slice(at)}`
  return Buffer.from(text, 'latin1')
}

/** The config without the layer that `addLayerToConfig` put on top; undefined where there is none. */
export function removeLayerFromConfig(config: Uint8Array, diffId: string): Uint8Array | undefined {
  const places = findPlaces(config)
  if (typeof places === 'string') return undefined
  let text = Buffer.from(config).toString('latin1')
  const cuts = [{ place: places.diffIds, value: diffId as JsonValue }]
  if (places.history !== undefined) cuts.push({ place: places.history, value: historyEntry() })
  for (const { place, value } of cuts.sort((a, b) => b.place.end - a.place.end)) {
    const added = insertion({ ...place, count: place.count - 1 }, value)
    if (text.slice(place.end - added.length, place.end) !== added) return undefined
    text = text.slice(0, place.end - added.length) + text.slice(place.end)
  }
  return Buffer.from(text, 'latin1')
}

function historyEntry(): JsonValue {
  return {
    members: [
      ['created', CREATED],
      ['created_by', CREATED_BY],
    ],
  }
}

function insertion({ count }: Place, value: JsonValue): string {
  return `${count === 0 ? '' : ','}${Buffer.from(printJson(value)).toString('latin1')}`
}

/** An array in the config's text: how many elements it has, and where the last one ends (without any, where the array begins). */
interface Place {
  readonly count: number
  readonly end: number
}

interface Places {
  readonly diffIds: Place
  /** Absent where the config has no history. */
  readonly history: Place | undefined
}

/** Names match without regard to case in Go, and the last one counts: a config that could be read in two ways is left alone. */
function findPlaces(config: Uint8Array): Places | string {
  const json = parseJson(config, 'the config')
  if (!isJsonObject(json)) return 'its config is not an object'
  const text = Buffer.from(config).toString('latin1')
  const top = membersAt(text, skipSpace(text, 0))
  const rootFs = only(top, 'rootfs')
  const history = only(top, 'history')
  if (typeof rootFs === 'string') return rootFs
  if (typeof history === 'string') return history
  if (rootFs === undefined || text[rootFs] !== '{') return 'its config has no rootfs'
  const diffIds = only(membersAt(text, rootFs), 'diff_ids')
  if (typeof diffIds === 'string') return diffIds
  if (diffIds === undefined || text[diffIds] !== '[') return 'its config has no diff_ids'
  const hasHistory = history !== undefined && text[history] === '['
  return { diffIds: arrayAt(text, diffIds), history: hasHistory ? arrayAt(text, history) : undefined }
}

function only(members: readonly (readonly [name: string, at: number])[], name: string): number | undefined | string {
  const found = members.filter(([other]) => other.toLowerCase() === name)
  if (found.length === 0) return undefined
  return found.length === 1 && found[0]![0] === name ? found[0]![1] : `its config names ${name} more than once`
}

// The text is valid JSON by now, so the walk below need not check it.

/** Names of the object's members and where their values begin. */
function membersAt(text: string, at: number): [name: string, at: number][] {
  const members: [name: string, at: number][] = []
  let next = skipSpace(text, at + 1)
  while (text[next] !== '}') {
    const end = valueEnd(text, next)
    const value = skipSpace(text, skipSpace(text, end) + 1)
    members.push([JSON.parse(text.slice(next, end)) as string, value])
    next = skipSpace(text, valueEnd(text, value))
    if (text[next] === ',') next = skipSpace(text, next + 1)
  }
  return members
}

function arrayAt(text: string, at: number): Place {
  let count = 0
  let end = at + 1
  let next = skipSpace(text, end)
  while (text[next] !== ']') {
    end = valueEnd(text, next)
    count++
    next = skipSpace(text, end)
    if (text[next] === ',') next = skipSpace(text, next + 1)
  }
  return { count, end }
}

function valueEnd(text: string, at: number): number {
  let depth = 0
  for (let next = at; ; ) {
    const character = text[next]!
    if (character === '"') {
      next++
      while (text[next] !== '"') next += text[next] === '\\' ? 2 : 1
      next++
    } else if (character === '{' || character === '[') {
      depth++
      next++
    } else if (character === '}' || character === ']') {
      depth--
      next++
    } else if (/[\s,:]/.test(character)) next++
    else while (/[^\s,\]}]/.test(text[next] ?? ',')) next++
    if (depth === 0) return next
  }
}

function skipSpace(text: string, at: number): number {
  let next = at
  while (/[ \t\r\n]/.test(text[next] ?? '')) next++
  return next
}

import { ManifestError } from '../error.js'
import { decodeUtf8 } from './utf8.js'

/** An object's members in the order they were written, names that occur twice included. */
export interface JsonObject {
  readonly members: readonly JsonMember[]
}

export type JsonMember = readonly [name: string, value: JsonValue]

/** A number that is not a safe integer in its shortest form: its characters as they stood. */
export interface JsonNumber {
  readonly literal: string
}

/** JSON as it was written. Integers within ±(2^53 − 1) are numbers. */
export type JsonValue = null | boolean | string | number | JsonNumber | readonly JsonValue[] | JsonObject

/** Go's maxNestingDepth (encoding/json, scanner.go). */
const MAX_DEPTH = 10_000
/** Some 100 bytes of memory each; an index of 100,000 descriptors has about half as many. */
const MAX_VALUES = 1 << 21

const SPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const LITERAL = /true|false|null/y

/** A container that is being read; an object's next member has its name already. */
interface Open {
  readonly values: JsonValue[] | undefined
  readonly members: JsonMember[] | undefined
  name: string
}

/**
 * Reads JSON as Go's `encoding/json` does (go1.26, scanner.go and decode.go): bytes that are not UTF-8 become U+FFFD each, lone surrogate
 * escapes too; containers nest 10,000 deep at most. Unlike Go it takes no more than 2,097,152 values, so that a hostile document cannot fill the memory.
 * @param what names the document in messages
 * @throws ManifestError JSON_INVALID
 */
export function parseJson(bytes: Uint8Array, what: string): JsonValue {
  const text = decodeUtf8(bytes)
  // The nesting is kept here, not on the call stack, so that depth costs memory only.
  const open: Open[] = []
  let at = 0
  let count = 0

  for (;;) {
    skipSpace()
    if (++count > MAX_VALUES) throw invalid(`it has more than ${MAX_VALUES} values`)
    let value: JsonValue
    const character = text[at]
    if (character === '{' || character === '[') {
      at++
      if (open.length === MAX_DEPTH) throw invalid(`it nests deeper than ${MAX_DEPTH}`)
      skipSpace()
      const container: Open =
        character === '{' ? { values: undefined, members: [], name: '' } : { values: [], members: undefined, name: '' }
      if (text[at] !== (container.members ? '}' : ']')) {
        open.push(container)
        if (container.members) container.name = readName()
        continue
      }
      at++
      value = finished(container)
    } else value = readScalar()

    // A value is complete: put it into its container, and close all that end here.
    for (;;) {
      skipSpace()
      const container = open.at(-1)
      if (container === undefined) {
        if (at < text.length) throw unexpected('after the end')
        return value
      }
      if (container.members) container.members.push([container.name, value])
      else container.values!.push(value)
      const next = text[at]
      if (next === ',') {
        at++
        if (container.members) {
          skipSpace()
          container.name = readName()
        }
        break
      }
      if (next !== (container.members ? '}' : ']')) throw unexpected(container.members ? 'in an object' : 'in an array')
      at++
      open.pop()
      value = finished(container)
    }
  }

  function finished(container: Open): JsonValue {
    return container.members ? { members: container.members } : container.values!
  }

  function skipSpace(): void {
    SPACE.lastIndex = at
    SPACE.exec(text)
    at = SPACE.lastIndex
  }

  function readName(): string {
    if (text[at] !== '"') throw unexpected('where a name should be')
    const name = readString()
    skipSpace()
    if (text[at] !== ':') throw unexpected('where a colon should be')
    at++
    return name
  }

  function readScalar(): JsonValue {
    if (text[at] === '"') return readString()
    NUMBER.lastIndex = at
    const number = NUMBER.exec(text)?.[0]
    if (number !== undefined) {
      at += number.length
      const value = Number(number)
      return Number.isSafeInteger(value) && String(value) === number ? value : { literal: number }
    }
    LITERAL.lastIndex = at
    const literal = LITERAL.exec(text)?.[0]
    if (literal === undefined) throw unexpected('where a value should be')
    at += literal.length
    return literal === 'null' ? null : literal === 'true'
  }

  /** Escapes are JavaScript's work, which does not build the string piece by piece; only what it makes of lone surrogates differs. */
  function readString(): string {
    let end = at
    do end = text.indexOf('"', end + 1)
    while (end >= 0 && isEscaped(end))
    if (end < 0) {
      at = text.length
      throw unexpected('in a string')
    }
    const token = text.slice(at, end + 1)
    let value: string
    try {
      value = JSON.parse(token)
    } catch {
      throw invalid(`a string has an unknown escape or a control character, at character ${at} of ${text.length}`)
    }
    at = end + 1
    return token.includes('\\') ? value.replace(/\p{Cs}/gu, '\ufffd') : value
  }

  /** Whether an odd number of backslashes stands before the position. */
  function isEscaped(position: number): boolean {
    let start = position
    while (text[start - 1] === '\\') start--
    return (position - start) % 2 === 1
  }

  function unexpected(where: string): ManifestError {
    const character = text.codePointAt(at)
    const found = character === undefined ? 'it ends' : `unexpected ${JSON.stringify(String.fromCodePoint(character))}`
    return invalid(`${found} ${where}, at character ${at} of ${text.length}`)
  }

  function invalid(reason: string): ManifestError {
    return new ManifestError('JSON_INVALID', `${what} is not valid JSON: ${reason}`)
  }
}

/** Prints JSON as Go's `json.Marshal` does: no spaces, `<`, `>`, `&`, U+2028 and U+2029 escaped. Members keep their order. */
export function printJson(value: JsonValue): Uint8Array {
  const text: string[] = []
  // What is still to print, last first: values, and characters as they are.
  const pending: (JsonValue | { readonly raw: string })[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()!
    if (next === null || typeof next === 'boolean' || typeof next === 'number') text.push(String(next))
    else if (typeof next === 'string') text.push(quote(next))
    else if ('raw' in next) text.push(next.raw)
    else if ('literal' in next) text.push(next.literal)
    else if ('members' in next) {
      pending.push({ raw: '}' })
      for (let i = next.members.length - 1; i >= 0; i--) {
        const [name, memberValue] = next.members[i]!
        pending.push(memberValue, { raw: `${i > 0 ? ',' : ''}${quote(name)}:` })
      }
      text.push('{')
    } else {
      pending.push({ raw: ']' })
      for (let i = next.length - 1; i >= 0; i--) {
        pending.push(next[i]!)
        if (i > 0) pending.push({ raw: ',' })
      }
      text.push('[')
    }
  }
  return new TextEncoder().encode(text.join(''))
}

/** Candidates for an escape; of the controls only those below a space get one. Lone surrogates are what Go calls invalid. */
const ESCAPED = /["\\<>&\p{Cc}\u2028\u2029\p{Cs}]/gu
const SHORT = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function quote(text: string): string {
  const escaped = text.replace(ESCAPED, (character) => {
    const short = SHORT.get(character)
    if (short !== undefined) return short
    const code = character.charCodeAt(0)
    if (code >= 0x7f && code <= 0x9f) return character
    if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
    return `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `"${escaped}"`
}

/** The value of the member of exactly this name, the last one where there are several. */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  return object.members.findLast(([other]) => other === name)?.[1]
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && 'members' in value
}

/** Names are the same to Go where this is: it folds letters, and of the ASCII letters s and k have a third form (fold.go, foldName). */
export function foldName(name: string): string {
  return name.replace(/[a-z\u017f\u212a]/g, (letter) =>
    letter === '\u017f' ? 'S' : letter === '\u212a' ? 'K' : letter.toUpperCase(),
  )
}

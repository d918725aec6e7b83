// Go values as JSON: how encoding/json (go1.26, decode.go and encode.go) decodes into the types that OCI's structs are made of, and prints them.
import { ManifestError } from '../error.js'
import { foldName, isJsonObject, type JsonMember, type JsonValue } from './gojson.js'
import { compareUtf8 } from './utf8.js'

/** A Go type. `undefined` is its zero value where that prints as `null` or not at all. */
export interface GoType<T> {
  readonly zero: T
  /**
   * @param previous what is in the variable: a member that occurs twice is decoded into what the first one left
   * @throws ManifestError MANIFEST_INVALID where the JSON is of another type; `path` says where
   */
  decode(json: JsonValue, previous: T, path: string): T
  encode(value: T): JsonValue
  /** What `omitempty` leaves out. */
  isEmpty(value: T): boolean
}

export const goString: GoType<string> = {
  zero: '',
  decode(json, previous, path) {
    if (json === null) return previous
    if (typeof json !== 'string') throw mismatch(path, json, 'a string')
    return json
  },
  encode: (value) => value,
  isEmpty: (value) => value === '',
}

const INT64_LIMIT = 2n ** 63n

/** int64; a bigint where it is beyond ±(2^53 − 1). */
export const goInt64: GoType<number | bigint> = {
  zero: 0,
  decode(json, previous, path) {
    if (json === null) return previous
    if (typeof json === 'number') return json
    const literal = typeof json === 'object' && 'literal' in json ? json.literal : undefined
    if (literal === undefined || !/^-?[0-9]+$/.test(literal)) throw mismatch(path, json, 'an integer')
    // Digits are counted first: a literal may be as long as the document.
    const value = literal.length <= 20 ? BigInt(literal) : INT64_LIMIT
    if (value < -INT64_LIMIT || value >= INT64_LIMIT) throw mismatch(path, json, 'an integer of 64 bits')
    return value === 0n ? 0 : value
  },
  encode: (value) => (typeof value === 'bigint' ? { literal: String(value) } : value),
  isEmpty: (value) => value === 0,
}

/** []byte, as canonical base64 text. */
export const goBytes: GoType<string | undefined> = {
  zero: undefined,
  decode(json, _previous, path) {
    if (json === null) return undefined
    if (Array.isArray(json)) {
      if (!json.every((byte) => byte === null || (typeof byte === 'number' && byte >= 0 && byte <= 255)))
        throw mismatch(path, json, 'base64')
      return Buffer.from(json as readonly number[]).toString('base64')
    }
    const text = typeof json === 'string' ? json.replace(/[\r\n]/g, '') : undefined
    if (text === undefined || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
      throw mismatch(path, json, 'base64')
    return Buffer.from(text, 'base64').toString('base64')
  },
  encode: (value) => value ?? null,
  isEmpty: (value) => value === undefined || value === '',
}

/** A slice: `undefined` is nil. */
export function goSlice<T>(element: GoType<T>): GoType<readonly T[] | undefined> {
  return {
    zero: undefined,
    decode(json, previous, path) {
      if (json === null) return undefined
      if (!Array.isArray(json)) throw mismatch(path, json as JsonValue, 'an array')
      return json.map((item, i) => element.decode(item, previous?.[i] ?? element.zero, `${path}[${i}]`))
    },
    encode: (value) => value?.map((item) => element.encode(item)) ?? null,
    isEmpty: (value) => value === undefined || value.length === 0,
  }
}

/** map[string]string, printed in the order of its keys' bytes: `undefined` is nil. */
export const goStringMap: GoType<ReadonlyMap<string, string> | undefined> = {
  zero: undefined,
  decode(json, previous, path) {
    if (json === null) return undefined
    if (!isJsonObject(json)) throw mismatch(path, json, 'an object')
    const map = new Map(previous)
    for (const [name, value] of json.members)
      map.set(name, goString.decode(value, '', `${path}[${JSON.stringify(name)}]`))
    return map
  },
  encode(value) {
    if (value === undefined) return null
    return { members: [...value].sort(([a], [b]) => compareUtf8(a, b)) }
  },
  isEmpty: (value) => value === undefined || value.size === 0,
}

/** A pointer: `undefined` is nil. */
export function goPointer<T>(target: GoType<T>): GoType<T | undefined> {
  return {
    zero: undefined,
    decode: (json, previous, path) => (json === null ? undefined : target.decode(json, previous ?? target.zero, path)),
    encode: (value) => (value === undefined ? null : target.encode(value)),
    isEmpty: (value) => value === undefined,
  }
}

/** Whether the member is there at all: json.RawMessage, which takes `null` too. */
export const goPresence: GoType<boolean> = {
  zero: false,
  decode: () => true,
  encode: (value) => value,
  isEmpty: (value) => !value,
}

/** A field of a struct; an optional one (`omitempty`) is left out where it is empty, in the JSON and in the record. */
export interface GoField<T> {
  readonly type: GoType<T>
  readonly optional: boolean
}

export function required<T>(type: GoType<T>): GoField<T> {
  return { type, optional: false }
}

export function optional<T>(type: GoType<T>): GoField<T> {
  return { type, optional: true }
}

/** A struct's fields by their JSON names, in the order that Go prints them. */
export type GoFields<T> = { readonly [K in keyof T]-?: GoField<NonNullable<T[K]>> | GoField<T[K]> }

/** A struct: unknown members are dropped, names match without regard to case. */
export function goStruct<T extends object>(fields: GoFields<T>): GoType<T> {
  const list = Object.entries(fields) as unknown as readonly (readonly [string, GoField<unknown>])[]
  const exact = new Map(list)
  const folded = new Map(list.map(([name]) => [foldName(name), name]))
  const zero = toRecord({})

  /** The fields in their order, without the optional ones that are empty. */
  function toRecord(values: Readonly<Record<string, unknown>>): T {
    const record: Record<string, unknown> = {}
    for (const [name, { type, optional }] of list) {
      const value = name in values ? values[name] : type.zero
      if (!optional || !type.isEmpty(value)) record[name] = value
    }
    return record as T
  }

  return {
    zero,
    decode(json, previous, path) {
      if (json === null) return previous
      if (!isJsonObject(json)) throw mismatch(path, json, 'an object')
      const values: Record<string, unknown> = { ...(previous as Readonly<Record<string, unknown>>) }
      for (const [member, value] of json.members) {
        const name = exact.has(member) ? member : folded.get(foldName(member))
        if (name === undefined) continue
        const { type } = exact.get(name)!
        values[name] = type.decode(
          value,
          name in values ? values[name] : type.zero,
          path === '' ? name : `${path}.${name}`,
        )
      }
      return toRecord(values)
    },
    encode(value) {
      const record = value as Readonly<Record<string, unknown>>
      const members: JsonMember[] = []
      for (const [name, { type, optional }] of list) {
        const fieldValue = record[name] === undefined ? type.zero : record[name]
        if (!optional || !type.isEmpty(fieldValue)) members.push([name, type.encode(fieldValue)])
      }
      return { members }
    },
    isEmpty: () => false,
  }
}

function mismatch(path: string, json: JsonValue, wanted: string): ManifestError {
  return new ManifestError('MANIFEST_INVALID', `${path === '' ? 'it' : path} is ${describe(json)}, not ${wanted}`)
}

function describe(json: JsonValue): string {
  if (json === null) return 'null'
  if (Array.isArray(json)) return 'an array'
  if (isJsonObject(json)) return 'an object'
  const text =
    typeof json === 'string'
      ? JSON.stringify(json)
      : typeof json === 'object'
        ? (json as { literal: string }).literal
        : String(json)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

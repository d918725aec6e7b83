/** An object's members in the order they were written, names that occur twice included. */
export interface JsonObject {
  readonly members: readonly (readonly [name: string, value: JsonValue])[]
}

/** A number that is not a safe integer in its shortest form: its characters as they stood. */
export interface JsonNumber {
  readonly literal: string
}

/** JSON as it was written. Integers within ±(2^53 − 1) are numbers. */
export type JsonValue = null | boolean | string | number | JsonNumber | readonly JsonValue[] | JsonObject

/**
 * Reads JSON as Go's `encoding/json` does (go1.26, decode.go and scanner.go): bytes that are no UTF-8 become U+FFFD each, lone surrogate escapes
 * too, nesting ends at 10,000.
 * @param what names the document in messages
 * @throws ManifestError JSON_INVALID
 */
export function parseJson(_bytes: Uint8Array, _what: string): JsonValue {
  throw new Error('not yet')
}

/** Prints JSON as Go's `json.Marshal` does: no spaces, `<`, `>`, `&`, U+2028 and U+2029 escaped. Members keep their order. */
export function printJson(_value: JsonValue): Uint8Array {
  throw new Error('not yet')
}

/** The value of the member of exactly this name, the last one where there are several. */
export function member(_object: JsonObject, _name: string): JsonValue | undefined {
  throw new Error('not yet')
}

export function isJsonObject(_value: JsonValue | undefined): _value is JsonObject {
  throw new Error('not yet')
}

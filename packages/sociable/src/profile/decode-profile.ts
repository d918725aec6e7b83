import { formatBinarySize } from '../size.js'
import { joinRanges } from './merge-profiles.js'
import type { Profile, ProfileFile } from './profile.js'

/** A start that reads more has no use for a profile. */
const MAX_FILES = 1_000_000
/** A million paths of ordinary length. JSON of more is not parsed. */
export const MAX_PROFILE_LENGTH = 256 << 20

/**
 * A profile from its JSON. Ranges are sorted and joined.
 * @throws TypeError that says what is wrong
 */
export function decodeProfile(text: string): Profile {
  if (text.length > MAX_PROFILE_LENGTH)
    throw new TypeError(`it is larger than the limit of ${formatBinarySize(MAX_PROFILE_LENGTH)}`)
  const value = JSON.parse(text) as {
    readonly version?: unknown
    readonly static?: unknown
    readonly files?: unknown
  } | null
  if (value?.version !== 1 || !Array.isArray(value.files))
    throw new TypeError('it is not a profile of version 1: make one with `sociable profile`')
  if (value.files.length > MAX_FILES)
    throw new TypeError(`it has ${value.files.length} files, a profile may have ${MAX_FILES}`)
  if (value.static !== undefined && typeof value.static !== 'boolean')
    throw new TypeError(`static is ${print(value.static)}: it must be true or false`)
  return { version: 1, ...(value.static && { static: true as const }), files: value.files.map(decodeFile) }
}

function decodeFile(value: { readonly path?: unknown; readonly ranges?: unknown } | null, i: number): ProfileFile {
  const path = value?.path
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0') || path.split('/').includes('..'))
    throw new TypeError(`the path of file ${i + 1} is ${print(path)}: it must be absolute, without ".." and NUL`)
  const ranges = value!.ranges
  if (ranges === undefined) return { path }
  if (!Array.isArray(ranges)) throw new TypeError(`the ranges of ${path} are not an array`)
  for (const range of ranges) {
    const [start, end, ...rest] = Array.isArray(range) ? range : []
    if (!isOffset(start) || !isOffset(end) || end < start || rest.length > 0)
      throw new TypeError(`${path} has the range ${print(range)}: write [start, end] in bytes`)
  }
  return { path, ranges: joinRanges(ranges) }
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function print(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 200)
}

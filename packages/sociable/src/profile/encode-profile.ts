import { printableJson } from '../printable.js'
import type { Profile } from './profile.js'

/**
 * A profile as JSON, one file on each line, so that a version control system shows what changed. The same profile gives the same bytes. Control characters, and bytes of
 * names that are not UTF-8, are `\u` escapes, which `parseProfile` reads back.
 */
export function encodeProfile({ version, static: isStatic, files }: Profile): string {
  const lines = files.map(({ path, ranges }) => printableJson({ path, ranges }))
  return `{"version":${version},${isStatic ? '"static":true,' : ''}"files":[\n${lines.join(',\n')}\n]}\n`
}

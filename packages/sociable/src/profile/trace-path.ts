// Traces are read as Latin-1, one character for each byte, so that no name loses a byte. This turns what they name into clean paths.
import { decodePath } from '../reading/path-bytes.js'

/** As Linux's PATH_MAX. */
const MAX_PATH_LENGTH = 4096
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is looked for
const ASCII = /^[\x00-\x7f]*$/

/** The text of a path that was read as Latin-1; see path-bytes.ts. */
export function textOf(latin1: string): string {
  return ASCII.test(latin1) ? latin1 : decodePath(Buffer.from(latin1, 'latin1'))
}

/** Without `.`, `..` and doubled slashes. Undefined for a path that is relative, too long, the root, or has a NUL. */
export function cleanPath(path: string): string | undefined {
  if (!path.startsWith('/') || path.length > MAX_PATH_LENGTH || path.includes('\0')) return undefined
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length === 0 ? undefined : `/${parts.join('/')}`
}

/** A path as a process names it from a folder; undefined where that folder is unknown. */
export function pathFrom(folder: string | undefined, path: string): string | undefined {
  if (path.startsWith('/')) return path
  return folder === undefined ? undefined : `${folder}/${path}`
}

/** Whether a path is the folder, or below it. */
export function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === '/')
}

// File names as git prints them: a name that cannot be printed as it is stands in double quotes, with C's escapes and its other bytes in octal.
import { isPrintable } from '../printable.js'
import { decodePath, encodePath } from './path-bytes.js'

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

/** The path as it is, or quoted: `"caf\351"`. A path that begins with a double quote is always quoted. */
export function quotePath(path: string): string {
  if (isPrintable(path) && !path.startsWith('"')) return path
  let quoted = ''
  for (const character of path) {
    if (ESCAPES[character] !== undefined) quoted += ESCAPES[character]
    else if (isPrintable(`.${character}`)) quoted += character
    else for (const byte of encodePath(character)) quoted += `\\${byte.toString(8).padStart(3, '0')}`
  }
  return `"${quoted}"`
}

/** The path that a text in `quotePath`'s form stands for; undefined for any other text. */
export function unquotePath(text: string): string | undefined {
  if (!/^"(?:[^"\\]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*"$/.test(text)) return undefined
  const bytes: Buffer[] = []
  for (const [part, letter, octal] of text.slice(1, -1).matchAll(/\\([abtnvfr"\\])|\\([0-3][0-7]{2})|[^\\]+/g))
    if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8)))
    else if (letter !== undefined) bytes.push(Buffer.from(UNESCAPED[letter]!))
    else bytes.push(Buffer.from(part))
  return decodePath(Buffer.concat(bytes))
}

const UNESCAPED = Object.fromEntries(Object.entries(ESCAPES).map(([character, written]) => [written[1]!, character]))

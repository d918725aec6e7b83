// One line of strace as data. https://man7.org/linux/man-pages/man1/strace.1.html

export interface StraceLine {
  /** '' for a line without one. */
  readonly pid: string
  readonly text: string
}

const PREFIX =
  /^(?:\[pid\s+(\d+)(?:<[^>]*>)?\]\s+|(\d+)(?:<[^>]*>)?\s+(?=\D|\d+[:.]))?(?:\d\d:\d\d:\d\d(?:\.\d+)?\s+|\s*\d+\.\d+\s+|\(\+\s*\d+\.\d+\)\s+|\[[\s0-9a-fx?]+\]\s+)*/

/** The process, and what comes after times and addresses. */
export function splitStraceLine(line: string): StraceLine {
  const match = PREFIX.exec(line)!
  return { pid: match[1] ?? match[2] ?? '', text: line.slice(match[0].length) }
}

const LINE = /^(?:[a-z_][a-z0-9_]*\(|<\.\.\. [a-z_][a-z0-9_]* resumed>|\+\+\+ (?:exited|killed)|--- SIG)/

export function isStrace(line: string): boolean {
  return LINE.test(splitStraceLine(line).text)
}

export interface Argument {
  /** As it stands in the line. */
  readonly raw: string
  /** The bytes of a string, as Latin-1. */
  readonly string?: string
  /** The string is cut short. */
  readonly isCut?: boolean
  /** A descriptor's number, or the working folder's name, without what -y adds. */
  readonly descriptor?: string
  /** What -y adds: the descriptor's path. */
  readonly path?: string
}

export interface Call {
  readonly arguments: readonly Argument[]
  /** Undefined where it is unknown. */
  readonly result: number | undefined
  /** What -y adds to a descriptor that is returned. */
  readonly resultPath: string | undefined
}

/** The arguments and result of a call, from what comes after its opening parenthesis; undefined where that is not whole. */
export function parseCall(text: string): Call | undefined {
  const found: Argument[] = []
  let at = 0
  let from = 0
  let depth = 0
  for (; at < text.length; at++) {
    const character = text[at]!
    if (character === '"') at = endOfString(text, at) - 1
    else if (character === '<' && /[0-9D]/.test(text[at - 1] ?? '')) at = endOfPath(text, at) - 1
    else if (character === '[' || character === '{' || character === '(') depth++
    else if (depth > 0 && (character === ']' || character === '}' || character === ')')) depth--
    else if (depth === 0 && (character === ',' || character === ')')) {
      found.push(parseArgument(text.slice(from, at).trim()))
      from = at + 1
      if (character === ')') break
    }
  }
  const result = /^\)\s*= (-?\d+)(<.*>)?/.exec(text.slice(at))
  if (result === null) return undefined
  return { arguments: found, result: Number(result[1]), resultPath: descriptorPath(result[2]) }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

/** After `</path>`, `</dev/null<char 1:3>>` or `<TCP:[127.0.0.1:1->127.0.0.1:2]>`. */
function endOfPath(text: string, start: number): number {
  const isFile = text[start + 1] === '/'
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === '<') depth++
    else if (text[at] === '>' && (isFile || text[at - 1] !== '-') && --depth === 0) return at + 1
  }
  return text.length
}

function parseArgument(raw: string): Argument {
  if (raw.startsWith('"')) {
    const end = endOfString(raw, 0)
    return { raw, string: unescapeC(raw.slice(1, end - 1)), isCut: raw.slice(end).startsWith('...') }
  }
  const descriptor = /^(-?\d+|AT_FDCWD)(<.*>)?$/s.exec(raw)
  if (descriptor === null) return { raw }
  const path = descriptorPath(descriptor[2])
  return { raw, descriptor: descriptor[1]!, ...(path !== undefined && { path }) }
}

function descriptorPath(annotation: string | undefined): string | undefined {
  if (annotation === undefined || !annotation.startsWith('</')) return undefined
  return unescapeC(annotation.slice(1, -1).replace(/<[^<>]*>$/, ''))
}

const LETTERS: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  v: '\v',
  f: '\f',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
}

/** C's escapes: letters, up to three octal digits, two hexadecimal ones. */
function unescapeC(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|(.))/gs, (_, octal, hexadecimal, letter) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
    if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal, 16))
    return LETTERS[letter] ?? letter
  })
}

// From an error to what the user sees of it: one to three lines and the exit status.

export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2

/** The command was asked for something that cannot be meant: a value, or values that contradict each other. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** Lines of their own that say where to look, or what to choose from. */
  readonly hints: readonly string[]
  constructor(message: string, options: ErrorOptions & { readonly hint?: string | readonly string[] } = {}) {
    super(message, options)
    this.hints = [options.hint ?? []].flat()
  }
}

export interface Failure {
  readonly status: number
  /** The error class's `code`, `USAGE`, `INTERNAL`, or the system's (`ENOENT`). */
  readonly code: string
  readonly lines: readonly string[]
  readonly stack: string | undefined
}

/** What `--json` prints in place of a result. */
export interface ErrorDocument {
  /** `code` as the library's error classes have it, the system's (ENOENT), USAGE or INTERNAL; `message`: what stderr says. */
  readonly error: { readonly code: string; readonly message: string }
}

import { printable } from '../printable.js'

/** Errors of these are about what was given; of any other class they are ours to repair. */
const EXPECTED = [
  'LayerFormatError',
  'ZtocFormatError',
  'ImageReferenceError',
  'StoreError',
  'ManifestError',
  'ImageError',
  'TraceError',
  'PublishError',
]
const MAX_LINES = 3

export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error))
    return { status: EXIT_FAILED, code: 'INTERNAL', lines: [String(error)], stack: undefined }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const lines = messageLines(error)
  const stack = stackOf(error)
  if (error instanceof UsageError) return { status: EXIT_USAGE, code: 'USAGE', lines, stack }
  // A reference that cannot be parsed is a wrong argument like any other.
  if (code === 'REFERENCE_INVALID') return { status: EXIT_USAGE, code, lines, stack }
  if (EXPECTED.includes(error.name)) return { status: EXIT_FAILED, code, lines, stack }
  if ('syscall' in error)
    return { status: EXIT_FAILED, code, lines: [systemMessage(error, code), ...lines.slice(1)], stack }
  const report = 'This is a fault in sociable: please report it with what --verbose prints.'
  return { status: EXIT_FAILED, code: 'INTERNAL', lines: [...lines.slice(0, MAX_LINES - 1), report], stack }
}

/**
 * The message, then what the causes add to it. Each is one line: what looks like a line's end in a message comes from an image, a registry or the
 * environment, and starts no line here.
 */
function messageLines(error: Error): string[] {
  const lines = [error.message.trim()].filter((line) => line !== '')
  if (error instanceof UsageError) lines.push(...error.hints)
  const limit = Math.max(MAX_LINES, lines.length)
  for (const cause of causes(error)) {
    const said = lines.join('\n')
    // An error of the system is said already where its code is.
    const word = 'syscall' in cause && 'code' in cause ? String(cause.code) : cause.message
    if (!said.includes(word)) lines.push(cause.message.trim())
  }
  return lines.length === 0 ? [error.name] : lines.slice(0, limit)
}

function causes(error: Error): Error[] {
  const found: Error[] = []
  for (let cause = error.cause; cause instanceof Error && found.length < 8; cause = cause.cause) found.push(cause)
  return found
}

function stackOf(error: Error): string {
  const described = [error, ...causes(error)].map((each) => {
    const frames = (each.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    return [printable(`${each.name}: ${each.message}`), ...frames].join('\n')
  })
  return described.join('\ncaused by: ')
}

const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'part of the path is not a folder',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  EEXIST: 'it exists already',
}

/** `layer.tar: no such file or folder`, in place of `ENOENT: no such file or directory, open 'layer.tar'`. */
function systemMessage(error: Error, code: string): string {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined
  const message = SYSTEM_MESSAGES[code]
  return path === undefined || message === undefined ? error.message : `${path}: ${message}`
}

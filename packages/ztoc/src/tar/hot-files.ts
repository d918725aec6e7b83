// Which files of a layer a start reads, known by their names before the layers above are known.
import type { CopyRule, HotFile } from '../types.js'

/** So many of a path's last names must be those of an entry: `/lib/x86_64-linux-gnu/libc.so.6` may lie in `usr/lib`. */
const TAIL = 3
/** A shorter path must be an entry's as a whole, or with a folder above. */
const MIN_TAIL = 2

type ByteRange = readonly [start: number, end: number]

/** Paths by the names they end with. An entry that only looks like one of them costs a span or two. */
export class HotFiles {
  readonly #ranges = new Map<string, readonly ByteRange[] | undefined>()
  /** Their last names: most entries of a layer have none of these, which is quick to check. */
  readonly #lastNames = new Set<string>()

  constructor(files: readonly HotFile[]) {
    for (const { path, ranges } of files) {
      const tail = tailOf(path)
      this.#lastNames.add(tail.slice(tail.lastIndexOf('/') + 1))
      const known = this.#ranges.has(tail) ? this.#ranges.get(tail) : []
      this.#ranges.set(tail, known === undefined || ranges === undefined ? undefined : [...known, ...ranges])
    }
  }

  /** What is read of an entry with this name (bytes as Latin-1); undefined where that is nothing. */
  rangesOf(name: string, size: number): readonly ByteRange[] | undefined {
    const last = name.slice(name.lastIndexOf('/') + 1)
    if (!UNCLEAN.test(last) && !this.#lastNames.has(last)) return undefined
    const parts = names(name)
    for (let count = Math.min(TAIL, parts.length); count >= Math.min(MIN_TAIL, parts.length); count--) {
      const tail = parts.slice(-count).join('/')
      if (this.#ranges.has(tail)) return this.#ranges.get(tail) ?? [[0, size]]
    }
    return undefined
  }
}

/** Last names that are none: the one before counts. */
const UNCLEAN = /^\.{0,2}$/

function tailOf(path: string): string {
  return names(Buffer.from(path).toString('latin1')).slice(-TAIL).join('/')
}

/** Without `.`, and with `..` taken away together with the name before. */
function names(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

/** Whether a rule holds for a file of which these ranges are read. */
export function isCopied(rules: readonly CopyRule[], size: number, ranges: readonly ByteRange[] | undefined): boolean {
  const read = ranges?.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end, size) - start), 0) ?? size
  return rules.some(({ upTo, share }) => size <= upTo && read >= share * size)
}

/** What the kernel reads at once of a file. */
export const READ_AHEAD = 128 << 10

/**
 * The parts of the tar that are read of a file whose data starts at `offset`, sorted and disjoint. A runtime that reads up to a byte fetches that byte's
 * span, too, so it is in the part.
 */
export function readParts(offset: number, size: number, ranges: readonly ByteRange[] = [[0, size]]): ByteRange[] {
  const parts: [number, number][] = []
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (start >= size || end <= start) continue
    const from = offset + Math.floor(start / READ_AHEAD) * READ_AHEAD
    const to = offset + Math.min(size, Math.ceil(end / READ_AHEAD) * READ_AHEAD) + 1
    const last = parts.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else parts.push([from, to])
  }
  return parts
}

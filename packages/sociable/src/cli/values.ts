// What the values of flags and of their environment variables may be. A bad one is a usage error that shows how to write it.
import { InvalidArgumentError } from 'commander'
import type { Optimization, StartLayerKind } from '../options.js'

// One letter means a power of two, as docker and dd have it.
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ...['k', 'm', 'g', 't'].flatMap((letter, i): [string, number][] => [
    [letter, 1024 ** (i + 1)],
    [`${letter}ib`, 1024 ** (i + 1)],
    [`${letter}b`, 1000 ** (i + 1)],
  ]),
])

/** Bytes: `4194304`, `4MiB`, `4M` (both 4 × 1024²), `4MB` (4 × 1000²), `1.5GiB`; whole bytes up to 2^53 − 1. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = match === null ? undefined : UNITS.get(match[2]!.toLowerCase())
  if (match === null || unit === undefined)
    throw new InvalidArgumentError('Write bytes or a size such as 4194304, 4MiB or 512KB.')
  const bytes = Number(match[1]) * unit
  if (!Number.isInteger(bytes)) throw new InvalidArgumentError(`It is ${bytes} bytes, which is not a whole number.`)
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('It is over the limit of 9007199254740991 bytes.')
  return bytes
}

/** Repeatable names of stacks. */
export function parseStacks(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, parseText(text)]
}

/** At least one byte. */
export function parsePositiveSize(text: string): number {
  const bytes = parseSize(text)
  if (bytes === 0) throw new InvalidArgumentError('It must be at least 1 byte.')
  return bytes
}

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A time in milliseconds: `90s`, `10m`, `1h`, `500ms`; a number alone is seconds. At most 24 days, the longest timer there is. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|)$/.exec(text.trim())
  if (match === null) throw new InvalidArgumentError('Write a time such as 30s, 10m or 1h.')
  const time = Math.round(Number(match[1]) * DURATIONS[match[2]! === '' ? 's' : match[2]!]!)
  if (time > 2 ** 31 - 1) throw new InvalidArgumentError('It is longer than 24 days.')
  return time
}

/** An age in milliseconds: `30d`, `12h`, `90m`. */
export function parseAge(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([mhd])$/.exec(text.trim())
  if (match === null) throw new InvalidArgumentError('Write an age such as 30d, 12h or 90m.')
  return Number(match[1]) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'm' | 'h' | 'd']
}

/** Patterns, separated by commas, added to those before. */
export function parsePatterns(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, ...parseList(text)]
}

/** How a tag is made of another, as `{tag}-soci`. */
export function parseTagTemplate(text: string): string {
  const parts = text.split('{tag}')
  if (parts.length !== 2 || parts.join('') === '' || !/^\w[\w.-]*$/.test(parts.join('t')))
    throw new InvalidArgumentError('Write a tag with {tag} once, such as {tag}-soci.')
  return text
}

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text.trim()) || count < 1 || !Number.isSafeInteger(count))
    throw new InvalidArgumentError('Write a whole number of at least 1.')
  return count
}

/** One or more platforms between commas (as the soci CLI and docker take them), added to those before. */
export function parsePlatforms(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, ...parseList(text).map(checkPlatform)]
}

// Only the shape: what a platform means is for the library, which is not loaded for a usage error.
const PLATFORM = /^[\w-]+(?:\([\w.%+-]*\))?(?:\/[\w.-]+){1,2}$/

/** A single platform. */
export function checkPlatform(text: string): string {
  if (!PLATFORM.test(text))
    throw new InvalidArgumentError('Write os/architecture or os/architecture/variant, such as linux/arm64.')
  return text
}

/** One or more optimizations between commas. */
export function parseOptimizations(text: string, previous: readonly Optimization[] = []): readonly Optimization[] {
  const names = parseList(text).map((name): Optimization => {
    if (name !== 'xattr') throw new InvalidArgumentError('The one there is: xattr.')
    return name
  })
  return [...new Set([...previous, ...names])]
}

/** A path, or several on lines of their own (for the environment variable; a comma may well be in a path), added to those before. */
export function parsePaths(text: string, previous: readonly string[] = []): readonly string[] {
  const paths = text.split('\n').filter((path) => path.trim() !== '')
  if (paths.length === 0) throw new InvalidArgumentError('Write a path in the image, such as /app/config.json.')
  return [...previous, ...paths]
}

/** An image name, or several on lines of their own (a folder's may have a comma in it), added to those before. */
export function parseImages(text: string, previous: readonly string[] = []): readonly string[] {
  const names = text.split('\n').filter((name) => name.trim() !== '')
  if (names.length === 0) throw new InvalidArgumentError('Write an image, such as registry.example/app:1-soci.')
  return [...previous, ...names]
}

/** A file, or several on lines of their own, added to those before. */
export function parseFiles(text: string, previous: readonly string[] = []): readonly string[] {
  const files = text.split('\n').filter((file) => file.trim() !== '')
  if (files.length === 0) throw new InvalidArgumentError('Write a file name, such as start.json.')
  return [...previous, ...files]
}

export function parseStartLayer(text: string): StartLayerKind {
  if (text !== 'none' && text !== 'zstd' && text !== 'gzip') throw new InvalidArgumentError('Write zstd, gzip or none.')
  return text
}

export function parseRecompress(text: string): 'gzip' {
  if (text !== 'gzip') throw new InvalidArgumentError('Write gzip.')
  return text
}

export function parseOnOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('Write on or off.')
  return text === 'on'
}

/** Text that says something. */
export function parseText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

function parseList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim())
  if (items.includes('')) throw new InvalidArgumentError('There is an empty item in it.')
  return items
}

/** One or more registries between commas, as in image names: `host` or `host:port`. */
export function parseHosts(text: string, previous: readonly string[] = []): readonly string[] {
  const hosts = parseList(text)
  for (const host of hosts)
    if (/[/@\s]/.test(host)) throw new InvalidArgumentError('Write a registry as in an image name, such as host:5000.')
  return [...previous, ...hosts]
}

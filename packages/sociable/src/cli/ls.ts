import { Command } from 'commander'
import type { EntryType, FetchStatistics, ImageEntry } from '../image.js'
import { comparePaths } from '../reading/path-bytes.js'
import { quotePath } from '../reading/quote-path.js'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { formatSize } from './format.js'
import { imagePath, platformOption, type ReadingFlags, withImage } from './image-reading.js'
import { layerLimitOption } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions } from './registry-options.js'
import { formatTable } from './table.js'
import type { Terminal } from './terminal.js'

interface LsFlags extends ReadingFlags {
  readonly long?: boolean
  readonly recursive?: boolean
  readonly humanReadable?: boolean
  readonly sortSize?: boolean
  readonly sortTime?: boolean
}

/** What `ls --json` prints. */
export interface LsDocument {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** As it was asked for; '' for the root. Absent where several were. */
  readonly path?: string
  /** Several, as they were asked for. */
  readonly paths?: readonly string[]
  /** Of all paths, one after the other. */
  readonly entries: readonly ImageEntry[]
  readonly statistics: FetchStatistics
}

export function lsCommand(terminal: Terminal): Command {
  const command = new Command('ls')
    .summary('list the files of an image')
    .description(
      'Lists the files of an image, over all layers. With a SOCI index, no layer is read; layers without one are read whole. Names are relative to PATH and sorted by their bytes; names that start with a dot are included. If several paths are given, each is listed under its name. Names with control characters or invalid UTF-8 are quoted like in git; `cat` and `extract` accept them in that form.',
    )
    .usage('[options] <image> [paths...]')
    .argument('[image]', 'the image', notEmpty)
    .argument('[paths...]', 'folders or files in the image (default: its root)')
  addOptions(
    command,
    option('-l, --long', 'also print type, mode, owner, size, time and link target'),
    option('-a, --all', 'no effect: names that start with a dot are always listed'),
    option('-h, --human-readable', 'with -l, print sizes as 4.2 MB'),
    option('-S, --sort-size', 'sort by size, largest first'),
    option('-t, --sort-time', 'sort by time, newest first'),
    option('-R, --recursive', 'list subfolders, too'),
    platformOption(),
    layerLimitOption(),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable ls oci:./image:app-soci /etc', does: 'list a folder' },
    { command: 'sociable ls -lR oci-archive:app-soci.tar usr/lib', does: 'list a folder and its subfolders in detail' },
    { command: 'sociable ls -lhSR oci:./image:app-soci / | head', does: 'list the largest files' },
  ])
  return command.action(async (imageName: string | undefined, paths: readonly string[], flags: LsFlags) => {
    if (imageName === undefined) {
      if (flags.humanReadable) command.help()
      throw new UsageError("missing required argument 'image'", { hint: 'See `sociable ls --help`.' })
    }
    if (flags.sortSize && flags.sortTime) throw new UsageError('-S and -t cannot be combined')
    await withImage(imageName, flags, terminal, async (image) => {
      const options = { signal: terminal.signal, recursive: flags.recursive === true }
      const asked = paths.length === 0 ? [''] : paths
      const listings: Listing[] = []
      for (const path of asked) {
        const entries = await image.list(await imagePath(image, path, terminal.signal), options)
        listings.push({ path, entries: inOrder(entries, flags) })
      }
      const { digest, platform, name, statistics } = image
      const document: LsDocument = {
        image: name,
        platform,
        digest,
        ...(asked.length === 1 ? { path: asked[0]! } : { paths: asked }),
        entries: listings.flatMap(({ entries }) => entries),
        statistics,
      }
      await terminal.result(document, describe(listings, flags))
    })
  })
}

interface Listing {
  readonly path: string
  readonly entries: readonly ImageEntry[]
}

/** Entries of the same size, or time, by name. */
function inOrder(entries: readonly ImageEntry[], { sortSize, sortTime }: LsFlags): readonly ImageEntry[] {
  if (!sortSize && !sortTime) return entries
  const time = ({ modified }: ImageEntry) => Date.parse(modified) || Number.NEGATIVE_INFINITY
  const rank = sortSize ? ({ size }: ImageEntry) => size : time
  const compare = (a: number, b: number) => (a === b ? 0 : a < b ? 1 : -1)
  return entries.toSorted((a, b) => compare(rank(a), rank(b)) || comparePaths(a.path, b.path))
}

function describe(listings: readonly Listing[], flags: LsFlags): string[] {
  return listings.flatMap(({ path, entries }, i) => {
    const folder = folderOf(entries)
    const name = (entry: ImageEntry) => quotePath(entry.path.slice(folder.length))
    const lines = flags.long ? longLines(entries, name, flags) : entries.map(name)
    if (listings.length === 1) return lines
    return [...(i === 0 ? [] : ['']), `${path}:`, ...lines]
  })
}

/** The folder that was listed, as the image has it (the path asked for may lead over links): no entry is nearer to the root than its own. */
function folderOf(entries: readonly ImageEntry[]): string {
  const folders = entries.map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1))
  return folders.reduce((shortest, folder) => (folder.length < shortest.length ? folder : shortest), folders[0] ?? '')
}

const TYPE_LETTERS: Readonly<Record<EntryType, string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
}

function longLines(
  entries: readonly ImageEntry[],
  name: (entry: ImageEntry) => string,
  { humanReadable }: LsFlags,
): string[] {
  const rows = entries.map((entry) => [
    `${TYPE_LETTERS[entry.type]}${modeText(entry.mode)}`,
    `${entry.uid}:${entry.gid}`,
    humanReadable ? formatSize(entry.size) : String(entry.size),
    entry.modified.replace(/\.\d+/, '') || '-',
    name(entry) + (entry.target === undefined ? '' : ` -> ${quotePath(entry.target)}`),
  ])
  return formatTable(LONG_COLUMNS, rows).slice(1)
}

const LONG_COLUMNS = [{ name: '' }, { name: '' }, { name: '', align: 'right' }, { name: '' }, { name: '' }] as const

/** `rwxr-xr-x`, with s and t for the set-id and sticky bits, as ls(1) has it. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: boolean, letter: string) => {
    const bits = (mode >> shift) & 7
    const execute = bits & 1 ? (special ? letter : 'x') : special ? letter.toUpperCase() : '-'
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${execute}`
  }
  return (
    triple(6, (mode & 0o4000) !== 0, 's') +
    triple(3, (mode & 0o2000) !== 0, 's') +
    triple(0, (mode & 0o1000) !== 0, 't')
  )
}

import { Command } from 'commander'
import type { EntryType, FetchStatistics, ImageEntry } from '../image.js'
import { quotePath } from '../reading/quote-path.js'
import { addExamples } from './examples.js'
import { imagePath, platformOption, type ReadingFlags, withImage } from './image-reading.js'
import { layerLimitOption } from './index-options.js'
import { notEmpty, option } from './option.js'
import { addRegistryOptions } from './registry-options.js'
import { formatTable } from './table.js'
import type { Terminal } from './terminal.js'

interface LsFlags extends ReadingFlags {
  readonly long?: boolean
  readonly recursive?: boolean
}

/** What `ls --json` prints. */
export interface LsDocument {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** As it was asked for; '' for the root. */
  readonly path: string
  readonly entries: readonly ImageEntry[]
  readonly statistics: FetchStatistics
}

export function lsCommand(terminal: Terminal): Command {
  const command = new Command('ls')
    .summary("list an image's files")
    .description(
      'Lists the files of an image, its layers put together, through its SOCI index: nothing is pulled. A layer without an index is read whole. Names are relative to PATH and sorted by their bytes. A name with control characters or bytes that are not UTF-8 is quoted as git quotes it; `cat` and `extract` take it in that form.',
    )
    .argument('<image>', 'the image', notEmpty)
    .argument('[path]', 'a folder, or a file, in the image (default: its root)')
    .addOption(option('-l, --long', 'with type, mode, owner, size, time and link target'))
    .addOption(option('-R, --recursive', 'all that is below too'))
    .addOption(platformOption())
    .addOption(layerLimitOption())
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable ls oci:./image:app-soci /etc', does: 'names in a folder' },
    { command: 'sociable ls -lR oci-archive:app-soci.tar usr/lib', does: 'all below it, in detail' },
  ])
  return command.action((imageName: string, path: string | undefined, flags: LsFlags) =>
    withImage(imageName, flags, terminal, async (image) => {
      const options = { signal: terminal.signal, recursive: flags.recursive === true }
      const entries = await image.list(await imagePath(image, path ?? '', terminal.signal), options)
      const { digest, platform } = image
      const document: LsDocument = {
        image: image.name,
        platform,
        digest,
        path: path ?? '',
        entries,
        statistics: image.statistics,
      }
      const folder = folderOf(entries)
      const name = (entry: ImageEntry) => quotePath(entry.path.slice(folder.length))
      await terminal.result(document, flags.long ? longLines(entries, name) : entries.map(name))
    }),
  )
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

function longLines(entries: readonly ImageEntry[], name: (entry: ImageEntry) => string): string[] {
  const rows = entries.map((entry) => [
    `${TYPE_LETTERS[entry.type]}${modeText(entry.mode)}`,
    `${entry.uid}:${entry.gid}`,
    String(entry.size),
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

import { Command } from 'commander'
import type { DiskUsage } from '../disk-usage.js'
import type { FetchStatistics } from '../image.js'
import { quotePath } from '../reading/quote-path.js'
import { addExamples } from './examples.js'
import { formatCount, formatSize } from './format.js'
import { imagePath, platformOption, type ReadingFlags, withImage } from './image-reading.js'
import { layerLimitOption } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions } from './registry-options.js'
import { type Column, formatTable } from './table.js'
import type { Terminal } from './terminal.js'
import { parseCount } from './values.js'

interface DuFlags extends ReadingFlags {
  readonly depth: number
}

/** What `du --json` prints. */
export interface DuDocument {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** As it was asked for; '' for the root. */
  readonly path: string
  /** The largest first. */
  readonly entries: readonly DiskUsage[]
  readonly statistics: FetchStatistics
}

const COLUMNS: readonly Column[] = [
  { name: 'SIZE', align: 'right' },
  { name: 'FILES', align: 'right' },
  { name: 'PATH' },
]

export function duCommand(terminal: Terminal): Command {
  const command = new Command('du')
    .summary('list what takes space in an image')
    .description(
      'Sums up the sizes of the files of an image by folder, over all layers, largest first. With a SOCI index, no layer is read; layers without one are read whole. A file with several names counts once per name.',
    )
    .argument('<image>', 'the image', notEmpty)
    .argument('[path]', 'a folder in the image (default: its root)')
  addOptions(
    command,
    option('-d, --depth <levels>', 'number of folder levels to list', parseCount).default(1),
    platformOption(),
    layerLimitOption(),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable du oci:./image:app-soci', does: 'list the folders of the root' },
    { command: 'sociable du registry.example/app:1-soci /usr/lib -d 2 | head', does: 'find what is large in a folder' },
  ])
  return command.action((name: string, path: string | undefined, flags: DuFlags) =>
    withImage(name, flags, terminal, async (image) => {
      const { diskUsage } = await import('../disk-usage.js')
      const { signal } = terminal
      const options = { path: await imagePath(image, path ?? '', signal), depth: flags.depth, signal }
      const entries = await diskUsage(image, options)
      const { platform, digest, statistics } = image
      const document: DuDocument = { image: image.name, platform, digest, path: path ?? '', entries, statistics }
      const rows = entries.map(({ path, size, files }) => [formatSize(size), formatCount(files), quotePath(path)])
      await terminal.result(document, formatTable(COLUMNS, rows))
    }),
  )
}

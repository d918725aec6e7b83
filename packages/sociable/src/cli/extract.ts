import { Command } from 'commander'
import type { FetchStatistics } from '../image.js'
import type { ExtractResult, SkippedEntry } from '../reading/extract-result.js'
import { quotePath } from '../reading/quote-path.js'
import { addExamples } from './examples.js'
import { formatSize, plural } from './format.js'
import { imagePath, platformOption, type ReadingFlags, withImage } from './image-reading.js'
import { layerLimitOption } from './index-options.js'
import { notEmpty } from './option.js'
import { addRegistryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'

/** What `extract --json` prints. */
export interface ExtractDocument extends ExtractResult {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** As they were asked for. */
  readonly path: string
  readonly folder: string
  readonly statistics: FetchStatistics
}

/** Skipped entries that --verbose lists. */
const MAX_WARNINGS = 20

export function extractCommand(terminal: Terminal): Command {
  const command = new Command('extract')
    .summary("write an image's files into a folder")
    .description(
      'Writes a file of an image, or all that is in a directory of it, into a folder, through its SOCI index: only the spans that hold them are fetched, each once and verified. ' +
        'The folder must be empty or not be there, and appears when it is whole; a file can also go into a folder that has other files. Nothing gets out of it: symlinks that lead elsewhere, devices and pipes are left out, with a warning (--verbose lists them), and owners and set-id bits are not kept.',
    )
    .argument('<image>', 'the image', notEmpty)
    .argument('<path>', 'a file or a directory in the image; / is all of it', notEmpty)
    .argument('<dir>', 'the folder to make', notEmpty)
    .addOption(platformOption())
    .addOption(layerLimitOption())
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable extract oci:./image:app-soci /etc ./etc', does: "a directory's files" },
    { command: 'sociable extract registry.example/app:1-soci / ./root -p linux/arm64', does: 'all of a platform' },
  ])
  return command.action((name: string, path: string, folder: string, flags: ReadingFlags) =>
    withImage(name, flags, terminal, async (image) => {
      const result = await image.extract(await imagePath(image, path, terminal.signal), folder, {
        signal: terminal.signal,
      })
      warnOfSkipped(result.skipped, terminal)
      if (terminal.verbose) terminal.note(`${plural(result.files, 'file')}, ${formatSize(result.bytes)}`)
      const { platform, digest, statistics } = image
      const document: ExtractDocument = { image: image.name, platform, digest, path, folder, ...result, statistics }
      await terminal.result(document, [folder])
    }),
  )
}

/** One line, however many there are; with --verbose a line for each. */
function warnOfSkipped(skipped: readonly SkippedEntry[], terminal: Terminal): void {
  const listed = skipped.slice(0, terminal.verbose ? MAX_WARNINGS : 1)
  const more = skipped.length - listed.length
  for (const [i, { path, reason }] of listed.entries()) {
    const rest = i === listed.length - 1 && more > 0 ? `; and ${more} more: --json lists them all` : ''
    terminal.warn(`${quotePath(path)} is skipped: ${reason}${rest}`)
  }
}

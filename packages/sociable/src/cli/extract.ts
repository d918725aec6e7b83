import { Command } from 'commander'
import type { FetchStatistics } from '../image.js'
import type { ExtractResult, SkippedEntry } from '../reading/extract-result.js'
import { quotePath } from '../reading/quote-path.js'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { formatSize, plural } from './format.js'
import { imagePath, platformOption, type ReadingFlags, withImage } from './image-reading.js'
import { layerLimitOption } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
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

interface ExtractFlags extends ReadingFlags {
  readonly keepLinks?: boolean
}

/** Skipped entries that --verbose lists. */
const MAX_WARNINGS = 20

export function extractCommand(terminal: Terminal): Command {
  const command = new Command('extract')
    .summary('write files of an image into a folder')
    .description(
      'Writes a file of an image, or everything in a directory, into a folder. With a SOCI index, only the spans that contain the files are fetched, each once, and verified. ' +
        'The folder must be empty or not exist, and appears when it is complete; a single file can also go into a folder with other files. Nothing is written outside of it: absolute symlinks become relative, symlinks out of the folder, devices and pipes are skipped with a warning (--verbose lists them), and owners and set-id bits are not kept. ' +
        'With - in place of the folder, writes a tar to stdout, with the owners, permissions and links that the image has.',
    )
    .argument('<image>', 'the image', notEmpty)
    .argument('<path>', 'a file or a directory in the image; / is all of it', notEmpty)
    .argument('<dir>', 'the folder to create, or - for a tar on stdout', notEmpty)
  addOptions(
    command,
    option('--keep-links', 'write symlinks as they are in the image, even absolute ones and those out of the folder'),
    platformOption(),
    layerLimitOption(),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable extract oci:./image:app-soci /etc ./etc', does: 'extract a directory' },
    {
      command: 'sociable extract registry.example/app:1-soci / ./root -p linux/arm64',
      does: 'extract everything of one platform',
    },
    {
      command: 'sociable extract registry.example/app:1-soci /app - | tar -x -C ./app',
      does: 'extract with tar, which keeps owners if run as root',
    },
  ])
  return command.action((name: string, path: string, folder: string, flags: ExtractFlags) => {
    const { keepLinks } = flags
    const { signal } = terminal
    if (folder === '-') {
      if (terminal.json) throw new UsageError('--json and - both write to stdout: name a folder')
      if (terminal.stdout.isTTY)
        throw new UsageError('standard output is a terminal: redirect it to a file, pipe it into tar, or name a folder')
      return withImage(name, flags, terminal, async (image) => {
        const skipped: SkippedEntry[] = []
        const onSkip = (entry: SkippedEntry) => void skipped.push(entry)
        const options = { signal, onSkip }
        for await (const bytes of image.tar(await imagePath(image, path, signal), options)) await terminal.write(bytes)
        warnOfSkipped(skipped, terminal)
      })
    }
    return withImage(name, flags, terminal, async (image) => {
      const result = await image.extract(await imagePath(image, path, signal), folder, { signal, keepLinks })
      warnOfSkipped(result.skipped, terminal)
      if (terminal.verbose) terminal.note(`${plural(result.files, 'file')}, ${formatSize(result.bytes)}`)
      const { platform, digest, statistics } = image
      const document: ExtractDocument = { image: image.name, platform, digest, path, folder, ...result, statistics }
      await terminal.result(document, [folder])
    })
  })
}

/** One line, however many there are; with --verbose a line for each. */
function warnOfSkipped(skipped: readonly SkippedEntry[], terminal: Terminal): void {
  const listed = skipped.slice(0, terminal.verbose ? MAX_WARNINGS : 1)
  const more = skipped.length - listed.length
  for (const [i, { path, reason }] of listed.entries()) {
    const rest = i === listed.length - 1 && more > 0 ? `; and ${more} more (--verbose lists them)` : ''
    terminal.warn(`${quotePath(path)} is skipped: ${reason}${rest}`)
  }
}

import { Command } from 'commander'
import { printable } from '../printable.js'
import { addExamples } from './examples.js'
import { minLayerSizeOption } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import { addSelectionOptions, type SelectionFlags } from './selection-options.js'
import { formatTable } from './table.js'
import type { Terminal } from './terminal.js'
import { parseAge, parseCount } from './values.js'

interface BackfillFlags extends RegistryFlags, SelectionFlags {
  readonly since?: number
  readonly limit?: number
  readonly dryRun?: boolean
  readonly minLayerSize?: number
  readonly concurrency?: number
}

const COLUMNS = [{ name: 'STATE' }, { name: 'IMAGE' }, { name: 'DETAIL' }]

export function backfillCommand(terminal: Terminal): Command {
  const command = new Command('backfill')
    .summary('create SOCI-enabled images for the images in a registry')
    .description(
      'Creates a SOCI-enabled image, TAG-soci, for every tag in a registry that matches the patterns. Skips images that have one. Run it again to continue ' +
        'after an interruption. SOCI-enabled images, signatures, attestations and untagged images are left unchanged. Exits with 1 if an image failed.',
    )
    .argument('<registry>', 'the registry, as host or host:port', notEmpty)
  addOptions(
    addSelectionOptions(command, 'tags'),
    option('--since <age>', 'only images created within this time, such as 30d', parseAge),
    option('--limit <count>', 'convert at most this many images', parseCount),
    option('--dry-run', 'list the images to convert, and change nothing'),
    minLayerSizeOption(),
    option('--concurrency <count>', 'number of images to convert at a time (default: 2)', parseCount),
  )
  addRegistryOptions(command)
  addExamples(command, [
    {
      command: "sociable backfill registry.example --repository 'app/*' --dry-run",
      does: 'list the images to convert',
    },
    {
      command: "sociable backfill registry.example --tag 'v*' --since 30d",
      does: 'convert recent images with these tags',
    },
  ])
  return command.action(async (registry: string, { repository, tag, since, ...flags }: BackfillFlags) => {
    const { limit, dryRun, minLayerSize, concurrency } = flags
    const access = await registryOptions(flags, [], terminal)
    const { backfill } = await import('../backfill.js')
    const result = await backfill(registry, {
      ...access,
      repositories: repository,
      tags: tag,
      since: since === undefined ? undefined : new Date(Date.now() - since),
      limit,
      dryRun,
      minLayerSize,
      concurrency,
      signal: terminal.signal,
      onImage({ image, state }) {
        if (state !== 'skipped' && terminal.progressForm !== 'none') terminal.note(`${printable(image)}: ${state}`)
      },
    })
    const rows = result.images.map(({ image, state, destination, reason }) => [
      state,
      printable(image),
      printable(destination ?? reason ?? ''),
    ])
    await terminal.result(result, formatTable(COLUMNS, rows))
    const { done, pending, skipped, failed } = result
    terminal.note(`${done} done, ${pending} pending, ${skipped} skipped, ${failed} failed`)
    if (failed > 0) terminal.exitStatus = 1
  })
}

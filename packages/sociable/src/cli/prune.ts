import { Command } from 'commander'
import { printable } from '../printable.js'
import { addExamples } from './examples.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import { addSelectionOptions, type SelectionFlags } from './selection-options.js'
import { formatTable } from './table.js'
import type { Terminal } from './terminal.js'
import { parseAge, parseCount, parseTagTemplate } from './values.js'

interface PruneFlags extends RegistryFlags, SelectionFlags {
  readonly olderThan?: number
  readonly sociTag?: string
  readonly yes?: boolean
  readonly concurrency?: number
}

const COLUMNS = [{ name: 'STATE' }, { name: 'IMAGE' }, { name: 'REASON' }]

export function pruneCommand(terminal: Terminal): Command {
  const command = new Command('prune')
    .summary('delete SOCI-enabled images whose origin is gone')
    .description(
      'Lists the SOCI-enabled images TAG-soci whose origin, TAG, is gone or is another image now. With --yes, deletes them. Images that another tag names or ' +
        'an index lists are kept, and so are images without a SOCI index. Uses outside of the registry are unknown: before you delete an image, check that no ' +
        'task or task definition uses it. Exits with 1 if an image failed.',
    )
    .argument('<registry>', 'the registry, as host or host:port', notEmpty)
  addOptions(
    addSelectionOptions(command, 'tags of the images or their origins'),
    option('--older-than <age>', 'only images pushed before this time, such as 1d; Amazon ECR only', parseAge),
    option('--soci-tag <template>', 'tags of SOCI-enabled images (default: {tag}-soci)', parseTagTemplate),
    option('--yes', 'delete the images; without this flag, nothing is changed'),
    option('--concurrency <count>', 'number of images to compare at a time (default: 4)', parseCount),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: "sociable prune registry.example --repository 'app/*'", does: 'list what would be deleted' },
    { command: "sociable prune registry.example --repository 'app/*' --yes", does: 'delete it' },
  ])
  return command.action(async (registry: string, { repository, tag, olderThan, ...flags }: PruneFlags) => {
    const access = await registryOptions(flags, [], terminal)
    const { prune } = await import('../prune.js')
    const result = await prune(registry, {
      ...access,
      repositories: repository,
      tags: tag,
      olderThan: olderThan === undefined ? undefined : new Date(Date.now() - olderThan),
      sociTag: flags.sociTag,
      delete: flags.yes,
      concurrency: flags.concurrency,
      signal: terminal.signal,
    })
    const rows = result.images.map(({ image, state, reason }) => [state, printable(image), printable(reason)])
    await terminal.result(result, formatTable(COLUMNS, rows))
    const { deleted, stale, kept, failed } = result
    terminal.note(`${deleted} deleted, ${stale} stale, ${kept} kept, ${failed} failed`)
    if (stale > 0) terminal.note('Nothing was deleted. If nothing uses the stale images, run this again with --yes.')
    if (failed > 0) terminal.exitStatus = 1
  })
}

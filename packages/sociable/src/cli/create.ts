import { Command } from 'commander'
import { addExamples } from './examples.js'
import { addIndexOptions, type IndexFlags, indexOptions } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
import { reportProgress, summarize } from './progress-report.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { parseText } from './values.js'

export function createCommand(terminal: Terminal): Command {
  const command = new Command('create')
    .summary('attach a SOCI index to an image without changing it (SOCI v1)')
    .description(
      'Builds a SOCI index for each platform and attaches it to the image as a referrer. Prints the digests of the indexes, one per line, ' +
        'in the order of the platforms. AWS Fargate uses v1 indexes only for accounts that already used them; otherwise, use convert.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(
    command,
    option('--index-tag <tag>', 'also tag the index (for several platforms: TAG-linux-amd64, …)', parseText),
  )
  addRegistryOptions(addIndexOptions(command))
  addExamples(command, [
    { command: 'sociable create oci:./image:app', does: 'attach an index per platform' },
    {
      command: 'sociable create oci:./image:app -p linux/amd64 --index-tag app-index',
      does: 'attach an index for one platform, and tag it',
    },
  ])
  return command.action(async (image: string, flags: IndexFlags & RegistryFlags & { readonly indexTag?: string }) => {
    const options = { ...(await indexOptions(flags)), ...(await registryOptions(flags, [image], terminal)) }
    const { createIndex } = await import('../create.js')
    const report = reportProgress(terminal)
    try {
      const result = await createIndex(image, {
        ...options,
        indexTag: flags.indexTag,
        signal: terminal.signal,
        onProgress: report.onProgress,
      })
      for (const warning of result.warnings) report.warn(warning)
      for (const { name, reason } of result.images)
        if (reason !== undefined && result.indexed) report.warn(`${name} is not indexed: ${reason}`)
      if (!result.indexed) report.warn(`no index made: ${result.reason}`)
      report.end(summarize(result))
      const digests = result.images.flatMap(({ index }) => (index === undefined ? [] : [index.digest]))
      await terminal.result(result, digests)
    } finally {
      report.end()
    }
  })
}

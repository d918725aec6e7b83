import { Command } from 'commander'
import { addExamples } from './examples.js'
import { addIndexOptions, type IndexFlags, indexOptions } from './index-options.js'
import { notEmpty } from './option.js'
import { reportProgress, summarize } from './progress-report.js'
import type { Terminal } from './terminal.js'

export function convertCommand(terminal: Terminal): Command {
  const command = new Command('convert')
    .summary('make a SOCI-enabled image of an image (SOCI v2)')
    .description(
      'Makes a SOCI-enabled copy of an image: the same layers, and an index with which a runtime loads them lazily. ' +
        "Prints the new image's name and digest. What had the destination's name keeps it until all else is in place.",
    )
    .argument('<source>', 'the image', notEmpty)
    .argument('[destination]', "where the new one goes (default: the source's tag with -soci appended)", notEmpty)
  addIndexOptions(command)
  addExamples(command, [
    { command: 'sociable convert oci:./image:app', does: 'beside the source in its layout, as app-soci' },
    {
      command: 'sociable convert docker-archive:app.tar oci-archive:app-soci.tar:app -p linux/arm64',
      does: 'from `docker save` to an OCI archive, one platform indexed',
    },
    {
      command: 'sociable convert oci:./image:app oci:./out:app --span-size 1MiB --min-layer-size 0',
      does: 'every layer, in smaller spans',
    },
  ])
  return command.action(async (source: string, destination: string | undefined, flags: IndexFlags) => {
    const options = await indexOptions(flags)
    const { convert } = await import('../convert.js')
    const report = reportProgress(terminal)
    try {
      const result = await convert(source, destination, {
        ...options,
        signal: terminal.signal,
        onProgress: report.onProgress,
      })
      for (const warning of result.warnings) report.warn(warning)
      for (const image of result.images)
        if (image.reason !== undefined && result.indexed) report.warn(`${image.name} is not indexed: ${image.reason}`)
      if (!result.indexed) report.warn(`copied without an index: ${result.reason}`)
      report.end(summarize(result))
      await terminal.result(result, [`${result.destination}@${result.digest}`])
    } finally {
      report.end()
    }
  })
}

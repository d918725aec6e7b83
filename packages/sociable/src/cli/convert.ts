import { Command } from 'commander'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { addIndexOptions, type IndexFlags, indexOptions } from './index-options.js'
import { notEmpty, option } from './option.js'
import { addProfileOptions, type ProfileFlags, profileOptions } from './profile-options.js'
import { reportProgress, summarize } from './progress-report.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { parseRecompress } from './values.js'

interface ConvertFlags extends IndexFlags, ProfileFlags, RegistryFlags {
  readonly recompress?: 'gzip'
}

export function convertCommand(terminal: Terminal): Command {
  const command = new Command('convert')
    .summary('make a SOCI-enabled image of an image (SOCI v2)')
    .description(
      'Makes a SOCI-enabled copy of an image: the same layers, and an index with which a runtime loads them lazily. ' +
        "Prints the new image's name and digest. What had the destination's name keeps it until all else is in place. " +
        'A SOCI-enabled source is left unchanged if no destination is given; --force converts it again.',
    )
    .argument('<source>', 'the image; - is an archive on stdin', notEmpty)
    .argument(
      '[destination]',
      "where the new one goes (default: the source's tag with -soci appended); - is an archive on stdout",
      notEmpty,
    )
  addProfileOptions(addIndexOptions(command))
  command.addOption(
    option(
      '--recompress <kind>',
      'gzip: compress zstd layers, and layers that would be sent to a registry uncompressed, with gzip, so that they load lazily',
      parseRecompress,
    ),
  )
  addRegistryOptions(command)
  addExamples(command, [
    {
      command: 'sociable convert registry.example/app:1',
      does: 'in its registry, as app:1-soci: layers are read there, and none is sent',
    },
    { command: 'sociable convert oci:./image:app', does: 'beside the source in its layout, as app-soci' },
    {
      command: 'sociable convert docker-archive:app.tar oci-archive:app-soci.tar:app -p linux/arm64',
      does: 'from `docker save` to an OCI archive, one platform indexed',
    },
    {
      command: 'sociable convert oci:./image:app oci:./out:app --span-size 1MiB --min-layer-size 0',
      does: 'every layer, in smaller spans',
    },
    {
      command: 'sociable convert registry.example/app:1 --profile start.json',
      does: 'with a start layer of the files that a start reads',
    },
    {
      command: 'sociable convert docker-archive:app.tar registry.example/app:1-soci --recompress gzip',
      does: 'from `docker save` to a registry, compressed',
    },
  ])
  return command.action(async (source: string, destination: string | undefined, flags: ConvertFlags) => {
    const toStdout = destination === '-'
    if (toStdout && terminal.json) throw new UsageError('--json and the destination - both want stdout: name a file')
    if (toStdout && terminal.stdout.isTTY)
      throw new UsageError('standard output is a terminal: send it to a file, or name a destination')
    const options = {
      recompress: flags.recompress,
      ...(await indexOptions(flags)),
      ...(await profileOptions(flags)),
      ...(await registryOptions(flags, [source], terminal)),
    }
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
      report.end(result.alreadyEnabled ? undefined : summarize(result))
      if (result.alreadyEnabled)
        terminal.note(`${result.source} is SOCI-enabled already: nothing was changed. --force converts it again`)
      const name = `${result.destination}@${result.digest}`
      if (toStdout) terminal.note(name)
      else await terminal.result(result, [name])
    } finally {
      report.end()
    }
  })
}

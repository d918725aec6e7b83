import { Command } from 'commander'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { addIndexOptions, type IndexFlags, indexOptions } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
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
    .summary('create a SOCI-enabled copy of an image (SOCI v2)')
    .description(
      'Creates a SOCI-enabled copy of an image, with the same layers and an index that lets runtimes load them lazily. ' +
        'Prints the name and digest of the new image. The destination tag is written last. ' +
        'A SOCI-enabled source is left unchanged if no destination is given; --force converts it again.',
    )
    .argument('<source>', 'the image; - reads an archive from stdin', notEmpty)
    .argument(
      '[destination]',
      "the new image (default: the source's tag with -soci appended); - writes an archive to stdout",
      notEmpty,
    )
  addOptions(
    addProfileOptions(addIndexOptions(command)),
    option(
      '--recompress <kind>',
      'gzip: compress zstd layers with gzip so that they load lazily, and uncompressed layers if the destination is a registry',
      parseRecompress,
    ),
  )
  addRegistryOptions(command)
  addExamples(command, [
    {
      command: 'sociable convert registry.example/app:1',
      does: 'convert in the registry, to app:1-soci; no layer is uploaded',
    },
    { command: 'sociable convert oci:./image:app', does: 'convert in the same layout, to app-soci' },
    {
      command: 'sociable convert docker-archive:app.tar oci-archive:app-soci.tar:app -p linux/arm64',
      does: 'convert the output of `docker save` to an OCI archive, and index one platform',
    },
    {
      command: 'sociable convert oci:./image:app oci:./out:app --span-size 1MiB --min-layer-size 0',
      does: 'index every layer, with smaller spans',
    },
    {
      command: 'sociable convert registry.example/app:1 --profile start.json',
      does: 'add a start layer with the files that a start reads',
    },
    {
      command: 'sociable convert docker-archive:app.tar registry.example/app:1-soci --recompress gzip',
      does: 'convert the output of `docker save` to a registry, with compressed layers',
    },
  ])
  return command.action(async (source: string, destination: string | undefined, flags: ConvertFlags) => {
    const toStdout = destination === '-'
    if (toStdout && terminal.json) throw new UsageError('--json and the destination - both write to stdout: use a file')
    if (toStdout && terminal.stdout.isTTY)
      throw new UsageError('standard output is a terminal: redirect it to a file, or name a destination')
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

import { Command } from 'commander'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { imagePath, platformOption, type ReadingFlags, withImage } from './image-reading.js'
import { layerLimitOption } from './index-options.js'
import { addOptions, notEmpty } from './option.js'
import { addRegistryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'

export function catCommand(terminal: Terminal): Command {
  const command = new Command('cat')
    .summary('print files of an image')
    .description(
      'Writes files of an image to stdout, one after another. With a SOCI index, only the spans that contain the files are fetched and verified. Links are followed inside the image. There is no --json.',
    )
    .argument('<image>', 'the image', notEmpty)
    .argument('<paths...>', 'files in the image')
  addOptions(command, platformOption(), layerLimitOption())
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable cat oci:./image:app-soci /etc/os-release', does: 'print a file' },
    {
      command: 'sociable cat oci:./image:app-soci usr/bin/app -p linux/arm64 > app',
      does: 'save the file of one platform',
    },
  ])
  return command.action((name: string, paths: readonly string[], flags: ReadingFlags) => {
    if (terminal.json) throw new UsageError("cat has no --json: its output is the files' bytes")
    return withImage(name, flags, terminal, async (image) => {
      for (const path of paths)
        for await (const bytes of image.stream(await imagePath(image, path, terminal.signal), {
          signal: terminal.signal,
        }))
          await terminal.write(bytes)
    })
  })
}

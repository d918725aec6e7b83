import { Command } from 'commander'
import { writeFileAtomically } from './atomic-file.js'
import { addExamples } from './examples.js'
import { platformOption } from './image-reading.js'
import { addOptions, notEmpty, option } from './option.js'
import { profileOptions } from './profile-options.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { parseFiles, parseText } from './values.js'
import { reportWholeLayers } from './whole-layers.js'

/** What `report --json` prints. */
export interface ReportDocument {
  readonly image: string
  /** `linux/amd64`. */
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** The file that was written. */
  readonly file: string
  /** Its bytes. */
  readonly size: number
}

interface ReportFlags extends RegistryFlags {
  readonly platform?: string
  readonly profile?: readonly string[]
  readonly output?: string
}

const DEFAULT_FILE = 'report.html'

export function reportCommand(terminal: Terminal): Command {
  const command = new Command('report')
    .summary('write a page about an image and what a start reads')
    .description(
      'Writes one HTML page that loads nothing from the network: the layers with their spans, which of them load lazily and why the others do not, the files by size, ' +
        'what a profiled start reads, and what could be smaller. Layers without an index are read whole.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(
    command,
    option('-o, --output <file>', `write the page to this file (default: ${DEFAULT_FILE})`, parseText),
    option('--profile <file>', 'what a start reads; repeatable', parseFiles),
    platformOption(),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable report registry.example/app:1-soci', does: 'write report.html' },
    { command: 'sociable report oci:./image:app --profile start.json -o app.html', does: 'show what a start reads' },
  ])
  return command.action(async (image: string, flags: ReportFlags) => {
    const access = await registryOptions(flags, [image], terminal)
    const { profile } = await profileOptions({ profile: flags.profile })
    const { report } = await import('../report.js')
    const { onWholeLayer, end } = reportWholeLayers(terminal)
    const options = { ...access, platform: flags.platform, profile, signal: terminal.signal, onWholeLayer }
    const result = await report(image, options).finally(end)
    const file = flags.output ?? DEFAULT_FILE
    await writeFileAtomically(file, [Buffer.from(result.html)], terminal.signal)
    const { html, ...rest } = result
    const document: ReportDocument = { ...rest, file, size: Buffer.byteLength(html) }
    await terminal.result(document, [file])
  })
}

import { Command } from 'commander'
import type { RemoveSociResult } from '../remove-soci.js'
import { addExamples } from './examples.js'
import { plural } from './format.js'
import { notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'

export function rmCommand(terminal: Terminal): Command {
  const command = new Command('rm')
    .summary("remove an image's SOCI indexes, the image itself stays")
    .description(
      'Removes the SOCI indexes that sociable made of an image: attached ones (v1) are deleted, and an image that they are part of (v2) is put without ' +
        'them under the same name. Prints what was removed. Blobs that nothing refers to any more are left to the registry to collect.',
    )
    .argument('<image>', 'the image', notEmpty)
    .addOption(option('--all', 'those of other tools, too'))
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable rm registry.example/app:1', does: 'what create attached to it' },
    { command: 'sociable rm oci:./image:app --all', does: 'whoever made it' },
  ])
  return command.action(async (image: string, flags: RegistryFlags & { readonly all?: boolean }) => {
    const access = await registryOptions(flags, [image], terminal)
    const { removeSoci } = await import('../remove-soci.js')
    const result = await removeSoci(image, { ...access, all: flags.all, signal: terminal.signal })
    for (const { digest, buildTool } of result.kept)
      terminal.warn(`SOCI index ${digest} stays, as ${buildTool ?? 'another tool'} made it: --all removes it too`)
    terminal.note(describe(result))
    await terminal.result(
      result,
      result.removed.map(({ digest, version }) => `${digest} (${version})`),
    )
  })
}

/** `removed 1 SOCI index and 1 start layer from oci:image:app, which is now sha256:…`. */
function describe({ image, digest, previousDigest, removed, startLayers }: RemoveSociResult): string {
  const indexes = `${removed.length} SOCI ${removed.length === 1 ? 'index' : 'indexes'}`
  const parts = [
    ...(removed.length === 0 ? [] : [indexes]),
    ...(startLayers.length === 0 ? [] : [plural(startLayers.length, 'start layer')]),
  ]
  if (parts.length === 0) return `${image} has no SOCI index to remove`
  const change = digest === previousDigest ? 'which stays as it was' : `which is now ${digest}`
  return `removed ${parts.join(' and ')} from ${image}, ${change}`
}

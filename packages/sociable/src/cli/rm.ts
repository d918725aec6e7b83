import { Command } from 'commander'
import type { RemoveSociResult } from '../remove-soci.js'
import { addExamples } from './examples.js'
import { plural } from './format.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'

export function rmCommand(terminal: Terminal): Command {
  const command = new Command('rm')
    .summary('remove the SOCI indexes of an image')
    .description(
      'Removes the SOCI indexes that sociable created for an image. Attached indexes (v1) are deleted. If the indexes are part of the image (v2), its name gets an image without ' +
        'them. Prints what was removed. Blobs that nothing refers to any more are left to the garbage collection of the registry.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(command, option('--all', 'also remove the indexes of other tools'))
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable rm registry.example/app:1', does: 'remove what sociable added' },
    { command: 'sociable rm oci:./image:app --all', does: 'also the indexes of other tools' },
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

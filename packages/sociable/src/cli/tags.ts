import { Command } from 'commander'
import { printable } from '../printable.js'
import { addExamples } from './examples.js'
import { notEmpty } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'

export function tagsCommand(terminal: Terminal): Command {
  const command = new Command('tags')
    .summary('list the tags of a repository')
    .description('Lists the tags of a repository, or the names of the images in a layout or archive, one per line.')
    .argument('<repository>', 'a repository, or oci:DIR, oci-archive:FILE, docker-archive:FILE', notEmpty)
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable tags registry.example/app', does: 'list the tags of a repository' },
    { command: 'sociable tags oci:./image', does: 'list the images in a layout' },
  ])
  return command.action(async (repository: string, flags: RegistryFlags) => {
    const access = await registryOptions(flags, [repository], terminal)
    const { listTags } = await import('../list-tags.js')
    const tags = await listTags(repository, { ...access, signal: terminal.signal })
    await terminal.result({ repository, tags }, tags.map(printable))
  })
}

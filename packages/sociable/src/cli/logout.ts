import { Command } from 'commander'
import { addExamples } from './examples.js'
import { notEmpty } from './option.js'
import type { Terminal } from './terminal.js'

export function logoutCommand(terminal: Terminal): Command {
  const command = new Command('logout')
    .summary('remove a login for a registry')
    .description(
      "Removes a login that `sociable login` or `docker login` saved, from Docker's config.json and its credential helper.",
    )
    .argument('<registry>', 'host[:port], or docker.io', notEmpty)
  addExamples(command, [{ command: 'sociable logout registry.example', does: 'remove the login' }])
  return command.action(async (name: string) => {
    const { registryName } = await import('../places/registry-images.js')
    const { logout } = await import('../login.js')
    const result = await logout(registryName(name), { signal: terminal.signal })
    await terminal.result(result, [])
    terminal.note(
      result.removed
        ? `the login for ${result.registry} was removed from ${result.file}`
        : `${result.file} has no login for ${result.registry}`,
    )
  })
}

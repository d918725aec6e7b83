import { Command } from 'commander'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { notEmpty } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'

export function loginCommand(terminal: Terminal): Command {
  const command = new Command('login')
    .summary('save a login for a registry')
    .description(
      "Checks a user name and password with a registry and saves them where `docker login` does: with Docker's credential helper if one is configured, else in Docker's " +
        'config.json, which is not encrypted. Amazon ECR needs no login if the AWS SDK finds credentials.',
    )
    .argument('<registry>', 'host[:port], or docker.io', notEmpty)
  addRegistryOptions(command)
  addExamples(command, [
    {
      command: 'echo "$TOKEN" | sociable login registry.example --username ci --password-stdin',
      does: 'log in with a token',
    },
  ])
  return command.action(async (name: string, flags: RegistryFlags) => {
    const { registryName } = await import('../places/registry-images.js')
    const registry = registryName(name)
    const { username, password, ...access } = await registryOptions(flags, [], terminal)
    if (username === undefined || password === undefined)
      throw new UsageError('a login needs --username NAME and --password-stdin')
    const { login } = await import('../login.js')
    const result = await login(registry, { ...access, username, password, signal: terminal.signal })
    await terminal.result(result, [])
    terminal.note(`the login for ${registry} is saved in ${result.savedIn}`)
  })
}

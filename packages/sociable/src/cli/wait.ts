import { Command } from 'commander'
import { printable } from '../printable.js'
import { addExamples } from './examples.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { parseDuration, parseText } from './values.js'

interface WaitFlags extends RegistryFlags {
  readonly timeout?: number
  readonly interval?: number
  readonly destination?: string
}

export function waitCommand(terminal: Terminal): Command {
  const command = new Command('wait')
    .summary('wait until an image has a SOCI index')
    .description(
      'Waits until an image has a SOCI index, for pipelines in which another job indexes the images. Accepts an index of the image itself, or of ' +
        'TAG-soci if it was made from what TAG is now. Exits with 0 when the index exists, and with 1 after the timeout.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(
    command,
    option('--timeout <time>', 'give up after this time (default: 10m); 0 checks once', parseDuration),
    option('--interval <time>', 'time between checks (default: 5s)', parseDuration),
    option('--destination <image>', 'where the SOCI-enabled image will be', parseText),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable wait registry.example/app:1 --timeout 15m', does: 'wait for app:1 or app:1-soci' },
    { command: 'IMAGE=$(sociable wait registry.example/app:1 --quiet)', does: 'get the digest to deploy' },
  ])
  return command.action(async (image: string, { timeout, interval, destination, ...flags }: WaitFlags) => {
    const access = await registryOptions(flags, [image], terminal)
    const { waitForIndex } = await import('../wait.js')
    let said: string | undefined
    const onWait = (reason: string) => {
      if (reason !== said) terminal.note(`waiting: ${printable(reason)}`)
      said = reason
    }
    const options = { ...access, timeout, interval, destination, onWait, signal: terminal.signal }
    const result = await waitForIndex(image, options)
    await terminal.result(result, result.image === undefined ? [] : [result.image])
    if (result.ready) return
    terminal.fail([`${image}: no SOCI index when the time was over`, result.reason!], undefined)
    terminal.exitStatus = 1
  })
}

import { Command } from 'commander'
import type { VerifyResult } from '../verify.js'
import { addExamples } from './examples.js'
import { plural } from './format.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Line, Styled, Terminal } from './terminal.js'
import { parsePlatforms } from './values.js'

interface VerifyFlags extends RegistryFlags {
  readonly platform?: readonly string[]
  readonly deep?: boolean
}

export function verifyCommand(terminal: Terminal): Command {
  const command = new Command('verify')
    .summary('check every digest, link and zTOC of an image')
    .description(
      'Reads all of an image and checks every digest and link, every zTOC against the bytes of its layer, prefetch lists, and a start layer against the layers ' +
        'below it. Indexes of other tools are checked, too. Exits with 1 if anything is wrong; warnings alone do not fail the command.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(
    command,
    option('--deep', 'decode the layers again, and compare their files and bytes with the zTOCs'),
    option(
      '-p, --platform <platform>',
      'check only this platform; repeatable (default: all of the image)',
      parsePlatforms,
    ),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable verify registry.example/app:1-soci', does: 'check an image before it is deployed' },
    { command: 'sociable verify oci:./image:app-soci --deep', does: 'compare all zTOCs with the layers' },
  ])
  return command.action(async (image: string, { platform, deep, ...flags }: VerifyFlags) => {
    const access = await registryOptions(flags, [image], terminal)
    const { verify } = await import('../verify.js')
    const result = await verify(image, { ...access, platforms: platform, deep, signal: terminal.signal })
    await terminal.result(result, describe(result))
    if (!result.sound) terminal.exitStatus = 1
  })
}

function describe({ image, digest, sound, findings, layers }: VerifyResult): Line[] {
  const lines = findings.flatMap(({ code, severity, platform, message, advice }): Line[] => [
    [
      { style: severity === 'error' ? 'red' : 'yellow', text: severity },
      ` ${code}${platform === undefined ? '' : ` ${platform}`}: ${message}`,
    ],
    `  ${advice}`,
  ])
  const verdict: Styled = sound ? { style: 'green', text: 'sound' } : { style: 'red', text: 'not sound' }
  const counts = `${plural(layers, 'layer')} read, ${plural(findings.length, 'finding')}`
  return [...lines, [`${image}@${digest} is `, verdict, `: ${counts}`]]
}

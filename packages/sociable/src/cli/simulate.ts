import { Command, InvalidArgumentError } from 'commander'
import type { SimulateResult } from '../simulate.js'
import type { SimulatedWay } from '../simulating/compare-ways.js'
import { originImage } from '../soci/soci-tag.js'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { formatSize, plural } from './format.js'
import { platformOption } from './image-reading.js'
import { addOptions, notEmpty, option } from './option.js'
import { profileOptions } from './profile-options.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import { type Column, formatTable } from './table.js'
import type { Line, Terminal } from './terminal.js'
import { parseDuration, parseFiles, parsePositiveSize } from './values.js'
import { reportWholeLayers } from './whole-layers.js'

interface SimulateFlags extends RegistryFlags {
  readonly profile?: readonly string[]
  readonly platform?: string
  readonly bandwidth?: number
  readonly latency?: number
  readonly programTime?: number
  readonly machineSpeed?: number
}

export function simulateCommand(terminal: Terminal): Command {
  const command = new Command('simulate')
    .summary('predict how long a start takes, and recommend how to convert the image')
    .description(
      'Predicts the time, bytes and requests of a start for several ways of converting an image, from a profile of what the start reads, and recommends one. The model was measured ' +
        'with containerd and the SOCI snapshotter; compare the ways rather than trust the seconds. Layers without an index are read whole.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(
    command,
    option('--profile <file>', 'what a start reads, from `sociable profile`; required; repeatable', parseFiles),
    option('--bandwidth <size>', 'bytes per second from the registry (default: 60MB)', parsePositiveSize),
    option('--latency <time>', 'round trip to the registry (default: 3ms)', parseDuration),
    option(
      '--program-time <time>',
      'time that the program needs until it is ready if its files are in memory (default: 500ms)',
      parseDuration,
    ),
    option(
      '--machine-speed <factor>',
      'speed of the processor; 1 is the 2 cores that the model was measured on',
      parseFactor,
    ),
    platformOption(),
  )
  addRegistryOptions(command)
  addExamples(command, [
    {
      command: 'sociable simulate registry.example/app:1-soci --profile start.json',
      does: 'compare ways to convert the image',
    },
    {
      command: 'sociable simulate oci:./image:app --profile start.json --bandwidth 250MB --latency 1ms',
      does: 'assume a faster network',
    },
  ])
  return command.action(async (image: string, flags: SimulateFlags) => {
    const { profile } = await profileOptions({ profile: flags.profile })
    if (profile === undefined)
      throw new UsageError('--profile is missing: `sociable profile --static IMAGE --output start.json` makes one')
    const access = await registryOptions(flags, [image], terminal)
    const { simulate } = await import('../simulate.js')
    const { bandwidth, latency, programTime, machineSpeed } = flags
    const { onWholeLayer, end } = reportWholeLayers(terminal)
    const result = await simulate(image, profile, {
      ...access,
      platform: flags.platform,
      bandwidth,
      latency: inSeconds(latency),
      programTime: inSeconds(programTime),
      machineSpeed,
      signal: terminal.signal,
      onWholeLayer,
    }).finally(end)
    if (result.missing > 0) terminal.warn(`the image does not have ${plural(result.missing, 'path')} of the profile`)
    await terminal.result(result, describe(result))
    terminal.note(advice(result, image, flags.profile!))
  })
}

function parseFactor(text: string): number {
  const factor = Number(text)
  if (!(factor > 0 && Number.isFinite(factor)))
    throw new InvalidArgumentError('Write a number greater than 0, such as 1.5.')
  return factor
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000
}

const COLUMNS: readonly Column[] = [
  { name: '' },
  { name: 'WAY' },
  { name: 'SECONDS', align: 'right' },
  { name: 'FETCHED', align: 'right' },
  { name: 'REQUESTS', align: 'right' },
  { name: 'START LAYER', align: 'right' },
]

function describe({ ways, recommended }: SimulateResult): Line[] {
  const row = ({ name, seconds, bytes, requests, startLayer, isBound }: SimulatedWay) => [
    name === recommended ? '*' : '',
    name,
    `${isBound ? '≤ ' : ''}${seconds.toFixed(2)}`,
    `${isBound ? '≤ ' : ''}${formatSize(bytes)}`,
    String(requests),
    startLayer === 0 ? '-' : formatSize(startLayer),
  ]
  return formatTable(COLUMNS, ways.map(row))
}

function advice({ ways, recommended }: SimulateResult, image: string, profiles: readonly string[]): string {
  const [pull] = ways
  const way = ways.find(({ name }) => name === recommended)!
  if (way.flags === undefined)
    return 'recommended: no lazy loading. The start reads most of the image, so pulling it whole is about as fast'
  const times = (pull!.seconds / way.seconds).toFixed(1)
  const [first, ...others] = profiles
  const flags = way.flags.map((flag) => (flag === 'FILE' ? first! : flag))
  const more = way.flags.includes('FILE') ? others.flatMap((file) => ['--profile', file]) : []
  const command = ['convert', originImage(image), ...flags, ...more].map(shellWord).join(' ')
  return `recommended: sociable ${command} (${times} times as fast as a whole pull)`
}

/** A word as a POSIX shell reads it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

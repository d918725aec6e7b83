import { Command } from 'commander'
import type { DiffLayer, DiffPlatform } from '../diff.js'
import { addExamples } from './examples.js'
import { formatSize, shortDigest } from './format.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import { type Column, formatTable } from './table.js'
import type { Line, Terminal } from './terminal.js'
import { parsePlatforms } from './values.js'

export function diffCommand(terminal: Terminal): Command {
  const command = new Command('diff')
    .summary('list what a runtime fetches for a new version of an image')
    .description(
      'Compares two versions of an image by their layers, for each platform that both have: which layers a runtime that has the first version keeps, which it pulls whole before the start, and which it loads lazily. Fargate starts without any layers. Reads no layer.',
    )
    .argument('<before>', 'the version that the runtime has', notEmpty)
    .argument('<after>', 'the new version', notEmpty)
  addOptions(
    command,
    option('-p, --platform <platform>', 'compare only this platform; repeatable (default: all)', parsePlatforms),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable diff registry.example/app:1-soci registry.example/app:2-soci', does: 'compare two versions' },
  ])
  return command.action(
    async (before: string, after: string, flags: RegistryFlags & { readonly platform?: readonly string[] }) => {
      const access = await registryOptions(flags, [before, after], terminal)
      const { diff } = await import('../diff.js')
      const result = await diff(before, after, { ...access, platforms: flags.platform, signal: terminal.signal })
      const tables = result.platforms.flatMap((platform, i) => [...(i === 0 ? [] : ['']), ...describe(platform)])
      await terminal.result(result, tables)
    },
  )
}

const COLUMNS: readonly Column[] = [
  { name: '#', align: 'right' },
  { name: 'LAYER' },
  { name: 'SIZE', align: 'right' },
  { name: 'ZTOC', align: 'right' },
  { name: 'FETCHED' },
]

function describe({ name, layers, wholeBytes, lazyBytes, ztocBytes, sharedBytes }: DiffPlatform): Line[] {
  const rows = layers.map((layer, i) => [
    String(i + 1),
    shortDigest(layer.digest),
    formatSize(layer.size),
    layer.ztocSize === undefined ? '-' : formatSize(layer.ztocSize),
    howFetched(layer),
  ])
  return [
    [{ style: 'bold', text: name }],
    ...formatTable(COLUMNS, rows),
    `${formatSize(wholeBytes + ztocBytes)} before the start (layers ${formatSize(wholeBytes)}, zTOCs ${formatSize(ztocBytes)}), up to ${formatSize(lazyBytes)} lazily; ${formatSize(sharedBytes)} shared`,
  ]
}

function howFetched({ isShared, lazy }: DiffLayer): string {
  if (isShared) return 'no: both versions have it'
  return lazy ? 'lazily' : 'whole'
}

import { Command } from 'commander'
import type { InspectedLayer, InspectedPlatform, InspectResult } from '../inspect.js'
import { addExamples } from './examples.js'
import { formatBinarySize, formatCount, formatSize, shortDigest } from './format.js'
import { notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import { type Column, formatTable } from './table.js'
import type { Line, Style, Styled, Terminal } from './terminal.js'
import { parsePlatforms } from './values.js'

export function inspectCommand(terminal: Terminal): Command {
  const command = new Command('inspect')
    .summary('tell whether and how an image is SOCI-enabled')
    .description(
      'Tells whether an image is SOCI-enabled and which way, which of its layers load lazily, by what tool its index was built, ' +
        'and whether AWS Fargate can load it lazily as far as an image can tell: accounts and regions differ. Reads no layer.',
    )
    .argument('<image>', 'the image', notEmpty)
    .addOption(
      option('-p, --platform <platform>', 'this platform only; repeatable (default: all of the image)', parsePlatforms),
    )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable inspect oci:./image:app-soci', does: 'a table per platform' },
    { command: "sociable inspect oci:./image:app --json | jq '.sociEnabled'", does: 'for a script' },
  ])
  return command.action(async (image: string, flags: RegistryFlags & { readonly platform?: readonly string[] }) => {
    const access = await registryOptions(flags, [image], terminal)
    const { inspect } = await import('../inspect.js')
    const result = await inspect(image, { ...access, platforms: flags.platform, signal: terminal.signal })
    await terminal.result(result, describe(result))
  })
}

function styled(style: Style, text: string): Styled {
  return { style, text }
}

function describe(result: InspectResult): Line[] {
  const lines: Line[] = [
    [styled('bold', result.image)],
    `digest        ${result.digest}`,
    `media type    ${result.mediaType}`,
    ['SOCI-enabled  ', result.sociEnabled ? styled('green', 'yes') : styled('yellow', 'no')],
  ]
  for (const platform of result.images) lines.push('', ...describePlatform(platform))
  if (result.others.length > 0) {
    const rows = result.others.map((other) => [other.kind, shortDigest(other.digest), formatSize(other.size)])
    lines.push('', ...formatTable(OTHER_COLUMNS, rows))
  }
  return lines
}

const OTHER_COLUMNS: readonly Column[] = [{ name: 'ALSO IN IT' }, { name: 'DIGEST' }, { name: 'SIZE', align: 'right' }]

/** The identifier is what the index says of itself: nobody checked it here. */
const HEALTH = { sound: 'as it says itself', unknown: 'as it says itself; some versions of it make broken indexes' }

function describePlatform(image: InspectedPlatform): Line[] {
  const lines: Line[] = [[styled('bold', image.name)], `manifest      ${image.manifest.digest}`]
  if (image.index === undefined) lines.push('SOCI index    none')
  else lines.push(`SOCI index    ${image.index.digest} (${image.version})`)
  if (image.buildTool !== undefined) {
    const health = image.buildToolHealth === undefined ? '' : ` (${HEALTH[image.buildToolHealth]})`
    lines.push(`built by      ${image.buildTool}${health}`)
  }
  if (image.profile !== undefined) lines.push(`profile       ${image.profile}`)
  const { eligible, reasons, notes } = image.fargate
  lines.push(['Fargate       ', eligible ? styled('green', 'eligible') : styled('yellow', 'not eligible')])
  lines.push(...[...reasons, ...notes].map((line) => `              ${line}`))
  lines.push(...image.problems.map((problem): Line => [styled('red', 'problem'), `       ${problem}`]))
  if (image.layers.length === 0) return [...lines, 'no layers']
  return [...lines, ...formatTable(LAYER_COLUMNS, image.layers.map(layerRow))]
}

const LAYER_COLUMNS: readonly Column[] = [
  { name: '#', align: 'right' },
  { name: 'LAYER' },
  { name: 'SIZE', align: 'right' },
  { name: 'UNPACKED', align: 'right' },
  { name: 'LAZY' },
  { name: 'SPANS', align: 'right' },
  { name: 'SPAN SIZE', align: 'right' },
  { name: 'FILES', align: 'right' },
  { name: 'ZTOC', align: 'right' },
  { name: 'NOTE' },
]

function layerRow(layer: InspectedLayer, index: number): string[] {
  const { ztoc } = layer
  const notes = [layer.reason ?? '']
  if (layer.prefetch !== undefined && layer.prefetch.length > 0)
    notes.push(
      `prefetches spans ${layer.prefetch.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')}`,
    )
  if (ztoc?.disableXattrs) notes.push('no xattrs')
  return [
    String(index + 1),
    shortDigest(layer.digest),
    formatSize(layer.size),
    ztoc === undefined ? '-' : formatSize(ztoc.uncompressedSize),
    layer.lazy ? 'yes' : 'no',
    ztoc === undefined ? '-' : formatCount(ztoc.spans),
    ztoc === undefined ? '-' : formatBinarySize(ztoc.spanSize),
    ztoc === undefined ? '-' : formatCount(ztoc.files),
    ztoc === undefined ? '-' : formatSize(ztoc.size),
    notes.filter((note) => note !== '').join('; '),
  ]
}

import { Command } from 'commander'
import type { InspectedLayer, InspectedPlatform, InspectResult } from '../inspect.js'
import { printableJson } from '../printable.js'
import type { ContentResult } from '../result.js'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { formatBinarySize, formatCount, formatSize, plural, shortDigest } from './format.js'
import { addOptions, notEmpty, option } from './option.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import { type Column, formatTable } from './table.js'
import type { Line, Style, Styled, Terminal } from './terminal.js'
import { drawTree, type TreeNode } from './tree.js'
import { parsePlatforms } from './values.js'

interface InspectFlags extends RegistryFlags {
  readonly platform?: readonly string[]
  readonly tree?: boolean
  readonly config?: boolean
}

export function inspectCommand(terminal: Terminal): Command {
  const command = new Command('inspect')
    .summary('show whether and how an image is SOCI-enabled')
    .description(
      'Shows whether an image is SOCI-enabled (v1 or v2), which of its layers load lazily, which tool built the index, ' +
        'and whether the image is eligible for lazy loading on AWS Fargate, which also depends on the account and region. Reads no layer.',
    )
    .argument('<image>', 'the image', notEmpty)
  addOptions(
    command,
    option(
      '-p, --platform <platform>',
      'show only this platform; repeatable (default: all of the image)',
      parsePlatforms,
    ),
    option('--tree', 'print a tree instead of tables: image, platforms, SOCI indexes, zTOCs and layers'),
    option('--config', "print the image's config as JSON instead, for --platform or the platform of this machine"),
  )
  addRegistryOptions(command)
  addExamples(command, [
    { command: 'sociable inspect oci:./image:app-soci', does: 'print a table per platform' },
    { command: "sociable inspect oci:./image:app --json | jq '.sociEnabled'", does: 'print the answer for a script' },
    { command: 'sociable inspect oci:./image:app-soci --tree', does: 'show what refers to what, with full digests' },
    {
      command: "sociable inspect registry.example/app:1 --config | jq '.config.Entrypoint'",
      does: 'print what the image starts',
    },
  ])
  return command.action(async (image: string, flags: InspectFlags) => {
    const { platform: platforms, tree, config } = flags
    if (tree && config) throw new UsageError('--tree and --config are two outputs: choose one')
    if (config && (platforms?.length ?? 0) > 1) throw new UsageError('--config is of one platform: give one --platform')
    const access = await registryOptions(flags, [image], terminal)
    const { signal } = terminal
    if (config) {
      const { imageConfig } = await import('../image-config.js')
      const { json } = await imageConfig(image, { ...access, platform: platforms?.[0], signal })
      return terminal.write(`${printableJson(json, 2)}\n`)
    }
    const { inspect } = await import('../inspect.js')
    const result = await inspect(image, { ...access, platforms, signal })
    await terminal.result(result, tree ? describeTree(result) : describe(result))
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

/** The index names its own build tool: this is not verified. */
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
  const { eligible, inEcr, reasons, notes } = image.fargate
  const word = inEcr ? 'eligible' : 'eligible once it is in Amazon ECR'
  lines.push(['Fargate       ', eligible ? styled('green', word) : styled('yellow', 'not eligible')])
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

function describeTree(result: InspectResult): string[] {
  const others = result.others.map(({ kind, digest, size }) => ({ text: `${kind}  ${digest}  ${formatSize(size)}` }))
  const children = [...result.images.map(platformNode), ...others]
  return drawTree({ text: `${result.image}  ${result.digest}`, children })
}

function platformNode(image: InspectedPlatform): TreeNode {
  const { index, layers } = image
  const layerNodes = layers.map((layer, i): TreeNode => {
    const why = layer.lazy ? 'lazy' : `not lazy: ${layer.reason}`
    return { text: `layer ${i + 1}  ${layer.digest}  ${formatSize(layer.size)}  ${why}` }
  })
  const problems = image.problems.map((problem) => ({ text: `problem: ${problem}` }))
  const indexNodes = index === undefined ? [{ text: 'no SOCI index' }] : [indexNode(index, image)]
  return { text: `${image.name}  ${image.manifest.digest}`, children: [...indexNodes, ...problems, ...layerNodes] }
}

function indexNode({ digest }: ContentResult, { version, layers }: InspectedPlatform): TreeNode {
  const children = layers.flatMap(({ ztoc }, i) => {
    if (ztoc === undefined) return []
    const spans = `${plural(ztoc.spans, 'span')} of ${formatBinarySize(ztoc.spanSize)}`
    return [{ text: `zTOC of layer ${i + 1}  ${ztoc.digest}  ${formatSize(ztoc.size)}  ${spans}` }]
  })
  return { text: `SOCI index ${version}  ${digest}`, children }
}

import { existsSync } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import type { IndexedLayer } from '@sociable/ztoc'
import { Command } from 'commander'
import type { CallOptions, RegistryAccess } from '../options.js'
import { writeFileAtomically } from './atomic-file.js'
import { addExamples } from './examples.js'
import { UsageError } from './failure.js'
import { formatSize } from './format.js'
import { addIndexOptions, buildToolOption, type IndexFlags, layerLimitOption, spanSizeOption } from './index-options.js'
import { addOptions, notEmpty, option } from './option.js'
import { type ProgressReport, reportProgress } from './progress-report.js'
import { addRegistryOptions, type RegistryFlags, registryOptions } from './registry-options.js'
import type { Terminal } from './terminal.js'
import { parseText } from './values.js'

interface ZtocFlags extends IndexFlags, RegistryFlags {
  readonly output?: string
  readonly compression?: 'gzip' | 'uncompressed'
}

/** What `ztoc --json` prints. */
export interface ZtocDocument {
  /** The zTOC's digest and bytes. */
  readonly digest: string
  readonly size: number
  /** The layer as it was read: digest and size of its compressed bytes, and the tar's size. */
  readonly layer: { readonly digest: string; readonly size: number; readonly uncompressedSize: number }
  readonly compression: 'gzip' | 'uncompressed'
  readonly spans: number
  readonly files: number
  /** Whether any entry has extended attributes or is an opaque whiteout. */
  readonly hasXattrs: boolean
  /** Why a runtime would refuse this zTOC; absent for a sound one. */
  readonly unloadable?: string
}

export function ztocCommand(terminal: Terminal): Command {
  const command = new Command('ztoc')
    .summary('index one layer')
    .description(
      'Builds the zTOC of one layer of any size, and prints the digest of the zTOC. If the name of an image is given, lists its layers and fails. ' +
        'The other flags of convert are accepted and ignored, so that scripts can pass the same flags to both.',
    )
    .argument('<layer>', 'a file, - for standard input, or IMAGE@sha256:DIGEST for a layer of an image', notEmpty)
  addOptions(
    command,
    option(
      '-o, --output <file>',
      'write the zTOC to this file; - writes it to stdout, and the digest to stderr',
      parseText,
    ),
    option(
      '--compression <kind>',
      "gzip or uncompressed (default: detected from the layer's first bytes or the image's manifest)",
    ).choices(['gzip', 'uncompressed']),
    spanSizeOption(),
    buildToolOption(),
    layerLimitOption(),
  )
  addRegistryOptions(command)
  const others = addIndexOptions(new Command()).options.filter(
    ({ long }) => !command.options.some((own) => own.long === long),
  )
  addOptions(command, ...others.map((each) => each.hideHelp()))
  addExamples(command, [
    { command: 'sociable ztoc layer.tar.gz --output layer.ztoc', does: 'index a file' },
    {
      command: 'zcat layer.tar.gz | sociable ztoc - --span-size 1MiB',
      does: 'index standard input, here an uncompressed layer',
    },
    { command: 'sociable ztoc oci:./image:app@sha256:4f5e…', does: 'index a layer of an image, by its full digest' },
  ])
  return command.action(async (layer: string, flags: ZtocFlags) => {
    if (terminal.json && flags.output === '-')
      throw new UsageError('--json and --output - both write to stdout: write the zTOC to a file')
    const isImage = namesImage(layer)
    const access = await registryOptions(flags, layer === '-' || isImage ? [layer] : [], terminal)
    if (isImage) throw await notALayer(layer, { ...access, signal: terminal.signal })
    const { indexOneLayer } = await import('../one-layer.js')
    const report = reportProgress(terminal)
    try {
      if (
        flags.prefetchFile !== undefined ||
        flags.prefetchFilesJson !== undefined ||
        flags.optimizations !== undefined
      )
        report.warn('prefetch lists and optimizations are not part of a zTOC and have no effect')
      const started = performance.now()
      const indexed = await indexOneLayer(layer === '-' ? standardInput(terminal) : layer, {
        ...access,
        spanSize: flags.spanSize,
        buildTool: flags.buildTool,
        compression: flags.compression,
        layerLimit: flags.layerLimit,
        signal: terminal.signal,
        onProgress: progressOf(layer === '-' ? 'stdin' : layer, report),
      })
      if (indexed.unloadable !== undefined)
        report.warn(`a runtime will refuse this zTOC: ${indexed.unloadable}; convert and create leave such a layer out`)
      if (flags.output !== undefined && flags.output !== '-')
        await writeFileAtomically(flags.output, indexed.ztoc.pieces, terminal.signal)
      finish(indexed, (performance.now() - started) / 1000, report)
      await printResult(terminal, indexed, flags.output)
    } finally {
      report.end()
    }
  })
}

/** Whether it is the name of an image: with a transport, or in a registry with a domain or a port, and not a file. */
function namesImage(layer: string): boolean {
  if (/@sha(?:256|512):[0-9a-f]+$/.test(layer)) return false
  if (/^(?:oci|oci-archive|docker-archive):/.test(layer)) return true
  const isInRegistry = /^(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+:\d+)\//.test(layer)
  return isInRegistry && !/\.(?:tar|tgz|gz|zst)$/.test(layer) && !existsSync(layer)
}

/** The layers to choose from. */
async function notALayer(image: string, options: CallOptions & RegistryAccess): Promise<UsageError> {
  const { inspect } = await import('../inspect.js')
  const { images } = await inspect(image, options)
  const lines = images.flatMap(({ name, layers }) => [
    `${name}:`,
    ...layers.map(({ digest, size }) => `  ${digest}  ${formatSize(size)}`),
  ])
  return new UsageError(`${image} is an image, not a layer: append @ and the digest of a layer`, { hint: lines })
}

function standardInput(terminal: Terminal): AsyncIterable<Uint8Array> {
  return addAbortSignal(terminal.signal, process.stdin)
}

/** One layer has no plan: its first progress makes one. */
function progressOf(layer: string, report: ProgressReport): (bytes: number, size: number | undefined) => void {
  const digest = layer.slice(layer.lastIndexOf('@') + 1).replace(/^.*[\\/]/, '')
  let planned = false
  return (bytes, size = 0) => {
    if (!planned) report.onProgress({ type: 'plan', layers: [{ digest, size, platforms: [] }], blobs: 0, blobBytes: 0 })
    planned = true
    report.onProgress({ type: 'progress', digest, bytes, size })
  }
}

function finish(indexed: IndexedLayer, seconds: number, report: ProgressReport): void {
  const { layer, spans, files, ztoc } = indexed
  const mediaType = ''
  report.onProgress({
    type: 'layer',
    layer: { mediaType, digest: layer.digest, size: layer.size, state: 'indexed', ztoc, spans, files, seconds },
  })
}

async function printResult(terminal: Terminal, indexed: IndexedLayer, output: string | undefined): Promise<void> {
  const { digest, ztoc, layer, compression, spans, files, hasXattrs, unloadable } = indexed
  if (output !== '-') {
    const document: ZtocDocument = {
      digest,
      size: ztoc.size,
      layer,
      compression,
      spans,
      files,
      hasXattrs,
      ...(unloadable !== undefined && { unloadable }),
    }
    return terminal.result(document, [digest])
  }
  for (const piece of ztoc.pieces) await terminal.write(piece)
  terminal.note(digest)
}

// The flags that `convert` and `create` share: what decides an index's bytes, and how it is built.
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { IndexOptions, Optimization } from '../options.js'
import { UsageError } from './failure.js'
import { addOptions, option } from './option.js'
import {
  parseCount,
  parseImages,
  parseOptimizations,
  parsePaths,
  parsePlatforms,
  parsePositiveSize,
  parseSize,
  parseText,
} from './values.js'

export interface IndexFlags {
  readonly spanSize?: number
  readonly minLayerSize?: number
  readonly buildTool?: string
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly prefetchFile?: readonly string[]
  readonly prefetchFilesJson?: string
  readonly optimizations?: readonly Optimization[]
  readonly force?: boolean
  readonly cacheFrom?: readonly string[]
  readonly trustZtocs?: boolean
  readonly requireIndex?: boolean
  readonly concurrency?: number
  readonly memory?: number
  readonly layerLimit?: number
}

export const spanSizeOption = () =>
  option('--span-size <size>', 'uncompressed bytes between checkpoints (default: 4MiB)', parseSize)
export const buildToolOption = () =>
  option('--build-tool <name>', 'identifier written into the result (default: "sociable v1")', parseText)

export const minLayerSizeOption = () =>
  option('--min-layer-size <size>', 'do not index layers smaller than this (default: 10MiB)', parseSize)

export const layerLimitOption = () =>
  option(
    '--layer-limit <size>',
    'largest uncompressed size of a layer (default: 16GiB, or 100 times its size if that is more)',
    parsePositiveSize,
  )

export function addIndexOptions(command: Command): Command {
  return addOptions(
    command,
    option(
      '-p, --platform <platform>',
      'index only this platform; repeatable (default: all platforms of the image)',
      parsePlatforms,
    ),
    option('--all-platforms', 'index all platforms, even if --platform is set'),
    spanSizeOption(),
    minLayerSizeOption(),
    option('--prefetch-file <path>', 'path in the image that the runtime should prefetch; repeatable', parsePaths),
    option('--prefetch-files-json <file>', 'file with a JSON array of such paths', parseText),
    option('--optimizations <list>', 'optional optimizations of the index: xattr', parseOptimizations),
    buildToolOption(),
    option('-f, --force', 'index all layers again, even if an index exists'),
    option('--cache-from <image>', 'image to reuse zTOCs of the same layers from; repeatable', parseImages),
    option('--trust-ztocs', 'also reuse zTOCs from other repositories, other tools and v1 indexes'),
    option('--require-index', 'fail if no layer can be indexed'),
    option('--concurrency <count>', 'number of layers to index at a time (default: the number of cores)', parseCount),
    option('--memory <size>', 'memory limit for indexing (default: none)', parsePositiveSize),
    layerLimitOption(),
  )
}

/** @throws UsageError where the file of --prefetch-files-json cannot be used */
export async function indexOptions(flags: IndexFlags): Promise<IndexOptions> {
  const fromJson = flags.prefetchFilesJson === undefined ? [] : await readPaths(flags.prefetchFilesJson)
  const prefetchFiles = [...(flags.prefetchFile ?? []), ...fromJson]
  return {
    spanSize: flags.spanSize,
    minLayerSize: flags.minLayerSize,
    buildTool: flags.buildTool,
    platforms: flags.allPlatforms ? undefined : flags.platform,
    prefetchFiles: prefetchFiles.length > 0 ? prefetchFiles : undefined,
    optimizations: flags.optimizations,
    force: flags.force,
    cacheFrom: flags.cacheFrom,
    trustZtocs: flags.trustZtocs,
    requireIndex: flags.requireIndex,
    concurrency: flags.concurrency,
    memory: flags.memory,
    layerLimit: flags.layerLimit,
  }
}

async function readPaths(file: string): Promise<string[]> {
  let paths: unknown
  try {
    paths = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`--prefetch-files-json "${file}" cannot be read: ${reason}`, { cause })
  }
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string'))
    throw new UsageError(
      `--prefetch-files-json "${file}" is not a JSON array of paths: write ["/app/main", "/etc/app.json"]`,
    )
  return paths.filter((path) => path.trim() !== '')
}

// The flags that `convert` and `create` share: what decides an index's bytes, and how it is built.
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { IndexOptions, Optimization } from '../options.js'
import { UsageError } from './failure.js'
import { option } from './option.js'
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

export const layerLimitOption = () =>
  option(
    '--layer-limit <size>',
    'bytes that a layer may unpack to (default: 16GiB, or 100 times its size)',
    parsePositiveSize,
  )

export function addIndexOptions(command: Command): Command {
  return [
    option(
      '-p, --platform <platform>',
      'index this platform only; repeatable (default: all of the image)',
      parsePlatforms,
    ),
    option('--all-platforms', 'index all platforms, whatever --platform says'),
    spanSizeOption(),
    option('--min-layer-size <size>', 'layers smaller than this are not indexed (default: 10MiB)', parseSize),
    option('--prefetch-file <path>', 'path in the image that a runtime should fetch ahead; repeatable', parsePaths),
    option('--prefetch-files-json <file>', 'file with a JSON array of such paths', parseText),
    option('--optimizations <list>', 'optional optimizations of the index: xattr', parseOptimizations),
    buildToolOption(),
    option('-f, --force', 'index layers anew although an index of theirs is there'),
    option('--cache-from <image>', 'image to take zTOCs of the same layers from; repeatable', parseImages),
    option('--trust-ztocs', 'also reuse zTOCs of other repositories, of other tools and of v1 indexes'),
    option('--require-index', 'fail where no layer can be indexed'),
    option('--concurrency <count>', 'layers indexed at once (default: the number of cores)', parseCount),
    option('--memory <size>', 'memory that the work may take (default: no limit)', parsePositiveSize),
    layerLimitOption(),
  ].reduce((to, each) => to.addOption(each), command)
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
      `--prefetch-files-json "${file}" is no JSON array of paths: write ["/app/main", "/etc/app.json"]`,
    )
  return paths.filter((path) => path.trim() !== '')
}

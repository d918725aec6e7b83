import { availableParallelism } from 'node:os'
import { readAhead, type Store } from '@sociable/oci'
import { DEFAULT_BUILD_TOOL, DEFAULT_SPAN_SIZE } from '@sociable/ztoc'
import type { IndexOptions } from '../options.js'
import { cleanPrefetchPath } from '../soci/prefetch.js'
import type { LayerJob } from './plan.js'

/** As the soci CLI. */
export const DEFAULT_MIN_LAYER_SIZE = 10 * 1024 * 1024

/** Options with their defaults, checked. */
export interface Settings {
  readonly spanSize: number
  readonly minLayerSize: number
  readonly buildTool: string
  readonly platforms: readonly string[] | undefined
  /** Cleaned; none is empty. */
  readonly prefetchFiles: readonly string[]
  readonly xattr: boolean
  readonly force: boolean
  readonly trustZtocs: boolean
  readonly requireIndex: boolean
  readonly concurrency: number
  readonly memory: number
  readonly signal: AbortSignal | undefined
}

/** @throws RangeError for a number that is none of its kind, TypeError for an unknown optimization */
export function resolveSettings(options: IndexOptions): Settings {
  const { optimizations = [], platforms } = options
  for (const name of optimizations)
    if (name !== 'xattr') throw new TypeError(`optimization "${name}" is unknown: there is only xattr`)
  return {
    spanSize: wholeNumber('spanSize', options.spanSize ?? DEFAULT_SPAN_SIZE, 0),
    minLayerSize: wholeNumber('minLayerSize', options.minLayerSize ?? DEFAULT_MIN_LAYER_SIZE, 0),
    buildTool: options.buildTool ?? DEFAULT_BUILD_TOOL,
    platforms: platforms?.length === 0 ? undefined : platforms,
    prefetchFiles: (options.prefetchFiles ?? []).map(cleanPrefetchPath).filter((path) => path !== ''),
    xattr: optimizations.length > 0,
    force: options.force ?? false,
    trustZtocs: options.trustZtocs ?? false,
    requireIndex: options.requireIndex ?? false,
    concurrency: wholeNumber('concurrency', options.concurrency ?? availableParallelism(), 1),
    memory: options.memory === undefined ? Number.POSITIVE_INFINITY : wholeNumber('memory', options.memory, 0),
    signal: options.signal,
  }
}

function wholeNumber(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${name} is ${value}: it must be a whole number, at least ${least}`)
  return value
}

/** Bytes that indexing one layer takes apart from its checkpoints: two threads with their buffers, and the records of its files. */
const LAYER_BASE_MEMORY = 32 << 20
/** Layers rarely unpack to more than so many times their size. */
const USUAL_RATIO = 4
const CHECKPOINT_MEMORY = 33 << 10

/** How many layers can be indexed at once within the settings' memory: as many of the biggest as fit, at least one. */
export function layersAtOnce(jobs: readonly LayerJob[], { concurrency, memory, spanSize }: Settings): number {
  let sum = 0
  let count = 0
  for (const { descriptor } of jobs) {
    const spans = (descriptor.size * USUAL_RATIO) / Math.max(spanSize, 1)
    sum += LAYER_BASE_MEMORY + spans * CHECKPOINT_MEMORY
    if (sum > memory || count === concurrency) break
    count++
  }
  return Math.max(1, count)
}

/** The settings with the memory that is left for indexing: where layers come from elsewhere, reading ahead has its part. */
export function indexingFrom(source: Store, settings: Settings): Settings {
  if (source.locate !== undefined) return settings
  return { ...settings, memory: settings.memory - readAhead(settings.memory) }
}

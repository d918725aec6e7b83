import { availableParallelism } from 'node:os'
import { digestOf, readAhead, type Store } from '@sociable/oci'
import {
  type CaptureOptions,
  type CopyRule,
  DEFAULT_BUILD_TOOL,
  DEFAULT_SPAN_SIZE,
  type HotSpans,
} from '@sociable/ztoc'
import type { ConvertOptions, StartLayerKind } from '../options.js'
import { mergeProfiles } from '../profile/merge-profiles.js'
import type { Profile } from '../profile/profile.js'
import { cleanPrefetchPath } from '../soci/prefetch.js'
import type { LayerJob } from './plan.js'

/** As the soci CLI. */
export const DEFAULT_MIN_LAYER_SIZE = 10 * 1024 * 1024

/**
 * Files that are copied into the start layer. Small ones are read nearly whole, and each saves a request through FUSE; of larger ones it depends on how much of them
 * is read (where a profile does not say that, all of it).
 */
const COPY_RULES: readonly CopyRule[] = [
  { upTo: 512 << 10, share: 0 },
  { upTo: 4 << 20, share: 0.5 },
  { upTo: 16 << 20, share: 0.75 },
]

/**
 * What runtimes read through the mount of any image, so that no trace of a start has it: users and groups (containerd, runc), and the files that
 * they mount over, which overlayfs copies up.
 */
export const RUNTIME_FILES = ['/etc/passwd', '/etc/group', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname']

/** Without a trace, a start reads more files that no profile lists, and each fetches a whole cold span. */
const STATIC_COLD_SPAN_SIZE = 4 << 20

const START_LAYERS: readonly StartLayerKind[] = ['none', 'zstd', 'gzip']

/** Options with their defaults, checked. */
export interface Settings {
  readonly spanSize: number
  readonly minLayerSize: number
  readonly buildTool: string
  readonly platforms: readonly string[] | undefined
  /** Cleaned; none is empty. */
  readonly prefetchFiles: readonly string[]
  /** All profiles in one. */
  readonly profile: Profile | undefined
  /** Digest of the profile and of all options that decide what is made of it, and of those that decide where spans are cut. */
  readonly profileKey: string | undefined
  readonly spansKey: string | undefined
  /** What spans are cut by; undefined where their size alone decides. */
  readonly hot: HotSpans | undefined
  /** Files that are kept for the start layer. */
  readonly capture: Omit<CaptureOptions, 'limit' | 'fd'> | undefined
  readonly startLayer: StartLayerKind
  readonly startLayerLimit: number | undefined
  /** Which files of the profile are copied into it; none without one. */
  readonly copyRules: readonly CopyRule[]
  readonly xattr: boolean
  readonly recompress: boolean
  readonly force: boolean
  readonly trustZtocs: boolean
  readonly requireIndex: boolean
  readonly concurrency: number
  readonly memory: number
  readonly layerLimit: number | undefined
  readonly beforeTag: (() => Promise<void>) | undefined
  readonly signal: AbortSignal | undefined
}

/** @throws RangeError for a number that is none of its kind, TypeError for an unknown optimization */
export function resolveSettings(options: ConvertOptions): Settings {
  const { optimizations = [], platforms, profile, startLayer = 'zstd', startLayerLimit } = options
  if (!START_LAYERS.includes(startLayer))
    throw new TypeError(`startLayer is ${startLayer}: it must be one of ${START_LAYERS.join(', ')}`)
  if (options.recompress !== undefined && options.recompress !== 'gzip')
    throw new TypeError(`recompress is ${options.recompress}: it must be gzip`)
  for (const name of optimizations)
    if (name !== 'xattr') throw new TypeError(`optimization "${name}" is unknown: there is only xattr`)
  const runtime: Profile = { version: 1, static: true, files: RUNTIME_FILES.map((path) => ({ path })) }
  const merged = profile === undefined ? undefined : mergeProfiles([profile, runtime].flat())
  const settings = {
    spanSize: wholeNumber('spanSize', options.spanSize ?? DEFAULT_SPAN_SIZE, 0),
    minLayerSize: wholeNumber('minLayerSize', options.minLayerSize ?? DEFAULT_MIN_LAYER_SIZE, 0),
    buildTool: options.buildTool ?? DEFAULT_BUILD_TOOL,
    platforms: platforms?.length === 0 ? undefined : platforms,
    prefetchFiles: (options.prefetchFiles ?? []).map(cleanPrefetchPath).filter((path) => path !== ''),
    profile: merged,
    startLayer,
    startLayerLimit,
    copyRules: copyRulesOf(startLayer, startLayerLimit),
    // Only layers without attributes are marked, so a profile may ask for it: less is looked up at the start
    xattr: optimizations.length > 0 || merged !== undefined,
    recompress: options.recompress !== undefined,
    force: options.force ?? false,
    trustZtocs: options.trustZtocs ?? false,
    requireIndex: options.requireIndex ?? false,
    concurrency: wholeNumber('concurrency', options.concurrency ?? availableParallelism(), 1),
    memory: options.memory === undefined ? Number.POSITIVE_INFINITY : wholeNumber('memory', options.memory, 0),
    layerLimit: options.layerLimit === undefined ? undefined : wholeNumber('layerLimit', options.layerLimit, 0),
    beforeTag: options.beforeTag,
    signal: options.signal,
  }
  return { ...settings, ...profileKeys(settings, options.profileSpans ?? true) }
}

function copyRulesOf(startLayer: StartLayerKind, limit: number | undefined): readonly CopyRule[] {
  if (startLayer === 'none') return []
  return limit === undefined ? COPY_RULES : [{ upTo: wholeNumber('startLayerLimit', limit, 0), share: 0 }]
}

/** Part of what `profileKey` and `spansKey` are made of: to be raised when the same profile and options come to give another result. */
const PROFILE_VERSION = 2

type ProfileKeys = 'profileKey' | 'spansKey' | 'hot' | 'capture'

function profileKeys(settings: Omit<Settings, ProfileKeys>, profileSpans: boolean): Pick<Settings, ProfileKeys> {
  const { profile, spanSize, minLayerSize, startLayer, startLayerLimit, copyRules, prefetchFiles, xattr } = settings
  if (profile === undefined) return { profileKey: undefined, spansKey: undefined, hot: undefined, capture: undefined }
  const keyOf = (values: readonly unknown[]): string =>
    digestOf(new TextEncoder().encode(JSON.stringify([PROFILE_VERSION, profile, spanSize, ...values])))
  const spansKey = profileSpans ? keyOf(copyRules) : undefined
  return {
    profileKey: keyOf([minLayerSize, startLayer, startLayerLimit, prefetchFiles, xattr, spansKey]),
    spansKey,
    hot: profileSpans ? { files: profile.files, except: copyRules, coldSpanSize: coldSpanSizeOf(profile) } : undefined,
    capture: startLayer === 'none' ? undefined : { files: profile.files, rules: copyRules },
  }
}

/** Bytes of a span that a start does not read, as far as the profile knows; undefined for the default. */
export function coldSpanSizeOf({ static: isGuess }: Pick<Profile, 'static'>): number | undefined {
  return isGuess ? STATIC_COLD_SPAN_SIZE : undefined
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

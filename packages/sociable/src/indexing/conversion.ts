// What `convert` finds out before it moves anything: which platforms and layers, and what of them an earlier run has done.
import type { Descriptor } from '@sociable/oci'
import { type ImageTree, readImageTree } from '../image/image-tree.js'
import { type RewrittenImage, rewriteImage } from '../image/rewrite.js'
import { withoutStartLayers } from '../image/start-layer-mark.js'
import type { Place } from '../places/location.js'
import type { ProgressEvent } from '../progress.js'
import { type AssembledPlatform, assemblePlatform } from './assemble.js'
import { blobsToCopy } from './blobs.js'
import type { FinishedLayer } from './finished-layer.js'
import { formerProfiled } from './former-profiled.js'
import { formerIndexes, mayBeResult, refusedLayers } from './former-result.js'
import { reasonForNone, refuseImmutableTag, warnAbsent } from './outcome.js'
import { imagesOf, type LayerJob, type PlatformPlan, planLayers, plannedLayers, planPlatforms } from './plan.js'
import { assumeFinished, findZtocs, indexesIn, type KnownZtocs, readPrevious } from './reusable.js'
import type { Settings } from './settings.js'
import type { Spooled } from './temporary-files.js'

export interface ConvertTask {
  readonly from: Place
  readonly top: Descriptor
  readonly to: Place
  readonly cacheFrom: readonly (() => Promise<Place>)[]
  readonly settings: Settings
  /** Leave a source alone that is SOCI-enabled already. @default false */
  readonly keepEnabled?: boolean
}

/** What is to be done with an image. */
export interface Conversion {
  readonly tree: ImageTree
  readonly plans: readonly PlatformPlan[]
  readonly jobs: readonly LayerJob[]
  /** What moves as it is. */
  readonly blobs: readonly Descriptor[]
  /** Layers that were made for `recompress`, by digest. They are in the destination; undefined for those that an earlier run made. */
  readonly recompressed: ReadonlyMap<string, Spooled | undefined>
  /** Configs of images that had a start layer, by digest: they are made here, and need not be in the source. */
  readonly configs: ReadonlyMap<string, Uint8Array>
}

/** Gives an image other layers. */
export type ChangeLayers = (tree: ImageTree) => Promise<{
  readonly tree: ImageTree
  readonly layers: Conversion['recompressed']
}>

/** Reads the image, and of its layers only what `change` does. @throws ImageError, NOTHING_TO_INDEX too, before anything is copied; StoreError */
export async function readConversion(
  { from, top, settings }: ConvertTask,
  onProgress: (event: ProgressEvent) => void,
  warn: (message: string) => void,
  change: ChangeLayers = async (tree) => ({ tree, layers: new Map() }),
): Promise<Conversion> {
  const read = await readImageTree(from.store, top, from.name, settings.signal)
  const { tree: own, configs } = await withoutStartLayers(from.store, read, settings.signal)
  const { tree, layers: recompressed } = await change(own)
  warnAbsent(tree, warn)
  const plans = planPlatforms(tree, settings.platforms, settings.minLayerSize)
  const jobs = planLayers(plans)
  const elsewhere = new Set([
    ...jobs.map(({ descriptor }) => descriptor.digest),
    ...configs.keys(),
    ...recompressed.keys(),
  ])
  const blobs = blobsToCopy(tree, elsewhere)
  onProgress({
    type: 'plan',
    layers: plannedLayers(jobs),
    blobs: blobs.length,
    blobBytes: blobs.reduce((sum, { size }) => sum + size, 0),
  })
  if (jobs.length === 0) reasonForNone(settings, from.name, assembleAll({ plans }, new Map(), settings))
  return { tree, plans, jobs, blobs, recompressed, configs }
}

export function assembleAll(
  { plans }: Pick<Conversion, 'plans'>,
  finished: ReadonlyMap<string, FinishedLayer>,
  settings: Settings,
): AssembledPlatform[] {
  return plans.map((plan) => assemblePlatform(plan, finished, settings, 'v2'))
}

export function rewriteAssembled(
  { tree }: Pick<Conversion, 'tree'>,
  assembled: readonly AssembledPlatform[],
): RewrittenImage {
  return rewriteImage(
    tree,
    assembled.flatMap(({ plan, index, startLayer }) => (index === undefined ? [] : [{ ...plan, index, startLayer }])),
  )
}

/** What an earlier run left. */
export interface Former {
  readonly reusable: KnownZtocs
  /** Where the result would be what has the name: that. Elsewhere it costs the most to look again, so nothing more is read then. */
  readonly unchanged?:
    | {
        readonly layers: ReadonlyMap<string, FinishedLayer>
        readonly assembled: readonly AssembledPlatform[]
        readonly image: RewrittenImage
      }
    | undefined
}

/** What has the destination's name, unless it is not to be used. */
export async function readFormer({ to, settings }: ConvertTask): Promise<ImageTree | undefined> {
  return settings.force ? undefined : await readPrevious(to, settings.signal)
}

/**
 * @param former what `readFormer` gives
 * @param given zTOCs by layer key, where they are not to be looked for
 * @throws StoreError TAG_IMMUTABLE if the destination's tag is immutable and names another image, as far as the registry says
 */
export async function findFormer(
  { from, to, cacheFrom, settings }: ConvertTask,
  conversion: Conversion,
  warn: (message: string) => void,
  former: ImageTree | undefined,
  given?: KnownZtocs,
): Promise<Former> {
  const { tree, plans, jobs } = conversion
  const { signal } = settings
  const previous = former && (await withoutStartLayers(to.store, former, signal)).tree
  if (former !== undefined && previous !== undefined && settings.profile !== undefined) {
    const profiled = await formerProfiled(to.store, former, previous, conversion, settings)
    const image = profiled && rewriteAssembled(conversion, profiled.assembled)
    if (image?.index.descriptor.digest === previous.top.digest)
      return { reusable: new Map(), unchanged: { ...profiled!, image: image! } }
  }
  const reusable =
    given ??
    (await findZtocs({
      settings,
      jobs,
      destination: to,
      previous: previous === undefined ? [] : indexesIn(previous),
      refused: previous === undefined ? [] : refusedLayers(formerIndexes(previous, tree), plans, settings),
      image: { place: from, entries: imagesOf(tree) },
      cacheFrom,
      onWarning: warn,
    }))
  const mayAssume = to.store.locate === undefined && settings.profile === undefined
  const layers = mayAssume ? assumeFinished(jobs, reusable, settings) : undefined
  if (previous !== undefined && layers !== undefined) {
    const assembled = assembleAll(conversion, layers, settings)
    const image = rewriteAssembled(conversion, assembled)
    if (image.index.descriptor.digest === previous.top.digest)
      return { reusable, unchanged: { layers, assembled, image } }
  }
  const mayBe = async (): Promise<boolean> => {
    const there = former ?? (await readPrevious(to, signal))
    if (there === undefined) return false
    return mayBeResult((await withoutStartLayers(to.store, there, signal)).tree, tree, plans, settings)
  }
  await refuseImmutableTag(to.store, to.reference, mayBe, signal)
  return { reusable }
}

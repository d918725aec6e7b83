// The way of a layer: its bytes are read once and become a zTOC; layer and zTOC end up in the destination.
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { copyContent, type Descriptor, type Store, StoreError } from '@sociable/oci'
import { decodeZtoc, hasXattrs, LayerIndexer, spanRange, type Toc, ZtocFormatError } from '@sociable/ztoc'
import { ImageError, inContext } from '../error.js'
import { parallel } from '../parallel.js'
import type { ProgressEvent } from '../progress.js'
import type { LayerResult } from '../result.js'
import { prefetchSpans, type SpanRange } from '../soci/prefetch.js'
import { ZTOC_MEDIA_TYPE } from '../soci/soci-index.js'
import { readZtoc } from '../soci/ztoc-reading.js'
import { isInPlace } from './blobs.js'
import { type FinishedLayer, refusedLayer } from './finished-layer.js'
import type { LayerJob } from './plan.js'
import type { KnownZtocs } from './reusable.js'
import { layersAtOnce, type Settings } from './settings.js'
import { tee } from './tee.js'
import { CapturedFiles, type Spooled, type TemporaryFiles } from './temporary-files.js'

export interface LayersTask {
  readonly jobs: readonly LayerJob[]
  readonly source: Store
  readonly destination: Store
  /** Whether the layers themselves go to the destination, too. */
  readonly copyLayers: boolean
  /** zTOCs that were made with the same settings, and are trusted. */
  readonly reusable: KnownZtocs
  /** What other machines made of the layers, by layer key: then none is indexed here. */
  readonly elsewhere?: ReadonlyMap<string, LayerResult> | undefined
  /** The image's, for messages. */
  readonly name: string
  readonly settings: Settings
  /** Layers that were made by this run, or an earlier one (undefined), and are in the destination; by digest. */
  readonly recompressed?: ReadonlyMap<string, Spooled | undefined> | undefined
  /** Where files are kept for the start layer; without it none is. */
  readonly temporary?: TemporaryFiles | undefined
  readonly onProgress: (event: ProgressEvent) => void
}

/** Compressed bytes from which it pays to start threads: fewer are indexed in the time that this takes. */
const THREADS_FROM = 4 << 20

/** Indexes the layers, several at once. One that fails fails all. @throws LayerFormatError, StoreError, with image and layer named */
export async function indexLayers(
  task: LayersTask,
  signal: AbortSignal | undefined,
): Promise<Map<string, FinishedLayer>> {
  const { jobs, name, settings } = task
  const atOnce = layersAtOnce(jobs, settings)
  const bytes = jobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  const threads = bytes >= THREADS_FROM && task.elsewhere === undefined
  const indexer = new LayerIndexer({ concurrency: atOnce, threads })
  const budget = new CaptureBudget(settings, atOnce)
  try {
    const finished = await parallel(jobs, atOnce, signal, async (job, signal) => {
      try {
        const own = ownTask(task, job)
        // A layer that is more than a core's share of the work gets a second one, or it would be done last of all
        const threads = atOnce === 1 || job.descriptor.size * availableParallelism() > bytes ? 2 : 1
        const done =
          task.elsewhere === undefined ? await reuseZtoc(own, job, signal) : await takeLayer(task, job, signal)
        const layer = done ?? (await indexLayer(own, job, indexer, threads, budget, signal))
        task.onProgress({ type: 'layer', layer: layer.result })
        return layer
      } catch (error) {
        throw inContext(error, `layer ${job.descriptor.digest} of ${name} (${job.platforms.join(', ')})`)
      }
    })
    return new Map(jobs.map(({ key }, i) => [key, finished[i]!]))
  } finally {
    await indexer.close()
  }
}

/** A layer that was made here is in the destination, and nowhere else. */
function ownTask(task: LayersTask, { descriptor }: LayerJob): LayersTask {
  return task.recompressed?.has(descriptor.digest) ? { ...task, source: task.destination, copyLayers: false } : task
}

/** Bytes of files that are kept of all layers; the others are read once more. */
const MAX_CAPTURED = 320 << 20
/** At most this part of the memory that the work may take: on some machines temporary files are memory, too. */
const CAPTURE_PART = 1 / 4

/** How much may yet be kept of the layers' files. */
class CaptureBudget {
  readonly #share: number
  #left: number

  constructor({ memory }: Settings, atOnce: number) {
    this.#left = Math.min(MAX_CAPTURED, memory * CAPTURE_PART)
    this.#share = 1 / atOnce
  }

  /** For one of the layers that are indexed at once. */
  get limit(): number {
    return this.#left * this.#share
  }

  use(files: readonly { readonly size: number }[]): void {
    for (const { size } of files) this.#left = Math.max(0, this.#left - size)
  }
}

async function indexLayer(
  task: LayersTask,
  { descriptor, compression }: LayerJob,
  indexer: LayerIndexer,
  threads: 1 | 2,
  budget: CaptureBudget,
  signal: AbortSignal,
): Promise<FinishedLayer> {
  const { source, destination, copyLayers, settings, onProgress } = task
  const started = performance.now()
  const inPlace = !copyLayers || isInPlace(source, destination)
  // What lies elsewhere is read once only; what lies here is linked, or read again from the file system's cache
  const twoWays = !inPlace && source.locate === undefined && !(await isBeside(source, descriptor, destination, signal))
  let isLost = false
  // The indexing pass hashes the layer anyway, and is through with a chunk when it asks for the next
  const made = task.recompressed?.get(descriptor.digest)
  let content = made?.content() ?? source.fetch(descriptor, { verify: false, reuse: !twoWays, signal })
  if (twoWays)
    content = tee(content, async (copy) => {
      try {
        await destination.push(descriptor, copy, { signal })
      } catch (error) {
        // What passes by cannot be sent again: where a connection broke, that is made good below
        if (!(error instanceof StoreError && error.code === 'UNREACHABLE')) throw error
        isLost = true
      }
    })
  const kept = settings.capture && (await task.temporary?.open())
  const { ztoc, layer, spans, files, hasXattrs, unloadable, captured } = await indexer.index(content, {
    threads,
    spanSize: settings.spanSize,
    hot: settings.hot,
    capture: kept && { ...settings.capture!, limit: budget.limit, fd: kept.fd },
    buildTool: settings.buildTool,
    compression,
    limit: settings.layerLimit,
    expected: { digest: descriptor.digest, size: descriptor.size },
    onProgress: (bytes) => onProgress({ type: 'progress', digest: descriptor.digest, bytes, size: descriptor.size }),
    signal,
  })
  budget.use(captured)
  if (!inPlace && (!twoWays || isLost)) await copyContent(source, descriptor, destination, { verify: isLost, signal })
  const { mediaType, digest, size } = descriptor
  if (unloadable !== undefined) {
    const reason = `a runtime would refuse its zTOC: ${unloadable}`
    return { result: { mediaType, digest, size, state: 'skipped', reason }, hasXattrs, prefetch: new Map() }
  }
  await destination.push({ mediaType: ZTOC_MEDIA_TYPE, digest: ztoc.digest, size: ztoc.size }, ztoc.pieces, {
    verify: false, // its digest was made of these bytes
    signal,
  })
  const { prefetchFiles, profile } = settings
  const toc = prefetchFiles.length === 0 && profile === undefined ? undefined : decodeZtoc(Buffer.concat(ztoc.pieces))
  const prefetch = toc === undefined ? new Map<string, SpanRange>() : findPrefetch(toc, prefetchFiles)
  return {
    result: {
      mediaType,
      digest,
      size,
      state: 'indexed',
      ztoc: { digest: ztoc.digest, size: ztoc.size },
      spans,
      files,
      uncompressedSize: layer.uncompressedSize,
      seconds: (performance.now() - started) / 1000,
    },
    hasXattrs,
    prefetch,
    ...(profile !== undefined && toc !== undefined && { toc }),
    ...(kept !== undefined && captured.length > 0 && { captured: new CapturedFiles(kept, captured) }),
  }
}

/** Whether the destination has the layer, or its registry takes it over from the source's repository. */
async function isBeside(
  source: Store,
  descriptor: Descriptor,
  destination: Store,
  signal: AbortSignal,
): Promise<boolean> {
  if (await destination.exists(descriptor, { signal })) return true
  return (await destination.mount?.(descriptor, source, { signal })) ?? false
}

/** The layer with the zTOC that a former run made; undefined where there is none, or it is not what this run would make. */
export async function reuseZtoc(
  task: Omit<LayersTask, 'elsewhere' | 'onProgress' | 'jobs'>,
  job: LayerJob,
  signal: AbortSignal,
): Promise<FinishedLayer | undefined> {
  const { source, destination, copyLayers, reusable, settings } = task
  const known = reusable.get(job.key)
  if (known === undefined) return undefined
  if (known === 'refused') {
    if (copyLayers && !isInPlace(source, destination))
      await copyContent(source, job.descriptor, destination, { signal })
    return refusedLayer(job)
  }
  const toc = await readZtoc(known.store, known.descriptor, job.descriptor, signal).catch(() => undefined)
  signal.throwIfAborted()
  if (toc === undefined || otherThanWanted(toc, job, settings) !== undefined) return undefined
  if (copyLayers && !isInPlace(source, destination)) await copyContent(source, job.descriptor, destination, { signal })
  if (known.store !== destination) await copyContent(known.store, known.descriptor, destination, { signal })
  return withZtoc(job, known.descriptor, toc, settings)
}

/**
 * The layer as another machine left it in the destination. Its zTOC is read again, and everything that is reported of it comes from there; its last span is
 * compared with the layer: of a gzip layer that has the checksum of all that is in it.
 * @throws ImageError STEP_INVALID where there is no result, or none that is true; StoreError
 */
async function takeLayer(task: LayersTask, job: LayerJob, signal: AbortSignal): Promise<FinishedLayer> {
  const { source, destination, copyLayers, settings } = task
  const { mediaType, digest, size } = job.descriptor
  const given = task.elsewhere!.get(job.key)
  if (given === undefined) throw new ImageError('STEP_INVALID', 'there is no result for it: index it, too')
  if (copyLayers && !isInPlace(source, destination)) await copyContent(source, job.descriptor, destination, { signal })
  const { state, ztoc, reason, seconds } = given
  if (ztoc === undefined)
    return { result: { mediaType, digest, size, state, reason: reason! }, hasXattrs: false, prefetch: new Map() }
  const descriptor = { mediaType: ZTOC_MEDIA_TYPE, digest: ztoc.digest, size: ztoc.size }
  const wrong = (why: string): ImageError =>
    new ImageError('STEP_INVALID', `its result names a zTOC (${ztoc.digest}) ${why}: index it again`)
  let toc: Toc
  try {
    toc = await readZtoc(destination, descriptor, job.descriptor, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof StoreError && error.code === 'NOT_FOUND') throw wrong(`that is not in ${destination.name}`)
    const isOther = error instanceof StoreError && /^(DIGEST|SIZE)_MISMATCH$/.test(error.code)
    throw isOther || error instanceof ZtocFormatError ? wrong(`that is not its own (${error.message})`) : error
  }
  const difference = otherThanWanted(toc, job, settings)
  if (difference !== undefined) throw wrong(difference)
  if (!(await hasLastSpan(source, job.descriptor, toc, signal))) throw wrong('of a layer with other bytes')
  const { result, ...rest } = withZtoc(job, descriptor, toc, settings)
  return { ...rest, result: { ...result, state, ...(seconds !== undefined && { seconds }) } }
}

async function hasLastSpan(store: Store, layer: Descriptor, toc: Toc, signal: AbortSignal): Promise<boolean> {
  if (toc.spanCount === 0) return true
  const hash = createHash('sha256')
  const span = spanRange(toc, toc.spanCount - 1)
  for await (const bytes of store.fetch(layer, { ...span, reuse: true, signal })) hash.update(bytes)
  return `sha256:${hash.digest('hex')}` === toc.spanDigests.at(-1)
}

/** What tells a zTOC from that which these settings make; undefined where nothing does. */
function otherThanWanted(toc: Toc, { compression }: LayerJob, { buildTool, spanSize }: Settings): string | undefined {
  if (toc.version !== '0.9') return `of version ${toc.version}, not 0.9`
  if (toc.buildTool !== buildTool) return `of the build tool "${toc.buildTool}", not "${buildTool}"`
  if (toc.compression !== compression) return `of a layer that is ${toc.compression}, not ${compression}`
  return toc.spanSize === spanSize ? undefined : `of span size ${toc.spanSize}, not ${spanSize}`
}

/** What becomes of a layer that has its zTOC already. */
function withZtoc({ descriptor }: LayerJob, ztoc: Descriptor, toc: Toc, settings: Settings): FinishedLayer {
  const { mediaType, digest, size } = descriptor
  return {
    result: {
      mediaType,
      digest,
      size,
      state: 'reused',
      ztoc: { digest: ztoc.digest, size: ztoc.size },
      spans: toc.spanCount,
      files: toc.files.length,
      uncompressedSize: toc.uncompressedSize,
    },
    hasXattrs: settings.xattr && hasXattrs(toc),
    prefetch: findPrefetch(toc, settings.prefetchFiles),
    ...(settings.profile !== undefined && { toc }),
  }
}

function findPrefetch(toc: Toc, paths: readonly string[]): Map<string, SpanRange> {
  const found = new Map<string, SpanRange>()
  for (const path of paths) {
    const spans = prefetchSpans(toc, path)
    if (spans !== undefined) found.set(path, spans)
  }
  return found
}

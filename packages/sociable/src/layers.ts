// The way of a layer: its bytes are read once and become a zTOC; layer and zTOC end up in the destination.
import { availableParallelism } from 'node:os'
import { copyContent, type Descriptor, type Store, StoreError } from '@sociable/oci'
import { decodeZtoc, hasXattrs, LayerIndexer, type Toc } from '@sociable/ztoc'
import { isInPlace } from './blobs.js'
import { inContext } from './error.js'
import { parallel } from './parallel.js'
import type { LayerJob } from './plan.js'
import { prefetchSpans, type SpanRange } from './prefetch.js'
import type { ProgressEvent } from './progress.js'
import type { LayerResult } from './result.js'
import type { KnownZtocs } from './reusable.js'
import { layersAtOnce, type Settings } from './settings.js'
import { ZTOC_MEDIA_TYPE } from './soci-index.js'
import { tee } from './tee.js'
import { readZtoc } from './ztoc-reading.js'

/** What became of a layer. */
export interface FinishedLayer {
  /** As it is reported; without a `ztoc` the layer is left out of the index. */
  readonly result: LayerResult
  readonly hasXattrs: boolean
  /** The spans of those of the paths to prefetch that the layer has. */
  readonly prefetch: ReadonlyMap<string, SpanRange>
}

export interface LayersTask {
  readonly jobs: readonly LayerJob[]
  readonly source: Store
  readonly destination: Store
  /** Whether the layers themselves go to the destination, too. */
  readonly copyLayers: boolean
  /** zTOCs that were made with the same settings, and are trusted. */
  readonly reusable: KnownZtocs
  /** The image's, for messages. */
  readonly name: string
  readonly settings: Settings
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
  const indexer = new LayerIndexer({ concurrency: atOnce, threads: bytes >= THREADS_FROM })
  try {
    const finished = await parallel(jobs, atOnce, signal, async (job, signal) => {
      try {
        // A layer that is more than a core's share of the work gets a second one, or it would be done last of all
        const threads = atOnce === 1 || job.descriptor.size * availableParallelism() > bytes ? 2 : 1
        const layer = (await reuseZtoc(task, job, signal)) ?? (await indexLayer(task, job, indexer, threads, signal))
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

async function indexLayer(
  task: LayersTask,
  { descriptor, compression }: LayerJob,
  indexer: LayerIndexer,
  threads: 1 | 2,
  signal: AbortSignal,
): Promise<FinishedLayer> {
  const { source, destination, copyLayers, settings, onProgress } = task
  const started = performance.now()
  const inPlace = !copyLayers || isInPlace(source, destination)
  // What lies elsewhere is read once only; what lies here is linked, or read again from the file system's cache
  const twoWays = !inPlace && source.locate === undefined && !(await isBeside(source, descriptor, destination, signal))
  let isLost = false
  // The indexing pass hashes the layer anyway, and is through with a chunk when it asks for the next
  let content = source.fetch(descriptor, { verify: false, reuse: !twoWays, signal })
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
  const { ztoc, layer, spans, files, hasXattrs, unloadable } = await indexer.index(content, {
    threads,
    spanSize: settings.spanSize,
    buildTool: settings.buildTool,
    compression,
    expected: { digest: descriptor.digest, size: descriptor.size },
    onProgress: (bytes) => onProgress({ type: 'progress', digest: descriptor.digest, bytes, size: descriptor.size }),
    signal,
  })
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
  const { prefetchFiles } = settings
  const prefetch =
    prefetchFiles.length === 0
      ? new Map<string, SpanRange>()
      : findPrefetch(decodeZtoc(Buffer.concat(ztoc.pieces)), prefetchFiles)
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
async function reuseZtoc(task: LayersTask, job: LayerJob, signal: AbortSignal): Promise<FinishedLayer | undefined> {
  const { source, destination, copyLayers, reusable, settings } = task
  const { mediaType, digest, size } = job.descriptor
  const known = reusable.get(digest)
  if (known === undefined) return undefined
  const { descriptor: ztoc, store } = known
  const toc = await readZtoc(store, ztoc, job.descriptor, signal).catch(() => undefined)
  signal.throwIfAborted()
  const sound =
    toc !== undefined &&
    toc.version === '0.9' &&
    toc.buildTool === settings.buildTool &&
    toc.compression === job.compression &&
    toc.spanSize === settings.spanSize
  if (!sound) return undefined
  if (copyLayers && !isInPlace(source, destination)) await copyContent(source, job.descriptor, destination, { signal })
  if (store !== destination) await copyContent(store, ztoc, destination, { signal })
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

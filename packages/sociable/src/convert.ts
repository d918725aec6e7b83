import type { Descriptor, Manifest } from '@sociable/oci'
import { type AssembledPlatform, assemblePlatform } from './assemble.js'
import { blobsToCopy, type CopyTask, copyBlobs, copyTree } from './blobs.js'
import { readImageTree } from './image-tree.js'
import { type FinishedLayer, indexLayers } from './layers.js'
import { type Place, withPlaces } from './location.js'
import type { ConvertOptions, ImageLocation } from './options.js'
import {
  bytesIndexed,
  platformResult,
  pushDocuments,
  pushSociIndexes,
  reasonForNone,
  tagOnce,
  warnAbsent,
  warnNotFound,
} from './outcome.js'
import { parallel } from './parallel.js'
import { imagesOf, planLayers, plannedLayers, planPlatforms } from './plan.js'
import { collectWarnings, type ProgressEvent } from './progress.js'
import { indexingFrom } from './registries.js'
import { type ConvertResult, contentResult } from './result.js'
import { assumeFinished, findZtocs, indexesIn, readPrevious } from './reusable.js'
import { type RewrittenImage, rewriteImage } from './rewrite.js'
import { resolveSettings, type Settings } from './settings.js'

/**
 * Makes a SOCI-enabled image (v2) of `source` and names it `destination`: the same layers, each platform's manifest annotated, and the SOCI
 * indexes beside them in one OCI index. Same source and options, same digests. Layers go through once; all that comes from the source is
 * verified; the destination's tag is written last, so a failed or aborted call leaves what had the tag before. In one repository of a registry
 * layers are only read, and never sent; what is there already is neither read nor sent again.
 * @param destination default: the source's tag with `-soci` appended. An archive is made anew, unless the source is in it
 * @throws ImageError, and with the image and layer named: StoreError, LayerFormatError
 * @example
 * const { digest, images } = await convert('oci:./image:app', 'oci:./image:app-soci')
 */
export async function convert(
  source: ImageLocation,
  destination?: ImageLocation,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  const settings = resolveSettings(options)
  const { signal, memory } = settings
  return await withPlaces(options, [destination, source], memory, async (places) => {
    const from = await places.open(source, 'read')
    const top = await from.store.resolve(from.reference, { signal })
    const tag = top.annotations?.get('org.opencontainers.image.ref.name')
    const to = await places.openDestination(destination, { location: source, tag: from.tag ?? tag })
    const cacheFrom = (options.cacheFrom ?? []).map((location) => () => places.open(location, 'read'))
    const task = { from, top, to, cacheFrom, settings: indexingFrom(from.store, settings) }
    const result = await convertImage(task, options.onProgress ?? (() => {}))
    await places.finish(to)
    return result
  })
}

interface ConvertTask {
  readonly from: Place
  readonly top: Descriptor
  readonly to: Place
  readonly cacheFrom: readonly (() => Promise<Place>)[]
  readonly settings: Settings
}

async function convertImage(
  { from, top, to, cacheFrom, settings }: ConvertTask,
  onProgress: (event: ProgressEvent) => void,
): Promise<ConvertResult> {
  const started = performance.now()
  const { signal } = settings
  const { warnings, warn } = collectWarnings(onProgress)
  const tree = await readImageTree(from.store, top, from.name, signal)
  warnAbsent(tree, warn)
  const plans = planPlatforms(tree, settings.platforms, settings.minLayerSize)
  const jobs = planLayers(plans)
  const blobs = blobsToCopy(tree, new Set(jobs.map(({ descriptor }) => descriptor.digest)))
  onProgress({
    type: 'plan',
    layers: plannedLayers(jobs),
    blobs: blobs.length,
    blobBytes: blobs.reduce((sum, { size }) => sum + size, 0),
  })
  const assemble = (finished: ReadonlyMap<string, FinishedLayer>): AssembledPlatform[] =>
    plans.map((plan) => assemblePlatform(plan, finished, settings, 'v2'))
  if (jobs.length === 0) reasonForNone(settings, from.name, assemble(new Map())) // before anything is copied in vain
  const rewrite = (assembled: readonly AssembledPlatform[]): RewrittenImage =>
    rewriteImage(
      tree,
      assembled.flatMap(({ plan, index }) => (index === undefined ? [] : [{ ...plan, index }])),
    )
  const result = (assembled: readonly AssembledPlatform[], image: RewrittenImage, read: number): ConvertResult => {
    const reason = reasonForNone(settings, from.name, assembled)
    return {
      ...contentResult(image.index.descriptor),
      source: from.name,
      destination: to.name,
      indexed: reason === undefined,
      ...(reason !== undefined && { reason }),
      images: assembled.map((platform) =>
        platformResult(platform, image.renamed.get(platform.plan.entry.descriptor.digest)!),
      ),
      warnings,
      bytesIndexed: read,
      seconds: (performance.now() - started) / 1000,
    }
  }

  const previous = settings.force ? undefined : await readPrevious(to, signal)
  const known: readonly Manifest[] = previous === undefined ? [] : indexesIn(previous)
  const reusable = await findZtocs({
    settings,
    jobs,
    destination: to,
    previous: known,
    image: { place: from, entries: imagesOf(tree) },
    cacheFrom,
    onWarning: warn,
  })
  // Elsewhere it costs the most to look again: where the result would be what is there, nothing more is read
  const assumed = to.store.locate === undefined ? assumeFinished(jobs, reusable, settings) : undefined
  if (previous !== undefined && assumed !== undefined) {
    const assembled = assemble(assumed)
    const image = rewrite(assembled)
    if (image.index.descriptor.digest === previous.top.digest) {
      for (const layer of assumed.values()) onProgress({ type: 'layer', layer: layer.result })
      for (const { digest, size } of blobs) onProgress({ type: 'blob', digest, size, present: true })
      return result(assembled, image, 0)
    }
  }

  const copying: CopyTask = {
    source: from.store,
    destination: to.store,
    name: from.name,
    onBlob: ({ digest, size }, present) => onProgress({ type: 'blob', digest, size, present }),
    onWarning: warn,
  }
  const layersTask = {
    jobs,
    source: from.store,
    destination: to.store,
    copyLayers: true,
    reusable,
    name: from.name,
    settings,
    onProgress,
  }
  const copyRest = async (signal: AbortSignal): Promise<void> => {
    await copyBlobs(copying, blobs, signal)
    for (const { kind, descriptor } of tree.entries) if (kind === 'other') await copyTree(copying, descriptor, signal)
  }
  const [finished] = await parallel(
    [(signal: AbortSignal) => indexLayers(layersTask, signal), copyRest],
    2,
    signal,
    async (work, signal) => (await work(signal)) ?? new Map<string, FinishedLayer>(),
  )

  const assembled = assemble(finished!)
  reasonForNone(settings, from.name, assembled)
  warnNotFound(assembled, warn)
  const image = rewrite(assembled)
  await pushSociIndexes(to.store, assembled, signal)
  await pushDocuments(to.store, image.manifests, signal)
  await to.store.push(image.index.descriptor, image.index.bytes, { signal })
  await tagOnce(to.store, image.index.descriptor, to.reference, signal)
  return result(assembled, image, bytesIndexed(finished!.values()))
}

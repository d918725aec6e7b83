import type { Descriptor } from '@sociable/oci'
import { type AssembledPlatform, assemblePlatform } from './assemble.js'
import { blobsToCopy, type CopyTask, copyBlobs, copyTree } from './blobs.js'
import { readImageTree } from './image-tree.js'
import { type FinishedLayer, indexLayers } from './layers.js'
import { openDestination, openPlace, type Place } from './location.js'
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
import { planLayers, planPlatforms } from './plan.js'
import type { ProgressEvent } from './progress.js'
import { type ConvertResult, contentResult } from './result.js'
import { reusableFromImage } from './reusable.js'
import { rewriteImage } from './rewrite.js'
import { resolveSettings, type Settings } from './settings.js'

/**
 * Makes a SOCI-enabled image (v2) of `source` and names it `destination`: the same layers, each platform's manifest annotated, and the SOCI
 * indexes beside them in one OCI index. Same source and options, same digests. Layers go through once; all that comes from the source is
 * verified; the destination's tag is written last, so a failed or aborted call leaves what had the tag before.
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
  const { signal } = settings
  const from = await openPlace(source, 'read', signal)
  try {
    const top = await from.store.resolve(from.reference, { signal })
    const tag = top.annotations?.get('org.opencontainers.image.ref.name')
    const to = await openDestination(destination, { location: source, tag: from.tag ?? tag }, signal)
    try {
      return await convertImage(from, top, to, settings, options.onProgress ?? (() => {}))
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

async function convertImage(
  from: Place,
  top: Descriptor,
  to: Place,
  settings: Settings,
  onProgress: (event: ProgressEvent) => void,
): Promise<ConvertResult> {
  const started = performance.now()
  const { signal } = settings
  const warnings: string[] = []
  const warn = (message: string): void => {
    warnings.push(message)
    onProgress({ type: 'warning', message })
  }
  const tree = await readImageTree(from.store, top, from.name, signal)
  warnAbsent(tree, warn)
  const plans = planPlatforms(tree, settings.platforms, settings.minLayerSize)
  const jobs = planLayers(plans)
  const blobs = blobsToCopy(tree, new Set(jobs.map(({ descriptor }) => descriptor.digest)))
  onProgress({
    type: 'plan',
    layers: jobs.map(({ descriptor: { digest, size }, platforms }) => ({ digest, size, platforms })),
    blobs: blobs.length,
    blobBytes: blobs.reduce((sum, { size }) => sum + size, 0),
  })
  const assemble = (finished: ReadonlyMap<string, FinishedLayer>): AssembledPlatform[] =>
    plans.map((plan) => assemblePlatform(plan, finished, settings, 'v2'))
  if (jobs.length === 0) reasonForNone(settings, from.name, assemble(new Map())) // before anything is copied in vain

  const copying: CopyTask = {
    source: from.store,
    destination: to.store,
    name: from.name,
    onBlob: ({ digest, size }, present) => onProgress({ type: 'blob', digest, size, present }),
    onWarning: warn,
  }
  const reusable = await reusableFromImage(to.store, to.reference, settings)
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
  const reason = reasonForNone(settings, from.name, assembled)
  warnNotFound(assembled, warn)
  const image = rewriteImage(
    tree,
    assembled.flatMap(({ plan, index }) => (index === undefined ? [] : [{ ...plan, index }])),
  )
  await pushSociIndexes(to.store, assembled, signal)
  await pushDocuments(to.store, image.manifests, signal)
  await to.store.push(image.index.descriptor, image.index.bytes, { signal })
  await tagOnce(to.store, image.index.descriptor, to.reference, signal)

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
    bytesIndexed: bytesIndexed(finished!.values()),
    seconds: (performance.now() - started) / 1000,
  }
}

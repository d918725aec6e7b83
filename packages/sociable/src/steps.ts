// A conversion in three steps that can run on different machines, each with no more than JSON of the one before.
import { type Descriptor, isDigest, parseReference } from '@sociable/oci'
import { convertImage, withConversion } from './convert.js'
import { ImageError } from './error.js'
import { layerCompression } from './image/layer-type.js'
import { findFormer, readConversion, readFormer } from './indexing/conversion.js'
import { indexLayers, reuseZtoc } from './indexing/layers.js'
import { type LayerJob, layerKey } from './indexing/plan.js'
import { indexingFrom, layersAtOnce, resolveSettings } from './indexing/settings.js'
import type { ConvertOptions, ImageLocation } from './options.js'
import { parallel } from './parallel.js'
import { withPlaces } from './places/location.js'
import { collectWarnings } from './progress.js'
import { type ContentResult, type ConvertResult, contentResult, type LayerResult } from './result.js'

/** What is left to do of a conversion. Plain data: some 300 bytes for each layer. */
export interface ConversionPlan {
  /** Of the image that was read: the other steps use this one, even if the tag has moved by then. */
  readonly digest: string
  /** Layers to index, each once, the biggest first. */
  readonly layers: readonly ConversionLayer[]
  /** Layers whose zTOCs are in the destination already. */
  readonly reused: readonly LayerResult[]
}

/** A layer that is to be indexed. */
export interface ConversionLayer extends ContentResult {
  /** Names of the platforms that have it. */
  readonly platforms: readonly string[]
}

/** As many as `convert` reads of one image. */
const MAX_LAYERS = 10_000
const MAX_TEXT = 10_000

/**
 * The first step: finds the layers that need an index. zTOCs that are available without reading a layer are in the destination afterwards.
 * @param destination in a registry, as the steps share nothing else
 * @throws as `convert`; ImageError DESTINATION_INVALID where the destination is in no registry
 */
export async function planConversion(
  source: ImageLocation,
  destination: ImageLocation,
  options: ConvertOptions = {},
): Promise<ConversionPlan> {
  checkShared(destination, options)
  const { onProgress = () => {} } = options
  return await withConversion(source, destination, options, async (task) => {
    const { from, top, to, settings } = task
    const { warn } = collectWarnings(onProgress)
    const conversion = await readConversion(task, onProgress, warn)
    const { reusable, unchanged } = await findFormer(task, conversion, warn, await readFormer(task))
    if (unchanged !== undefined)
      return { digest: top.digest, layers: [], reused: [...unchanged.layers.values()].map(({ result }) => result) }
    const reuse = { source: from.store, destination: to.store, copyLayers: false, reusable, name: from.name, settings }
    const { jobs } = conversion
    const found = await parallel(jobs, layersAtOnce(jobs, settings), settings.signal, (job, signal) =>
      reuseZtoc(reuse, job, signal),
    )
    const missing = jobs.filter((_, i) => found[i] === undefined)
    return {
      digest: top.digest,
      layers: missing.map(({ descriptor, platforms }) => ({ ...contentResult(descriptor), platforms })),
      reused: found.flatMap((layer) => layer?.result ?? []),
    }
  })
}

/**
 * The second step, for each layer of the plan, in any order, any number of times: its zTOC goes to the destination, and the layer where it is not
 * there. The same layer and options give the same zTOC.
 * @throws ImageError STEP_INVALID for what is not a layer; with image and layer named LayerFormatError, StoreError
 */
export async function indexPlannedLayer(
  source: ImageLocation,
  destination: ImageLocation,
  layer: ConversionLayer,
  options: ConvertOptions = {},
): Promise<LayerResult> {
  checkShared(destination, options)
  const job = layerJob(layer, 'the layer to index')
  const settings = resolveSettings(options)
  const { signal, memory } = settings
  return await withPlaces(options, [destination, source], memory, async (places) => {
    const from = await places.open(source, 'read') // and its manifests not: tags may change meanwhile
    const to = await places.openDestination(destination, { location: source, tag: from.tag })
    const task = {
      jobs: [job],
      source: from.store,
      destination: to.store,
      copyLayers: true,
      reusable: new Map(),
      name: from.name,
      settings: { ...indexingFrom(from.store, settings), capture: undefined }, // the last step makes the start layer
      onProgress: options.onProgress ?? (() => {}),
    }
    const finished = await indexLayers(task, signal)
    return finished.get(job.key)!.result
  })
}

/**
 * The last step: makes the image that `convert` makes, byte for byte. No result is believed: each zTOC is read again from the destination, must be what
 * these options make, and its last span must be the layer's. A result that skips its layer is taken at its word, like all else that only
 * decoding the layer would prove: whoever runs the second step must be as trusted as whoever runs this one.
 * @param layers the results of the second step, in any order
 * @throws as `convert`; ImageError STEP_INVALID where a result is missing, contradicts another, or is not true
 */
export async function assembleConversion(
  source: ImageLocation,
  destination: ImageLocation,
  plan: ConversionPlan,
  layers: readonly LayerResult[],
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  checkShared(destination, options)
  if (!isDigest(plan?.digest)) throw invalid(`the plan has no valid image digest, but ${print(plan?.digest)}`)
  const results = resultsByKey(plan.reused, 'the plan', resultsByKey(layers, 'the layers', new Map()))
  const work = async (task: Parameters<typeof convertImage>[0]): Promise<ConvertResult> =>
    await convertImage(task, options.onProgress ?? (() => {}), results)
  return await withConversion(source, destination, options, work, plan.digest)
}

/** @throws ImageError DESTINATION_INVALID for a place that other machines do not see */
function checkShared(destination: ImageLocation, { recompress }: ConvertOptions): void {
  if (recompress !== undefined) throw new TypeError('recompress is not possible in the steps of a conversion')
  if (typeof destination === 'string' && parseReference(destination).transport !== 'registry')
    throw new ImageError(
      'DESTINATION_INVALID',
      `${destination} is in no registry: steps on several machines need a destination that all of them see`,
    )
}

function resultsByKey(
  list: readonly LayerResult[],
  name: string,
  results: Map<string, LayerResult>,
): Map<string, LayerResult> {
  if (!Array.isArray(list) || list.length > MAX_LAYERS) throw invalid(`${name} must list at most ${MAX_LAYERS} results`)
  list.forEach((value: LayerResult, i) => {
    const what = `result ${i + 1} of ${name}`
    const { key, descriptor } = layerJob({ ...value, platforms: [] }, what)
    const result = layerResult(value, contentResult(descriptor), what)
    const other = results.get(key)
    if (other !== undefined && other.ztoc?.digest !== result.ztoc?.digest)
      throw invalid(`${what} is of ${descriptor.digest}, of which there is another that differs`)
    results.set(key, result)
  })
  return results
}

/** What is believed of a result, checked: all else its zTOC tells. */
function layerResult({ state, ztoc, reason, seconds }: LayerResult, layer: ContentResult, what: string): LayerResult {
  if (state === 'skipped') {
    if (typeof reason !== 'string' || reason === '' || reason.length > MAX_TEXT)
      throw invalid(`${what} (${layer.digest}) skips its layer and does not say why`)
    return { ...layer, state, reason }
  }
  if (state !== 'indexed' && state !== 'reused') throw invalid(`${what} is in the state ${print(state)}`)
  if (!isContent(ztoc)) throw invalid(`${what} (${layer.digest}) names no zTOC but ${print(ztoc)}`)
  const isTime = typeof seconds === 'number' && Number.isFinite(seconds)
  return { ...layer, state, ztoc: { digest: ztoc.digest, size: ztoc.size }, ...(isTime && { seconds }) }
}

function layerJob(layer: ConversionLayer, what: string): LayerJob {
  if (!isContent(layer) || typeof layer.mediaType !== 'string') throw invalid(`${what} is not a layer: ${print(layer)}`)
  const { mediaType, digest, size, platforms } = layer
  const descriptor: Descriptor = { mediaType, digest, size }
  let compression: LayerJob['compression']
  try {
    compression = layerCompression(mediaType)
  } catch (error) {
    throw new ImageError('STEP_INVALID', `${what} (${digest}): ${(error as Error).message}`, { cause: error })
  }
  return {
    key: layerKey(descriptor, compression),
    descriptor,
    compression,
    platforms: Array.isArray(platforms) ? platforms.map(String) : [],
  }
}

function isContent(value: unknown): value is { readonly digest: string; readonly size: number } {
  const { digest, size } = (value ?? {}) as { digest?: unknown; size?: unknown }
  return typeof digest === 'string' && isDigest(digest) && Number.isSafeInteger(size) && (size as number) >= 0
}

function invalid(message: string): ImageError {
  return new ImageError('STEP_INVALID', message)
}

/** As much of a value as a message can do with. */
function print(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 200)
}

import type { Descriptor, Store } from '@sociable/oci'
import { ImageError } from './error.js'
import type { ImageTree } from './image/image-tree.js'
import type { RewrittenImage } from './image/rewrite.js'
import { alreadyEnabled } from './indexing/already-enabled.js'
import type { AssembledPlatform } from './indexing/assemble.js'
import { type CopyTask, copyBlobs, copyTree } from './indexing/blobs.js'
import {
  type ChangeLayers,
  type ConvertTask,
  findFormer,
  readConversion,
  readFormer,
  rewriteAssembled,
} from './indexing/conversion.js'
import type { FinishedLayer } from './indexing/finished-layer.js'
import { indexLayers } from './indexing/layers.js'
import {
  bytesIndexed,
  platformResult,
  pushDocuments,
  pushSociIndexes,
  reasonForNone,
  tagOnce,
  warnNotFound,
} from './indexing/outcome.js'
import type { LayerJob } from './indexing/plan.js'
import type { KnownZtoc, KnownZtocs } from './indexing/reusable.js'
import { indexingFrom, resolveSettings } from './indexing/settings.js'
import { TemporaryFiles } from './indexing/temporary-files.js'
import type { ConvertOptions, ImageLocation } from './options.js'
import { parallel } from './parallel.js'
import { type CallPlaces, type Place, withPlaces } from './places/location.js'
import { collectWarnings, type ProgressEvent } from './progress.js'
import { isRegistry, isUncompressed, recompressLayers } from './recompress/recompress-layers.js'
import { type ConvertResult, contentResult, type LayerResult } from './result.js'
import { formatSize } from './size.js'
import { ZTOC_MEDIA_TYPE } from './soci/soci-index.js'
import { assembleProfiled, pushConfigs, pushStartLayers } from './start-layer/assemble-profiled.js'

/**
 * Makes a SOCI-enabled image (v2) of `source` and names it `destination`: the same layers, each platform's manifest annotated, and the SOCI
 * indexes beside them in one OCI index. Same source and options, same digests. Layers go through once; all that comes from the source is
 * verified; the destination's tag is written last, so a failed or aborted call leaves what had the tag before. In one repository of a registry
 * layers are only read, and never sent; what is there already is neither read nor sent again.
 * A source that is SOCI-enabled (v2) already is left as it is if no destination is named: the result names it, with `alreadyEnabled`. `force`, `profile` and
 * `recompress` convert it again.
 * @param destination default: the source's tag with `-soci` appended. An archive is replaced, unless the source is in it
 * @throws ImageError, and with the image and layer named: StoreError, LayerFormatError
 * @example
 * const { digest, images } = await convert('oci:./image:app', 'oci:./image:app-soci')
 */
export async function convert(
  source: ImageLocation,
  destination?: ImageLocation,
  options: ConvertOptions = {},
): Promise<ConvertResult> {
  return await withConversion(source, destination, options, async (task, places) => {
    const again = destination !== undefined || options.force || options.profile !== undefined || options.recompress
    const result = await convertImage({ ...task, keepEnabled: !again }, options.onProgress ?? (() => {}))
    await places.finish(task.to)
    return result
  })
}

/** Runs a call's work with the places of a conversion open. @param digest uses this image, even if the source's tag has moved */
export async function withConversion<Result>(
  source: ImageLocation,
  destination: ImageLocation | undefined,
  options: ConvertOptions,
  work: (task: ConvertTask, places: CallPlaces) => Promise<Result>,
  digest?: string,
): Promise<Result> {
  const settings = resolveSettings(options)
  const { signal, memory } = settings
  return await withPlaces(options, [destination, source], memory, async (places) => {
    const from = await places.open(source, 'read')
    const top = await resolveTop(from, digest, signal)
    const tag = top.annotations?.get('org.opencontainers.image.ref.name')
    const to = await places.openDestination(destination, { location: source, tag: from.tag ?? tag })
    const cacheFrom = (options.cacheFrom ?? []).map((location) => () => places.open(location, 'read'))
    return await work({ from, top, to, cacheFrom, settings: indexingFrom(from.store, settings) }, places)
  })
}

async function resolveTop(
  { store, reference }: Place,
  digest: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  if (digest === undefined) return await store.resolve(reference, { signal })
  // A layout knows more of an image by its name than by its digest
  const named = await store.resolve(reference, { signal, suggest: false }).catch(() => undefined)
  signal?.throwIfAborted()
  return named?.digest === digest ? named : await store.resolve(digest, { signal })
}

/** @param elsewhere what other machines made of the layers, by layer key */
export async function convertImage(
  task: ConvertTask,
  onProgress: (event: ProgressEvent) => void,
  elsewhere?: ReadonlyMap<string, LayerResult>,
): Promise<ConvertResult> {
  const temporary = new TemporaryFiles()
  try {
    return await convertWith(temporary, task, onProgress, elsewhere)
  } finally {
    await temporary.close()
  }
}

async function convertWith(
  temporary: TemporaryFiles,
  task: ConvertTask,
  onProgress: (event: ProgressEvent) => void,
  elsewhere: ReadonlyMap<string, LayerResult> | undefined,
): Promise<ConvertResult> {
  const started = performance.now()
  const { from, to, settings } = task
  const { signal } = settings
  const { warnings, warn } = collectWarnings(onProgress)
  let reading: Promise<ImageTree | undefined> | undefined
  const former = (): Promise<ImageTree | undefined> => {
    reading ??= readFormer(task)
    return reading
  }
  const change: ChangeLayers | undefined = settings.recompress
    ? async (tree) => {
        const { minLayerSize, layerLimit } = settings
        return await recompressLayers(
          { from, to, temporary, minLayerSize, layerLimit, onProgress, signal },
          tree,
          await former(),
        )
      }
    : undefined
  const conversion = await readConversion(task, onProgress, warn, change)
  const { tree, plans, jobs, blobs, recompressed } = conversion
  const enabled = task.keepEnabled ? await alreadyEnabled(from.store, tree, plans, signal) : undefined
  if (enabled !== undefined)
    return {
      ...contentResult(task.top),
      source: from.name,
      destination: from.name,
      indexed: true,
      alreadyEnabled: true,
      images: enabled,
      warnings,
      bytesIndexed: 0,
      seconds: (performance.now() - started) / 1000,
    }
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

  if (elsewhere !== undefined) checkAllPlanned(elsewhere, jobs, from.name)
  const given = elsewhere && ztocsOf(elsewhere, to.store)
  const { reusable, unchanged } = await findFormer(task, conversion, warn, await former(), given)
  if (unchanged !== undefined) {
    const { layers, assembled, image } = unchanged
    for (const layer of layers.values()) onProgress({ type: 'layer', layer: layer.result })
    for (const { digest, size } of blobs) onProgress({ type: 'blob', digest, size, present: true })
    return result(assembled, image, 0)
  }

  if (change === undefined) warnUncompressed(from, to, tree, warn)
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
    elsewhere,
    name: from.name,
    settings,
    recompressed,
    temporary,
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

  const assembled = await assembleProfiled(task, conversion, finished!, temporary, warn)
  reasonForNone(settings, from.name, assembled)
  warnNotFound(assembled, warn)
  const image = rewriteAssembled(conversion, assembled)
  await pushStartLayers(to.store, assembled, signal)
  await pushConfigs(to.store, conversion, assembled, signal)
  await pushSociIndexes(to.store, assembled, signal)
  await pushDocuments(to.store, image.manifests, signal)
  await to.store.push(image.index.descriptor, image.index.bytes, { signal })
  await settings.beforeTag?.()
  await tagOnce(to.store, image.index.descriptor, to.reference, signal)
  return result(assembled, image, bytesIndexed(finished!.values()))
}

/** Registries are sent layers as they are: those of `docker save` as tars, some three times as large. */
function warnUncompressed(from: Place, to: Place, { entries }: ImageTree, warn: (message: string) => void): void {
  if (!isRegistry(to.store) || isRegistry(from.store)) return
  const layers = entries.flatMap(({ kind, manifest }) => (kind === 'image' ? (manifest!.layers ?? []) : []))
  const sizes = new Map(layers.filter(isUncompressed).map(({ digest, size }) => [digest, size]))
  if (sizes.size === 0) return
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  warn(
    `${sizes.size} ${sizes.size === 1 ? 'layer' : 'layers'} of ${formatSize(total)} in all are sent uncompressed: \`--recompress gzip\` makes them smaller`,
  )
}

function checkAllPlanned(results: ReadonlyMap<string, LayerResult>, jobs: readonly LayerJob[], name: string): void {
  const keys = new Set(jobs.map(({ key }) => key))
  for (const [key, { digest }] of results)
    if (!keys.has(key))
      throw new ImageError(
        'STEP_INVALID',
        `there is a result of ${digest}, which is not a layer to index of ${name} with these options: all steps need the same`,
      )
}

/** The zTOCs that these results name. */
function ztocsOf(results: ReadonlyMap<string, LayerResult>, store: Store): KnownZtocs {
  const ztocs = new Map<string, KnownZtoc>()
  for (const [key, { ztoc }] of results)
    if (ztoc !== undefined) ztocs.set(key, { descriptor: { mediaType: ZTOC_MEDIA_TYPE, ...ztoc }, store })
  return ztocs
}

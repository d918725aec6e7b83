import type { Descriptor } from '@sociable/oci'
import { type AssembledPlatform, assemblePlatform } from './assemble.js'
import { readImageTree } from './image-tree.js'
import { type FinishedLayer, indexLayers } from './layers.js'
import { type Place, withPlaces } from './location.js'
import type { CreateOptions, ImageLocation } from './options.js'
import {
  bytesIndexed,
  platformResult,
  pushSociIndexes,
  reasonForNone,
  tagOnce,
  warnAbsent,
  warnNotFound,
} from './outcome.js'
import { planLayers, plannedLayers, planPlatforms } from './plan.js'
import { collectWarnings } from './progress.js'
import { indexingFrom } from './registries.js'
import type { CreateResult } from './result.js'
import { assumeFinished, attachedIndexes, findZtocs } from './reusable.js'
import { resolveSettings, type Settings } from './settings.js'

/**
 * Builds a SOCI index (v1) for each platform and puts it beside the image, attached by its `subject`; the image itself stays as it is.
 * @throws ImageError, and with the image and layer named: StoreError, LayerFormatError
 * @example
 * const { images } = await createIndex('oci:./image:app', { platforms: ['linux/amd64'] })
 */
export async function createIndex(image: ImageLocation, options: CreateOptions = {}): Promise<CreateResult> {
  const settings = resolveSettings(options)
  return await withPlaces(options, [image], settings.memory, async (places) => {
    const place = await places.open(image, 'update')
    const cacheFrom = (options.cacheFrom ?? []).map((location) => () => places.open(location, 'read'))
    return await createIndexes(place, cacheFrom, indexingFrom(place.store, settings), options)
  })
}

async function createIndexes(
  place: Place,
  cacheFrom: readonly (() => Promise<Place>)[],
  settings: Settings,
  options: CreateOptions,
): Promise<CreateResult> {
  const started = performance.now()
  const { store, name } = place
  const { signal } = settings
  const { indexTag, onProgress = () => {} } = options
  const { warnings, warn } = collectWarnings(onProgress)
  const tree = await readImageTree(store, await store.resolve(place.reference, { signal }), name, signal)
  warnAbsent(tree, warn)
  const plans = planPlatforms(tree, settings.platforms, settings.minLayerSize)
  const jobs = planLayers(plans)
  onProgress({ type: 'plan', layers: plannedLayers(jobs), blobs: 0, blobBytes: 0 })
  const entries = plans.map(({ entry }) => entry)
  const attached = settings.force ? [] : await attachedIndexes(store, entries, signal)
  const reusable = await findZtocs({
    settings,
    jobs,
    destination: place,
    previous: attached.map(({ manifest }) => manifest),
    image: { place, entries: [] },
    cacheFrom,
    onWarning: warn,
  })
  const assemble = (finished: ReadonlyMap<string, FinishedLayer>): AssembledPlatform[] =>
    plans.map((plan) => assemblePlatform(plan, finished, settings, 'v1'))
  const present = new Set(attached.map(({ descriptor }) => descriptor.digest))
  const isThere = ({ index }: AssembledPlatform): boolean => index === undefined || present.has(index.descriptor.digest)
  // Elsewhere it costs the most to look again: where the indexes would be those that are there, nothing more is read
  const assumed = store.locate === undefined ? assumeFinished(jobs, reusable, settings) : undefined
  const unchanged = assumed !== undefined && assemble(assumed).every(isThere)
  if (unchanged) for (const layer of assumed.values()) onProgress({ type: 'layer', layer: layer.result })
  const finished = unchanged
    ? assumed
    : await indexLayers(
        { jobs, source: store, destination: store, copyLayers: false, reusable, name, settings, onProgress },
        signal,
      )
  const assembled = assemble(finished)
  const reason = reasonForNone(settings, name, assembled)
  warnNotFound(assembled, warn)
  if (!unchanged) await pushSociIndexes(store, assembled, signal)
  const tags: Record<string, string> = {}
  const indexed = assembled.filter(hasIndex)
  for (const { plan, index } of indexed) {
    if (!unchanged) await store.attach(index.descriptor, { signal })
    if (indexTag === undefined) continue
    const tag = indexed.length === 1 ? indexTag : `${indexTag}-${plan.name.replaceAll('/', '-')}`
    await tagOnce(store, index.descriptor, tag, signal)
    tags[plan.name] = tag
  }
  return {
    image: name,
    indexed: reason === undefined,
    ...(reason !== undefined && { reason }),
    images: assembled.map((platform) => platformResult(platform, platform.plan.entry.manifestDescriptor!)),
    tags,
    warnings,
    bytesIndexed: bytesIndexed(finished.values()),
    seconds: (performance.now() - started) / 1000,
  }
}

function hasIndex(
  platform: AssembledPlatform,
): platform is AssembledPlatform & { readonly index: { readonly descriptor: Descriptor } } {
  return platform.index !== undefined
}

import { type Descriptor, decodeManifest, isManifestType, type Manifest, readContent, type Store } from '@sociable/oci'
import { readImageTree } from './image/image-tree.js'
import { type AssembledPlatform, assemblePlatform } from './indexing/assemble.js'
import type { FinishedLayer } from './indexing/finished-layer.js'
import { mayBeIndex, refusedLayers } from './indexing/former-result.js'
import { indexLayers } from './indexing/layers.js'
import {
  bytesIndexed,
  platformResult,
  pushSociIndexes,
  reasonForNone,
  refuseImmutableTag,
  tagOnce,
  warnAbsent,
  warnNotFound,
} from './indexing/outcome.js'
import { type PlatformPlan, planLayers, plannedLayers, planPlatforms } from './indexing/plan.js'
import { type AttachedIndex, assumeFinished, attachedIndexes, findZtocs } from './indexing/reusable.js'
import { indexingFrom, resolveSettings, type Settings } from './indexing/settings.js'
import type { CreateOptions, ImageLocation } from './options.js'
import { type Place, withPlaces } from './places/location.js'
import { collectWarnings } from './progress.js'
import type { CreateResult } from './result.js'

/**
 * Builds a SOCI index (v1) for each platform and puts it beside the image, attached by its `subject`; the image itself stays as it is.
 * @throws ImageError, and with the image and layer named: StoreError, LayerFormatError
 * @example
 * const { images } = await createIndex('oci:./image:app', { platforms: ['linux/amd64'] })
 */
export async function createIndex(image: ImageLocation, options: CreateOptions = {}): Promise<CreateResult> {
  // Nothing is put on an image that stays as it is
  const settings = resolveSettings({ ...options, startLayer: 'none' })
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
  const tagOf = ({ name }: PlatformPlan, several: boolean): string | undefined =>
    indexTag === undefined || !several ? indexTag : `${indexTag}-${name.replaceAll('/', '-')}`
  await refuseImmutableTags(store, plans, tagOf, settings)
  const entries = plans.map(({ entry }) => entry)
  const attached = settings.force ? [] : await attachedIndexes(store, entries, signal)
  const reusable = await findZtocs({
    settings,
    jobs,
    destination: place,
    previous: attached.map(({ manifest }) => manifest),
    refused: refusedLayers(indexesOf(attached, plans, settings), plans, settings),
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
    const tag = tagOf(plan, indexed.length > 1)
    if (tag === undefined) continue
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

/** Of each platform that has one the attached index that may be what this run makes; by the digest of its entry. */
function indexesOf(
  attached: readonly AttachedIndex[],
  plans: readonly PlatformPlan[],
  settings: Settings,
): Map<string, Manifest> {
  const indexes = new Map<string, Manifest>()
  for (const plan of plans) {
    const { descriptor, manifestDescriptor } = plan.entry
    const own = attached.find(
      ({ manifest }) => manifest.subject?.digest === manifestDescriptor!.digest && mayBeIndex(manifest, plan, settings),
    )
    if (own !== undefined) indexes.set(descriptor.digest, own.manifest)
  }
  return indexes
}

/** Each index that is going to be tagged: its tag must be free, or have what may be the same index. */
async function refuseImmutableTags(
  store: Store,
  plans: readonly PlatformPlan[],
  tagOf: (plan: PlatformPlan, several: boolean) => string | undefined,
  settings: Settings,
): Promise<void> {
  const { signal } = settings
  const indexable = plans.filter(({ layers }) => layers.some(({ index }) => index !== undefined))
  for (const plan of indexable) {
    const mayBe = async (present: Descriptor): Promise<boolean> => {
      const manifest = isManifestType(present.mediaType)
        ? decodeManifest(await readContent(store, present, { signal }), present.digest)
        : undefined
      const isOfImage = manifest?.subject?.digest === plan.entry.manifestDescriptor!.digest
      return manifest !== undefined && isOfImage && mayBeIndex(manifest, plan, settings)
    }
    await refuseImmutableTag(store, tagOf(plan, indexable.length > 1), mayBe, signal)
  }
}

function hasIndex(
  platform: AssembledPlatform,
): platform is AssembledPlatform & { readonly index: { readonly descriptor: Descriptor } } {
  return platform.index !== undefined
}

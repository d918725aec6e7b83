import type { Descriptor } from '@sociable/oci'
import { ImageError } from './error.js'
import { type ImageTree, readImageTree, type TreeEntry } from './image/image-tree.js'
import { formatPlatform } from './image/platform.js'
import { withoutStartLayers } from './image/start-layer-mark.js'
import { assemblePlatform } from './indexing/assemble.js'
import { reasonForNone } from './indexing/outcome.js'
import { imagesOf, type PlatformPlan, planPlatforms } from './indexing/plan.js'
import { resolveSettings, type Settings } from './indexing/settings.js'
import { type InspectedPlatform, inspect } from './inspect.js'
import type { ConvertOptions, ImageLocation, IndexOptions } from './options.js'
import { type Place, withPlaces } from './places/location.js'
import { type ContentResult, contentResult } from './result.js'

export interface CheckConvertedResult extends ContentResult {
  /** Whether it is what was asked for: no `problems`. */
  readonly matches: boolean
  /** Whether it has a SOCI index; where it matches without one, `reason` says why there need be none. */
  readonly indexed: boolean
  readonly reason?: string
  /** What differs, in words. */
  readonly problems: readonly string[]
}

/**
 * Whether `converted` is a SOCI-enabled image (v2) of `source`, made by any tool and with any bytes: the same images of the same platforms, and for
 * each that is asked for a SOCI index whose links hold, with a sound zTOC of every layer that is to be indexed. Options that are given must be those
 * that it was made with, a profile too; paths to prefetch do not show in an image, so with them the answer is no. Reads manifests, indexes and zTOCs, no layer:
 * that a zTOC is true to its layer only decoding it would prove.
 * @throws ImageError where `source` is not an image, or lacks a platform; NOTHING_TO_INDEX as `convert`; StoreError
 * @example
 * const { matches, problems } = await checkConverted('registry.example/app:1', 'registry.example/app:1-soci')
 */
export async function checkConverted(
  source: ImageLocation,
  converted: ImageLocation,
  options: ConvertOptions = {},
): Promise<CheckConvertedResult> {
  const settings = resolveSettings(options)
  const { signal, platforms, minLayerSize, memory } = settings
  return await withPlaces(options, [converted, source], memory, async (places) => {
    const readTop = async ({ store, name }: Place, top: Descriptor): Promise<ImageTree> =>
      (await withoutStartLayers(store, await readImageTree(store, top, name, signal), signal)).tree
    const read = async (place: Place): Promise<ImageTree> =>
      await readTop(place, await place.store.resolve(place.reference, { signal }))
    const from = await read(await places.open(source, 'read'))
    const to = await places.open(converted, 'read')
    const plans = planPlatforms(from, platforms, minLayerSize)
    const found = await to.store.resolve(to.reference, { signal })
    try {
      const tree = await readTop(to, found)
      const inspected = await inspect({ store: to.store, reference: to.reference }, { signal })
      return { ...contentResult(found), ...compare(from, plans, tree, inspected.images, options, settings) }
    } catch (error) {
      if (!(error instanceof ImageError) || error.code === 'NOTHING_TO_INDEX') throw error
      return { ...contentResult(found), matches: false, indexed: false, problems: [error.message] }
    }
  })
}

type Comparison = Omit<CheckConvertedResult, keyof ContentResult>

function compare(
  from: ImageTree,
  plans: readonly PlatformPlan[],
  to: ImageTree,
  inspected: readonly InspectedPlatform[],
  options: ConvertOptions,
  settings: Settings,
): Comparison {
  const problems: string[] = []
  const sources = imagesOf(from)
  for (const image of sources)
    if (!imagesOf(to).some((other) => isSameImage(image, other)))
      problems.push(`${to.name} does not have the ${formatPlatform(image.platform!)} image of ${from.name}`)
  for (const image of imagesOf(to))
    if (!sources.some((other) => isSameImage(image, other)))
      problems.push(`${to.name} has a ${formatPlatform(image.platform!)} image that is not of ${from.name}`)
  if ((options.prefetchFiles?.length ?? 0) > 0) problems.push('whether it has these paths to prefetch does not show')
  let indexed = false
  for (const { entry, name, layers } of plans) {
    const image = imagesOf(to).find((other) => isSameImage(entry, other))
    const details = inspected.find(({ manifest }) => manifest.digest === image?.manifestDescriptor?.digest)
    if (details === undefined) continue // reported above
    problems.push(...details.problems)
    const wanted = layers.filter(({ index }) => index !== undefined)
    if (details.version === 'v2') indexed = true
    if (wanted.length > 0 && details.version !== 'v2') problems.push(`${name} has no SOCI index (v2)`)
    problems.push(...differences(layers, details, options, name))
    if (settings.profileKey !== undefined && details.version === 'v2' && details.profile !== settings.profileKey)
      problems.push(`the SOCI index of ${name} is not made for this profile with these options`)
  }
  if (indexed || problems.length > 0) return { matches: problems.length === 0, indexed, problems }
  const assembled = plans.map((plan) => assemblePlatform(plan, new Map(), settings, 'v2'))
  return { matches: true, indexed, reason: reasonForNone(settings, from.name, assembled)!, problems }
}

/** A conversion keeps config and layers; it may change their media types from Docker's to OCI's. */
function isSameImage({ manifest: a }: TreeEntry, { manifest: b }: TreeEntry): boolean {
  const contents = ({ config, layers = [] }: NonNullable<TreeEntry['manifest']>): string =>
    [config, ...layers].map(({ digest, size }: Descriptor) => `${digest} ${size}`).join('\n')
  return contents(a!) === contents(b!)
}

function differences(
  layers: PlatformPlan['layers'],
  { layers: inspected, buildTool }: InspectedPlatform,
  { spanSize, minLayerSize, buildTool: wantedTool, optimizations = [] }: IndexOptions,
  name: string,
): string[] {
  const found: string[] = []
  if (wantedTool !== undefined && buildTool !== undefined && buildTool !== wantedTool)
    found.push(`the SOCI index of ${name} is made by "${buildTool}", not "${wantedTool}"`)
  layers.forEach(({ descriptor: { digest }, index }, i) => {
    const { lazy, ztoc } = inspected[i]!
    if (index !== undefined && !lazy) found.push(`layer ${digest} of ${name} has no zTOC`)
    if (index === undefined && lazy && minLayerSize !== undefined) found.push(`layer ${digest} of ${name} has a zTOC`)
    if (ztoc === undefined) return
    if (spanSize !== undefined && ztoc.spanSize !== spanSize)
      found.push(`layer ${digest} of ${name} has spans of ${ztoc.spanSize} bytes, not ${spanSize}`)
    if (optimizations.length > 0 && !ztoc.disableXattrs)
      found.push(`layer ${digest} of ${name} is not marked as one without extended attributes`)
  })
  return found
}

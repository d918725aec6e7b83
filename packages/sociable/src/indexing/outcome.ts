// What `convert` and `createIndex` do once the layers are done: report and push.
import { type Descriptor, digestOf, type Store, StoreError } from '@sociable/oci'
import { ImageError } from '../error.js'
import type { ImageTree } from '../image/image-tree.js'
import { formatPlatform } from '../image/platform.js'
import { parallel } from '../parallel.js'
import { contentResult, type PlatformResult } from '../result.js'
import { type Document, EMPTY_CONFIG } from '../soci/soci-index.js'
import type { AssembledPlatform } from './assemble.js'
import type { FinishedLayer } from './finished-layer.js'
import type { Settings } from './settings.js'

const PUSHES_AT_ONCE = 4

/** What the image lists but does not contain, in a warning each. */
export function warnAbsent({ name, absent }: ImageTree, warn: (message: string) => void): void {
  for (const { digest, platform } of absent)
    warn(
      `${platform === undefined ? digest : formatPlatform(platform)} is listed in ${name} but not contained, and left out`,
    )
}

/**
 * Why there is no SOCI index at all; undefined if there is one.
 * @throws ImageError NOTHING_TO_INDEX where one is required
 */
export function reasonForNone(
  settings: Settings,
  name: string,
  platforms: readonly AssembledPlatform[],
): string | undefined {
  if (platforms.some(({ index }) => index !== undefined)) return undefined
  const reasons = new Set(platforms.map(({ reason }) => reason))
  const reason =
    reasons.size === 1
      ? platforms[0]!.reason!
      : platforms.map(({ plan, reason }) => `${plan.name}: ${reason}`).join('; ')
  if (settings.requireIndex) throw new ImageError('NOTHING_TO_INDEX', `no layer of ${name} can be indexed: ${reason}`)
  return reason
}

/** Paths to prefetch that were not found, in a warning each. */
export function warnNotFound(platforms: readonly AssembledPlatform[], warn: (message: string) => void): void {
  for (const { plan, notFound } of platforms)
    for (const path of notFound) warn(`${path}, to be prefetched, is in no indexed layer of ${plan.name}`)
}

/** @param manifest what the platform's manifest has become */
export function platformResult(
  { plan, layers, index, reason, startLayer, profile }: AssembledPlatform,
  manifest: Descriptor,
): PlatformResult {
  return {
    name: plan.name,
    platform: plan.platform,
    source: contentResult(plan.entry.manifestDescriptor!),
    manifest: contentResult(manifest),
    ...(index !== undefined && { index: contentResult(index.descriptor) }),
    ...(reason !== undefined && { reason }),
    ...(startLayer !== undefined && { startLayer: startLayer.result }),
    ...(profile !== undefined && { profile }),
    layers,
  }
}

/** Bytes of the layers that were read to be indexed. */
export function bytesIndexed(layers: Iterable<FinishedLayer>): number {
  let sum = 0
  for (const { result } of layers) if (result.state === 'indexed') sum += result.size
  return sum
}

/** Pushes SOCI indexes after what they refer to; their zTOCs are there already. */
export async function pushSociIndexes(
  store: Store,
  platforms: readonly AssembledPlatform[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const indexes = platforms.flatMap(({ index }) => index ?? [])
  if (indexes.length === 0) return
  const config = {
    mediaType: indexes[0]!.descriptor.artifactType!,
    digest: digestOf(EMPTY_CONFIG),
    size: EMPTY_CONFIG.length,
  }
  await pushDocuments(
    store,
    [{ descriptor: config, bytes: EMPTY_CONFIG }, ...platforms.flatMap(({ prefetch }) => prefetch)],
    signal,
  )
  await pushDocuments(store, indexes, signal)
}

export async function pushDocuments(
  store: Store,
  documents: readonly Document[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await parallel(documents, PUSHES_AT_ONCE, signal, ({ descriptor, bytes }, signal) =>
    store.push(descriptor, bytes, { signal }),
  )
}

/**
 * Before the work begins: fails if the tag is immutable and names something that cannot be the result. If the store does not know (`Store.isImmutable`),
 * `tagOnce` fails instead.
 * @param reference a tag; undefined for no name, which is always free
 * @param mayBeResult whether what has the tag may turn out to be what this run makes
 * @throws StoreError TAG_IMMUTABLE
 */
export async function refuseImmutableTag(
  store: Store,
  reference: string | undefined,
  mayBeResult: (present: Descriptor) => boolean | Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (reference === undefined || store.isImmutable === undefined) return
  const present = await store.resolve(reference, { signal, suggest: false }).catch(() => undefined)
  signal?.throwIfAborted()
  if (present === undefined || (await mayBeResult(present)) || !(await store.isImmutable(reference, { signal }))) return
  throw new StoreError(
    'TAG_IMMUTABLE',
    `${store.name}:${reference} is an immutable tag of ${present.digest} and cannot be moved to another image: choose another tag`,
  )
}

/** Names the manifest, unless it has the name already: some registries refuse to tag a second time. */
export async function tagOnce(
  store: Store,
  descriptor: Descriptor,
  reference: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (reference !== undefined) {
    const current = await store.resolve(reference, { signal, suggest: false }).catch(() => undefined)
    signal?.throwIfAborted()
    if (current?.digest === descriptor.digest) return
  }
  await store.tag(descriptor, reference, { signal })
}

// What a profile makes of one platform: its start layer, and the spans that a runtime fetches ahead for what is not in it.
import type { Descriptor } from '@sociable/oci'
import { type HotFile, HotFiles, readParts, spanAt, type Toc } from '@sociable/ztoc'
import { inContext } from '../error.js'
import type { FinishedLayer } from '../indexing/finished-layer.js'
import { layerKey, type PlatformPlan } from '../indexing/plan.js'
import type { Settings } from '../indexing/settings.js'
import type { CapturedFiles, TemporaryFiles } from '../indexing/temporary-files.js'
import { FetchCounter, type LayerStore, LazyLayer } from '../reading/lazy-layer.js'
import { Union } from '../reading/union.js'
import type { SpanRange } from '../soci/prefetch.js'
import { chooseFiles } from './choose-files.js'
import { type ProfiledFile, type ResolvedProfile, resolveProfile } from './resolve-profile.js'
import { makeStartLayer, type StartLayer } from './start-layer.js'

export interface AppliedProfile {
  /** By layer key; layers that were indexed again have the new zTOC. */
  readonly finished: ReadonlyMap<string, FinishedLayer>
  readonly resolved: ResolvedProfile
  readonly startLayer?: StartLayer
  /** Why there is none, where one was asked for. */
  readonly reason?: string
  /** Spans to fetch ahead, by layer digest. */
  readonly prefetch: ReadonlyMap<string, readonly SpanRange[]>
}

/** Docker's limit, and that of overlayfs mounts as containerd makes them. */
const MAX_LAYERS = 127

/**
 * @param storeOf where a layer is, by its digest
 * @param indexAgain called for a layer with large files that the profile names by other paths than their own
 * @param finished by layer key, with `toc` of each layer that has a zTOC
 * @throws StoreError, LayerFormatError, ZtocFormatError with layer and platform named
 */
export async function applyProfile(
  storeOf: (layer: string) => LayerStore,
  plan: PlatformPlan,
  finished: ReadonlyMap<string, FinishedLayer>,
  settings: Settings,
  indexAgain: IndexAgain,
  temporary: TemporaryFiles,
): Promise<AppliedProfile> {
  const { profile, startLayer: compression, signal } = settings
  const tocs = new Map<string, Toc>()
  const captured = new Map<string, CapturedFiles>()
  for (const { descriptor, index } of plan.layers) {
    const done = index && finished.get(layerKey(descriptor, index))
    if (done?.toc !== undefined) tocs.set(descriptor.digest, done.toc)
    if (done?.captured !== undefined) captured.set(descriptor.digest, done.captured)
  }
  const counter = new FetchCounter()
  const opened = new Map<string, LazyLayer>()
  for (const { descriptor } of plan.layers)
    if (!opened.has(descriptor.digest))
      opened.set(
        descriptor.digest,
        new LazyLayer(storeOf(descriptor.digest), descriptor, tocs.get(descriptor.digest), counter),
      )
  const layers = plan.layers.map(({ descriptor }) => opened.get(descriptor.digest)!)
  const union = new Union(layers.map((layer) => () => layer.open(signal)))
  try {
    const resolved = await resolveProfile(union, profile!, signal)
    const room = plan.layers.length < MAX_LAYERS
    const chosen =
      compression === 'none' || !room
        ? []
        : chooseFiles(resolved.files, settings, {
            imageSize: plan.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
            ratioOf: (digest) => ratioOf(opened.get(digest)!.descriptor.size, tocs.get(digest)),
          })
    const startLayer =
      compression === 'none' || chosen.length === 0
        ? undefined
        : await makeStartLayer({ union, layers, captured, temporary }, chosen, resolved.symlinks, compression, signal)
    const reason =
      compression === 'none' || startLayer !== undefined
        ? undefined
        : room
          ? 'the image has no file of the profile that can be copied into one'
          : `the image has ${plan.layers.length} layers, and runtimes take no more than ${MAX_LAYERS}`
    const left = new Set(startLayer?.left.map(({ path }) => path))
    const copied = new Set(startLayer === undefined ? [] : chosen.filter(({ path }) => !left.has(path)))
    const lazy = resolved.files.filter((file) => !copied.has(file))
    const current = new Map(finished)
    for (const [digest, files] of missedFiles(lazy, settings.hot)) {
      const layer = plan.layers.find(({ descriptor, index }) => descriptor.digest === digest && index === 'gzip')
      if (layer === undefined || tocs.get(digest) === undefined) continue
      const again = await indexAgain(layer.descriptor, files)
      current.set(layerKey(layer.descriptor, 'gzip'), again)
      if (again.toc !== undefined) tocs.set(digest, again.toc)
    }
    const prefetch = spansToFetch(lazy, tocs)
    return {
      finished: current,
      resolved,
      ...(startLayer !== undefined && { startLayer }),
      ...(reason !== undefined && { reason }),
      prefetch,
    }
  } catch (error) {
    throw inContext(error, plan.name)
  }
}

/** Indexes a layer once more, with these files besides the profile's. */
export type IndexAgain = (layer: Descriptor, files: readonly HotFile[]) => Promise<FinishedLayer>

/** Bytes that a start must read of a file before a layer is read again for it. */
const WORTH_READING_AGAIN = 1 << 20

/** Files whose own paths do not look like the profile's, so that no spans were cut for them: by layer digest. */
function missedFiles(files: readonly ProfiledFile[], hot: Settings['hot']): Map<string, HotFile[]> {
  const missed = new Map<string, HotFile[]>()
  if (hot === undefined) return missed
  const matched = new HotFiles(hot.files)
  for (const { content, ranges } of files) {
    const { nameBytes, size } = content.entry!
    const name = Buffer.from(nameBytes).toString('latin1')
    const read = ranges?.reduce((sum, [start, end]) => sum + end - start, 0) ?? size
    if (read < WORTH_READING_AGAIN || matched.rangesOf(name, size) !== undefined) continue
    const own = missed.get(content.layer!.digest) ?? []
    missed.set(content.layer!.digest, own)
    own.push({ path: Buffer.from(nameBytes).toString('utf8'), ...(ranges !== undefined && { ranges }) })
  }
  return missed
}

/** Of a layer that has no zTOC nothing is known: it counts as if it were not compressed. */
function ratioOf(size: number, toc: Toc | undefined): number {
  return toc === undefined || toc.uncompressedSize === 0 ? 1 : Math.min(1, size / toc.uncompressedSize)
}

/** The spans of what is read of the files, in layers that have a zTOC: the others are pulled whole. */
function spansToFetch(files: readonly ProfiledFile[], tocs: ReadonlyMap<string, Toc>): Map<string, SpanRange[]> {
  const spans = new Map<string, SpanRange[]>()
  for (const { content, ranges } of files) {
    const { digest } = content.layer!
    const toc = tocs.get(digest)
    if (toc === undefined) continue
    const own = spans.get(digest) ?? []
    spans.set(digest, own)
    for (const [start, end] of readParts(content.entry!.offset, content.entry!.size, ranges))
      own.push({ first: spanAt(toc, start), last: Math.min(spanAt(toc, end - 1), toc.spanCount - 1) })
  }
  return spans
}

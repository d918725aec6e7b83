// A conversion's platforms put together with what the profile makes of them, and the pushes that this adds.
import { type Descriptor, digestOf, OCI_CONFIG, readContent, type Store } from '@sociable/oci'
import type { HotFile } from '@sociable/ztoc'
import { addLayerToConfig } from '../image/config-edit.js'
import { configDocuments, START_LAYER_CONFIG, START_LAYER_DIFF_ID } from '../image/start-layer-mark.js'
import { type AssembledPlatform, type AssembledStartLayer, assemblePlatform } from '../indexing/assemble.js'
import { assembleAll, type Conversion, type ConvertTask } from '../indexing/conversion.js'
import type { FinishedLayer } from '../indexing/finished-layer.js'
import { indexLayers } from '../indexing/layers.js'
import { pushDocuments } from '../indexing/outcome.js'
import { layerKey, type PlatformPlan } from '../indexing/plan.js'
import type { TemporaryFiles } from '../indexing/temporary-files.js'
import type { LayerStore } from '../reading/lazy-layer.js'
import type { ProfileResult } from '../result.js'
import { applyProfile, type IndexAgain } from './apply-profile.js'
import type { ResolvedProfile } from './resolve-profile.js'
import type { StartLayer } from './start-layer.js'

const MAX_PATHS_IN_RESULT = 1000
const MAX_PATHS_IN_WARNING = 10

/** As `assembleAll`, with start layers and spans to fetch ahead where there is a profile. @throws as `applyProfile` */
export async function assembleProfiled(
  task: ConvertTask,
  conversion: Conversion,
  finished: ReadonlyMap<string, FinishedLayer>,
  temporary: TemporaryFiles,
  warn: (message: string) => void,
): Promise<AssembledPlatform[]> {
  const { from, to, settings } = task
  const plain = assembleAll(conversion, finished, settings)
  if (settings.profile === undefined) return plain
  const assembled: AssembledPlatform[] = []
  for (const platform of plain) {
    const { plan } = platform
    // Without an index the image is pulled whole: copies would only make it larger
    if (platform.index === undefined) {
      assembled.push(platform)
      continue
    }
    const storeOf = (layer: string): LayerStore => {
      if (!conversion.recompressed.has(layer)) return from.store
      // What was made now is read from where it was kept: an archive on standard output cannot be read
      const made = conversion.recompressed.get(layer)
      return made === undefined
        ? to.store
        : { name: to.name, fetch: (_, { start, end } = {}) => made.content(start, end) }
    }
    const again: IndexAgain = (layer, files) => indexAgain(task, conversion, plan, layer, files)
    const applied = await applyProfile(storeOf, plan, finished, settings, again, temporary)
    const { resolved, startLayer, reason, prefetch } = applied
    warnNotInProfile(plan.name, resolved, warn)
    for (const { path, reason } of startLayer?.left ?? [])
      warn(`${path} of ${plan.name} is not copied into the start layer: ${reason}`)
    const added = startLayer && (await addStartLayer(task, conversion, plan, startLayer))
    if (reason !== undefined) warn(`${plan.name} gets no start layer: ${reason}`)
    if (typeof added === 'string') warn(`${plan.name} gets no start layer: ${added}`)
    assembled.push({
      ...assemblePlatform(plan, applied.finished, settings, 'v2', prefetch),
      startLayer: typeof added === 'string' ? undefined : added,
      profile: profileResult(resolved),
    })
  }
  return assembled
}

async function indexAgain(
  { from, to, settings }: ConvertTask,
  { recompressed }: Conversion,
  { name }: PlatformPlan,
  descriptor: Descriptor,
  files: readonly HotFile[],
): Promise<FinishedLayer> {
  const hot = { ...settings.hot!, files: [...settings.hot!.files, ...files] }
  const spansKey = digestOf(new TextEncoder().encode(JSON.stringify([settings.spansKey, files])))
  const job = { key: layerKey(descriptor, 'gzip'), descriptor, compression: 'gzip' as const, platforms: [name] }
  const again = await indexLayers(
    {
      jobs: [job],
      source: from.store,
      recompressed,
      destination: to.store,
      copyLayers: false, // it was copied the first time
      reusable: new Map(),
      name: from.name,
      settings: { ...settings, hot, capture: undefined },
      onProgress: () => {},
    },
    settings.signal,
  )
  return { ...again.get(job.key)!, spansKey }
}

async function addStartLayer(
  { from, settings }: ConvertTask,
  { configs }: Conversion,
  { entry, layers }: PlatformPlan,
  { descriptor, diffId, files, bytes, content }: StartLayer,
): Promise<AssembledStartLayer | string> {
  const old = entry.manifest!.config
  const config = configs.get(old.digest) ?? (await readContent(from.store, old, { signal: settings.signal }))
  const edited = addLayerToConfig(config, diffId, layers.length)
  if (typeof edited === 'string') return edited
  const annotations = new Map([
    [START_LAYER_CONFIG, old.digest],
    [START_LAYER_DIFF_ID, diffId],
  ])
  return {
    descriptor: { ...descriptor, annotations },
    config: {
      descriptor: { mediaType: OCI_CONFIG, digest: digestOf(edited), size: edited.length },
      bytes: edited,
    },
    result: { ...descriptor, files, bytes },
    content,
  }
}

function warnNotInProfile(name: string, { missing, notFiles }: ResolvedProfile, warn: (message: string) => void): void {
  const list = (paths: readonly string[]): string => {
    const rest = paths.length - MAX_PATHS_IN_WARNING
    const shown = paths.slice(0, MAX_PATHS_IN_WARNING).join(', ')
    return rest > 0 ? `${shown} and ${rest} more` : shown
  }
  if (missing.length > 0) warn(`${name} lacks ${missing.length} paths of the profile: ${list(missing)}`)
  if (notFiles.length > 0) warn(`${notFiles.length} paths of the profile are not files in ${name}: ${list(notFiles)}`)
}

function profileResult({ files, missing, notFiles }: ResolvedProfile): ProfileResult {
  return {
    files: files.length,
    missing: missing.length,
    missingPaths: missing.slice(0, MAX_PATHS_IN_RESULT),
    notFiles: notFiles.length,
    notFilePaths: notFiles.slice(0, MAX_PATHS_IN_RESULT),
  }
}

/** Pushes start layers and the configs that have them. */
export async function pushStartLayers(
  store: Store,
  platforms: readonly AssembledPlatform[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { startLayer } of platforms) {
    if (startLayer?.content === undefined) continue
    await store.push(startLayer.descriptor, startLayer.content(), { signal })
    await pushDocuments(store, [startLayer.config], signal)
  }
}

/** Pushes the configs of images that had a start layer and have none now. */
export async function pushConfigs(
  store: Store,
  { tree, configs }: Conversion,
  platforms: readonly AssembledPlatform[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const replaced = new Set(platforms.filter(({ startLayer }) => startLayer !== undefined).map(({ plan }) => plan.entry))
  const entries = tree.entries.filter((entry) => !replaced.has(entry))
  await pushDocuments(store, configDocuments({ entries }, configs), signal)
}

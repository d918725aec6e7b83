import { decodeImageConfig, readContent } from '@sociable/oci'
import { spanRange } from '@sociable/ztoc'
import { fargateEligibility } from './image/eligibility.js'
import { isStartLayer } from './image/start-layer-mark.js'
import { DEFAULT_MIN_LAYER_SIZE } from './indexing/settings.js'
import { inspect } from './inspect.js'
import type { CallOptions, ImageLocation, RegistryAccess, WholeLayerOptions } from './options.js'
import { openOnly } from './places/location.js'
import { mergeProfiles } from './profile/merge-profiles.js'
import type { Profile } from './profile/profile.js'
import { readOnePlatform } from './reading/one-platform.js'
import { Union } from './reading/union.js'
import type { ReportData, ReportLayer, ReportStart } from './report/report-data.js'
import { findWastes, layerFacts, readTree } from './report/report-files.js'
import { reportPage } from './report/report-page.js'
import { WHOLE_PULL } from './simulating/compare-ways.js'
import { simulatePlatform } from './simulating/simulate-platform.js'
import { DEFAULT_CONDITIONS } from './simulating/start-time.js'
import { PLAIN, PROFILED } from './simulating/ways.js'
import { originImage } from './soci/soci-tag.js'
import { resolveProfile } from './start-layer/resolve-profile.js'

export interface ReportOptions extends CallOptions, RegistryAccess, WholeLayerOptions {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
  /** What a start reads: shown on the layers and files. @default none */
  readonly profile?: Profile | readonly Profile[] | undefined
}

export interface ReportResult {
  readonly image: string
  readonly platform: string
  /** The platform's manifest. */
  readonly digest: string
  /** One HTML document that loads nothing. */
  readonly html: string
}

/**
 * Makes a page of what is in an image: its layers and which of them load lazily, its files by size, what a start reads, and what could be smaller. Reads
 * zTOCs; a layer without one is read whole.
 * @throws ImageError, StoreError
 * @example
 * const { html } = await report('registry.example/app:1-soci')
 */
export async function report(image: ImageLocation, options: ReportOptions = {}): Promise<ReportResult> {
  const { signal, profile, onWholeLayer } = options
  const place = await openOnly(image, 'read', options)
  try {
    const { store, name, reference } = place
    const one = await readOnePlatform(place, options.platform, signal)
    const { entry, platform } = one
    const soci = await one.findIndex()
    const { index } = soci
    const problems = soci.problems.map(({ message }) => message)
    const lazy = one.layers(soci, { onWholeLayer })
    const union = new Union(lazy.map((layer) => () => layer.open(signal)))
    const layers = await Promise.all(lazy.map((layer) => layer.open(signal)))
    const profiles = profile === undefined ? [] : [profile].flat()
    const resolved = profiles.length === 0 ? undefined : await resolveProfile(union, mergeProfiles(profiles), signal)
    const shown = await readTree(union, layers, resolved, signal)
    const { images } = await inspect({ store, reference }, { signal, platforms: [platform] })
    const inspected = images[0]!.layers
    const facts = layers.map((layer) => layerFacts(layer, shown, resolved))
    const history = await readHistory()
    const reported = layers.map(({ toc }, i): ReportLayer => {
      const { digest, size, lazy: isLazy, reason, ztoc } = inspected[i]!
      const { files, hiddenBytes, touched } = facts[i]!
      const createdBy = history.length === layers.length ? history[i] : undefined
      return {
        digest,
        size,
        unpacked: toc.uncompressedSize,
        lazy: isLazy,
        ...(reason !== undefined && { reason }),
        ...(createdBy !== undefined && { createdBy }),
        spans: isLazy ? Array.from({ length: toc.spanCount }, (_, span) => spanRange(toc, span).start) : [],
        touched: isLazy ? touched : [],
        ztocSize: ztoc?.size ?? 0,
        files,
        hiddenBytes,
        isStartLayer: isStartLayer(entry.manifest!.layers![i]!),
      }
    })
    const small = reported.filter(
      ({ lazy, size, isStartLayer }) => !lazy && !isStartLayer && size < DEFAULT_MIN_LAYER_SIZE,
    )
    const data: ReportData = {
      image: name,
      platform,
      digest: one.digest,
      ...(index !== undefined && { sociVersion: index.version }),
      fargate: fargateEligibility({
        image: name,
        platform: entry.platform!,
        version: index?.version,
        problems,
        layers: inspected,
      }),
      layers: reported,
      files: shown.files,
      ...(resolved !== undefined && {
        profile: {
          files: resolved.files.length,
          missing: resolved.missing.length,
          bytes: resolved.files.reduce((sum, { content }) => sum + content.entry!.size, 0),
          spanBytes: reported.reduce((sum, layer) => sum + readBytes(layer), 0),
        },
      }),
      starts: profiles.length === 0 ? [] : await predictStarts(),
      wastes: findWastes(facts, shown, { layers: small.length, bytes: small.reduce((sum, { size }) => sum + size, 0) }),
      commands: commandsFor(name, index !== undefined, resolved !== undefined),
    }
    return { image: name, platform, digest: data.digest, html: reportPage(data) }

    /** The whole pull, the plain index, and the best of the other ways, of the image as it was before it got a start layer. */
    async function predictStarts(): Promise<readonly ReportStart[]> {
      const profile = mergeProfiles(profiles)
      const { ways, recommended } = await simulatePlatform(lazy, profile, DEFAULT_CONDITIONS, signal)
      const isProfiled = images[0]!.profile !== undefined || entry.manifest!.layers!.some(isStartLayer)
      const current = index === undefined ? WHOLE_PULL : isProfiled ? PROFILED : PLAIN
      const best = recommended === WHOLE_PULL || recommended === PLAIN ? PROFILED : recommended
      return ways
        .filter(({ name }) => [WHOLE_PULL, PLAIN, best, current].includes(name))
        .map(({ name, seconds, bytes, requests }) => ({ name, seconds, bytes, requests, isCurrent: name === current }))
    }

    /** What made each layer, by the config's history; entries without a layer left out. */
    async function readHistory(): Promise<readonly (string | undefined)[]> {
      const bytes = await readContent(store, entry.manifest!.config, { signal })
      decodeImageConfig(bytes, entry.manifest!.config.digest)
      const { history } = JSON.parse(Buffer.from(bytes).toString()) as { readonly history?: unknown }
      if (!Array.isArray(history)) return []
      return history
        .filter((one) => one?.empty_layer !== true)
        .map((one) => (typeof one?.created_by === 'string' ? one.created_by : undefined))
    }
  } finally {
    await place.close()
  }
}

/** Bytes that a start fetches of a layer: the touched spans, or all of one that is pulled whole. */
function readBytes({ lazy, size, spans, touched }: ReportLayer): number {
  if (!lazy) return size
  return touched.reduce((sum, [first, last]) => sum + (spans[last + 1] ?? size) - spans[first]!, 0)
}

function commandsFor(name: string, isIndexed: boolean, isProfiled: boolean): ReportData['commands'] {
  return [
    ...(isIndexed ? [] : [{ command: `sociable convert ${name}`, does: 'Make a SOCI-enabled image' }]),
    {
      command: `sociable convert ${originImage(name)} --profile start.json`,
      does: isProfiled
        ? 'Add a start layer of what the profile names'
        : 'Add a start layer of the files that a start reads',
    },
    { command: `sociable inspect ${name}`, does: 'Print the layers as text' },
  ]
}

import { type Descriptor, encodeManifest, OCI_MANIFEST, readContent, type Store } from '@sociable/oci'
import type { Toc } from '@sociable/ztoc'
import { type ImageTree, readImageTree, type TreeEntry } from './image/image-tree.js'
import { formatPlatform, parsePlatform } from './image/platform.js'
import { findSociIndex, type LinkProblem, type SociLookup } from './image/soci-lookup.js'
import { isStartLayer } from './image/start-layer-mark.js'
import { imagesOf, selectImage } from './indexing/plan.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { openOnly } from './places/location.js'
import { FetchCounter, indexedLayers, lazyLayers } from './reading/lazy-layer.js'
import { buildToolHealth } from './soci/build-tool.js'
import { decodePrefetch, PREFETCH_MEDIA_TYPE } from './soci/prefetch.js'
import { BUILD_TOOL, LAYER_DIGEST } from './soci/soci-index.js'
import { readZtoc } from './soci/ztoc-reading.js'
import { type ArtifactContext, checkArtifact, checkReferrers } from './verifying/check-artifact.js'
import { checkSpans, compareCheckpoints, compareFiles, tocObstacle } from './verifying/check-layer.js'
import { checkStartLayer } from './verifying/check-start-layer.js'
import type { Finding, FindingCode } from './verifying/finding.js'
import { Findings, INDEX_AGAIN } from './verifying/findings.js'

export interface VerifyOptions extends CallOptions, RegistryAccess {
  /** Checks these platforms only, without attestations and other artifacts that the image lists. @default all that the image has */
  readonly platforms?: readonly string[] | undefined
  /** Decode every indexed layer again, and compare its files and bytes with what its zTOC leads to. @default false */
  readonly deep?: boolean | undefined
}

export interface VerifyResult {
  readonly image: string
  readonly digest: string
  /** Whether there is no finding of severity `error`. */
  readonly sound: boolean
  readonly findings: readonly Finding[]
  /** Layers whose bytes were read and are those of their digest. */
  readonly layers: number
}

/**
 * Reads all of an image and checks it and its SOCI indexes, also those of other tools: every digest and link, every zTOC against its layer's bytes, prefetch lists, a
 * start layer against the layers below, and the content of attestations, referrers and other artifacts. Memory does not grow with the layers.
 * @throws ImageError if it is not an image; StoreError if the place cannot be read at all
 * @example
 * const { sound, findings } = await verify('registry.example/app:1-soci', { deep: true })
 */
export async function verify(image: ImageLocation, options: VerifyOptions = {}): Promise<VerifyResult> {
  const place = await openOnly(image, 'read', options)
  try {
    const { store, name, reference } = place
    const { signal } = options
    const top = await store.resolve(reference, { signal })
    const findings = new Findings(signal)
    const tree = await findings.attempt(undefined, name, () => readImageTree(store, top, name, signal))
    const verifier = tree && new Verifier(store, tree, findings, options)
    await verifier?.checkAll()
    return {
      image: name,
      digest: top.digest,
      sound: findings.all.every(({ severity }) => severity === 'warning'),
      findings: findings.all,
      layers: verifier?.layers.size ?? 0,
    }
  } finally {
    await place.close()
  }
}

const LINK_CODES: Readonly<Record<LinkProblem['kind'], FindingCode>> = {
  broken: 'LINK_BROKEN',
  'left-behind': 'LEFT_BEHIND',
  platform: 'PLATFORM_MISSING',
}
const LINK_ADVICE: Readonly<Record<LinkProblem['kind'], string>> = {
  broken: 'Convert the image again.',
  'left-behind': 'Copy the whole image with its referrers: `sociable copy`.',
  platform: 'Convert the image again: `sociable convert` gives the entry its platform.',
}

class Verifier {
  /** Digests of the layers that were read whole. */
  readonly layers = new Set<string>()
  readonly #store: Store
  readonly #tree: ImageTree
  readonly #findings: Findings
  readonly #options: VerifyOptions
  readonly #signal: AbortSignal | undefined
  readonly #deep: boolean
  readonly #context: ArtifactContext

  constructor(store: Store, tree: ImageTree, findings: Findings, options: VerifyOptions) {
    this.#store = store
    this.#tree = tree
    this.#findings = findings
    this.#options = options
    this.#signal = options.signal
    this.#deep = options.deep ?? false
    this.#context = { store, findings, checked: new Set(), signal: options.signal }
  }

  async checkAll(): Promise<void> {
    const { name, absent, entries } = this.#tree
    const { platforms } = this.#options
    for (const { digest, platform } of absent)
      this.#findings.add(
        'CONTENT_ABSENT',
        platform && formatPlatform(platform),
        `${digest} is listed in ${name} but not in it`,
        'Copy the whole image if you need that platform.',
      )
    const images = platforms?.map((text) => selectImage(this.#tree, parsePlatform(text))) ?? imagesOf(this.#tree)
    for (const entry of new Set(images)) await this.#checkImage(entry)
    if (platforms !== undefined) return
    const others = entries.filter((entry) => !images.includes(entry))
    for (const { descriptor, manifest } of others) await checkArtifact(this.#context, undefined, descriptor, manifest)
  }

  async #checkImage(entry: TreeEntry): Promise<void> {
    const platform = formatPlatform(entry.platform!)
    const findings = this.#findings
    const lookup = await findings.attempt(platform, 'SOCI index', () =>
      findSociIndex(this.#store, this.#tree, entry, this.#signal),
    )
    if (lookup !== undefined) await this.#checkIndex(platform, lookup)
    const index = lookup?.index
    const { config, layers = [] } = entry.manifest!
    await findings.attempt(platform, `config ${config.digest}`, () =>
      readContent(this.#store, config, { signal: this.#signal }),
    )
    const tocs = await this.#readTocs(platform, index?.manifest.layers ?? [], layers)
    for (const layer of new Map(layers.map((layer) => [layer.digest, layer])).values())
      await this.#checkLayer(platform, layer, tocs.get(layer.digest))
    await checkReferrers(this.#context, platform, entry.manifestDescriptor!)
    if (!layers.some(isStartLayer)) return
    const all = lazyLayers(this.#store, entry.manifest!, indexedLayers(index?.manifest), new FetchCounter(), undefined)
    const differs = (path: string, how: string) =>
      findings.add(
        'START_LAYER_DIFFERS',
        platform,
        `the start layer's /${path} ${how}`,
        'Convert the image again with its profile.',
      )
    await findings.attempt(platform, 'the start layer', () => checkStartLayer(all, differs, this.#signal))
  }

  async #checkIndex(platform: string, { index, problems }: SociLookup): Promise<void> {
    const findings = this.#findings
    for (const { kind, message } of problems) findings.add(LINK_CODES[kind], platform, message, LINK_ADVICE[kind])
    if (index === undefined) {
      if (problems.length === 0)
        findings.add('NO_INDEX', platform, 'it has no SOCI index', 'Make one: `sociable convert`.')
      return
    }
    const { descriptor, manifest, version } = index
    const what = `SOCI index ${descriptor.digest}`
    const tool = manifest.annotations?.get(BUILD_TOOL) ?? ''
    if (!this.#deep && buildToolHealth(tool) !== 'sound')
      findings.add(
        'TOOL_UNKNOWN',
        platform,
        `${what} was made by "${tool}", of which some versions make broken indexes`,
        'Use --deep to check it, or make the index again.',
      )
    if (version === 'v1') {
      findings.add(
        'INDEX_IGNORED',
        platform,
        `${what} is v1: soci-snapshotter 0.16 ignores it unless pull_modes.soci_v1 is enabled`,
        'Make a v2 index: `sociable convert`.',
      )
      findings.add(
        'NOT_COVERED',
        platform,
        `${what} (v1) is not covered by the image's digest`,
        'Make a v2 index: `sociable convert`.',
      )
    }
    const bytes = await findings.attempt(platform, what, () =>
      readContent(this.#store, descriptor, { signal: this.#signal }),
    )
    // The snapshotter encodes it again and stores that under the digest (FetchSociArtifacts in fs/artifact_fetcher.go), which fails where the bytes differ
    const { config, layers, subject, annotations } = manifest
    const stored = encodeManifest({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, subject, annotations })
    if (bytes !== undefined && Buffer.compare(bytes, stored) !== 0)
      findings.add(
        'INDEX_UNLOADABLE',
        platform,
        `${what} is not encoded as soci-snapshotter encodes it: the snapshotter cannot store it, and pulls the image whole`,
        INDEX_AGAIN,
      )
  }

  async #readTocs(
    platform: string,
    artifacts: readonly Descriptor[],
    layers: readonly Descriptor[],
  ): Promise<ReadonlyMap<string, Toc>> {
    const tocs = new Map<string, Toc>()
    const prefetches = artifacts.filter(({ mediaType }) => mediaType === PREFETCH_MEDIA_TYPE)
    for (const descriptor of [...artifacts.filter((artifact) => !prefetches.includes(artifact)), ...prefetches]) {
      const digest = descriptor.annotations?.get(LAYER_DIGEST)
      const layer = layers.find((candidate) => candidate.digest === digest)
      const isPrefetch = prefetches.includes(descriptor)
      const what = `${isPrefetch ? 'prefetch list' : 'zTOC'} ${descriptor.digest} of layer ${digest ?? '(none)'}`
      if (layer === undefined)
        this.#findings.add('LINK_BROKEN', platform, `${what}: the image has no such layer`, INDEX_AGAIN)
      else if (isPrefetch) await this.#checkPrefetch(platform, what, descriptor, tocs.get(layer.digest))
      else {
        const toc = await this.#findings.attempt(platform, what, () =>
          readZtoc(this.#store, descriptor, layer, this.#signal),
        )
        if (toc === undefined) continue
        tocs.set(layer.digest, toc)
        const obstacle = tocObstacle(toc)
        if (obstacle !== undefined)
          this.#findings.add('ZTOC_INVALID', platform, `${what}: a runtime cannot load it: ${obstacle}`, INDEX_AGAIN)
      }
    }
    return tocs
  }

  async #checkPrefetch(platform: string, what: string, descriptor: Descriptor, toc: Toc | undefined): Promise<void> {
    const bytes = await this.#findings.attempt(platform, what, () =>
      readContent(this.#store, descriptor, { signal: this.#signal }),
    )
    if (bytes === undefined) return
    const spans = decodePrefetch(bytes)
    const count = toc?.spanCount ?? 0
    const wrong = spans?.find(({ first, last }) => first < 0 || first > last || last >= count)
    if (spans === undefined) this.#findings.add('ZTOC_INVALID', platform, `${what} is malformed`, INDEX_AGAIN)
    else if (wrong !== undefined)
      this.#findings.add(
        'ZTOC_INVALID',
        platform,
        `${what} names the spans ${wrong.first} to ${wrong.last}: the layer's zTOC has ${count}`,
        INDEX_AGAIN,
      )
  }

  async #checkLayer(platform: string, layer: Descriptor, toc: Toc | undefined): Promise<void> {
    if (toc === undefined && this.layers.has(layer.digest)) return
    const what = `layer ${layer.digest}`
    const findings = this.#findings
    const problems = await findings.attempt(platform, what, () => checkSpans(this.#store, layer, toc, this.#signal))
    if (problems === undefined) return
    this.layers.add(layer.digest)
    for (const { message } of problems) findings.add('SPAN_DIFFERS', platform, `${what}: ${message}`, INDEX_AGAIN)
    if (toc === undefined || !this.#deep || problems.length > 0) return
    const files = await findings.attempt(platform, what, async () => ({
      difference: await compareFiles(this.#store, layer, toc, this.#signal),
    }))
    if (files?.difference !== undefined)
      findings.add('FILES_DIFFER', platform, `${what}: ${files.difference}`, INDEX_AGAIN)
    if (files === undefined) return // it cannot be decoded
    const bytes = await findings.attempt(platform, what, async () => ({
      difference: await compareCheckpoints(this.#store, layer, toc, this.#signal),
    }))
    if (bytes?.difference !== undefined)
      findings.add('CHECKPOINT_DIFFERS', platform, `${what}: ${bytes.difference}`, INDEX_AGAIN)
  }
}

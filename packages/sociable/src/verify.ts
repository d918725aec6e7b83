import { type Descriptor, readContent, type Store, StoreError } from '@sociable/oci'
import { LayerFormatError, type Toc, ZtocFormatError } from '@sociable/ztoc'
import { ImageError } from './error.js'
import { type ImageTree, readImageTree, type TreeEntry } from './image/image-tree.js'
import { formatPlatform, parsePlatform } from './image/platform.js'
import { findSociIndex } from './image/soci-lookup.js'
import { isStartLayer } from './image/start-layer-mark.js'
import { imagesOf, selectImage } from './indexing/plan.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { openOnly } from './places/location.js'
import { FetchCounter, indexedLayers, type LazyLayer, lazyLayers } from './reading/lazy-layer.js'
import { isDirectory, Union } from './reading/union.js'
import { buildToolHealth } from './soci/build-tool.js'
import { decodePrefetch, PREFETCH_MEDIA_TYPE } from './soci/prefetch.js'
import { BUILD_TOOL, LAYER_DIGEST } from './soci/soci-index.js'
import { readZtoc } from './soci/ztoc-reading.js'
import { checkSpans, compareCheckpoints, compareFiles } from './verifying/check-layer.js'
import type { Finding, FindingCode } from './verifying/finding.js'

export interface VerifyOptions extends CallOptions, RegistryAccess {
  /** @default all that the image has */
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
 * Reads all of an image, and finds what is wrong with it or with its SOCI indexes, whoever made them: every digest and link, every zTOC against its layer's
 * bytes, prefetch lists, and a start layer against the layers below. Memory does not grow with the layers.
 * @throws ImageError where it is no image; StoreError where the place cannot be read at all
 * @example
 * const { sound, findings } = await verify('registry.example/app:1-soci', { deep: true })
 */
export async function verify(image: ImageLocation, options: VerifyOptions = {}): Promise<VerifyResult> {
  const place = await openOnly(image, 'read', options)
  try {
    const { store, name, reference } = place
    const { signal, platforms } = options
    const top = await store.resolve(reference, { signal })
    const tree = await readImageTree(store, top, name, signal)
    const verifier = new Verifier(store, tree, options)
    for (const { digest, platform } of tree.absent)
      verifier.add(
        'CONTENT_ABSENT',
        platform && formatPlatform(platform),
        `${digest} is listed in ${name} but not in it`,
        'Copy the whole image if you need that platform.',
      )
    const entries = platforms?.map((text) => selectImage(tree, parsePlatform(text))) ?? imagesOf(tree)
    for (const entry of new Set(entries)) await verifier.checkImage(entry)
    const { findings, layers } = verifier
    return {
      image: name,
      digest: top.digest,
      sound: findings.every(({ severity }) => severity === 'warning'),
      findings,
      layers: layers.size,
    }
  } finally {
    await place.close()
  }
}

const WARNINGS: readonly FindingCode[] = ['TOOL_UNKNOWN', 'NOT_COVERED', 'NO_INDEX', 'CONTENT_ABSENT']
const INDEX_AGAIN = 'Make the index again: `sociable convert --force`.'
const COPY_AGAIN = 'Push or copy the image again from a sound source.'

class Verifier {
  readonly findings: Finding[] = []
  /** Digests of the layers that were read whole. */
  readonly layers = new Set<string>()
  readonly #store: Store
  readonly #tree: ImageTree
  readonly #signal: AbortSignal | undefined
  readonly #deep: boolean

  constructor(store: Store, tree: ImageTree, { signal, deep = false }: VerifyOptions) {
    this.#store = store
    this.#tree = tree
    this.#signal = signal
    this.#deep = deep
  }

  add(code: FindingCode, platform: string | undefined, message: string, advice: string): void {
    const severity = WARNINGS.includes(code) ? 'warning' : 'error'
    this.findings.push({ code, severity, ...(platform !== undefined && { platform }), message, advice })
  }

  async checkImage(entry: TreeEntry): Promise<void> {
    const platform = formatPlatform(entry.platform!)
    const { index, problems } = await findSociIndex(this.#store, this.#tree, entry, this.#signal)
    for (const problem of problems) this.add('LINK_BROKEN', platform, problem, 'Convert the image again.')
    if (index === undefined) this.add('NO_INDEX', platform, 'it has no SOCI index', 'Make one: `sociable convert`.')
    else {
      const tool = index.manifest.annotations?.get(BUILD_TOOL) ?? ''
      if (buildToolHealth(tool) !== 'sound')
        this.add(
          'TOOL_UNKNOWN',
          platform,
          `its SOCI index was made by "${tool}", of which some versions make broken indexes`,
          this.#deep ? INDEX_AGAIN : 'Use --deep to check it, or make the index again.',
        )
      if (index.version === 'v1')
        this.add(
          'NOT_COVERED',
          platform,
          `SOCI index ${index.descriptor.digest} (v1) is not covered by the image's digest`,
          'Make a v2 index: `sociable convert`.',
        )
    }
    const { config, layers = [] } = entry.manifest!
    await this.#attempt(platform, `config ${config.digest}`, () =>
      readContent(this.#store, config, { signal: this.#signal }),
    )
    const tocs = await this.#readTocs(platform, index?.manifest.layers ?? [], layers)
    for (const layer of new Map(layers.map((layer) => [layer.digest, layer])).values())
      await this.#checkLayer(platform, layer, tocs.get(layer.digest))
    if (layers.some(isStartLayer)) await this.#checkStartLayer(platform, entry, indexedLayers(index?.manifest))
  }

  async #readTocs(
    platform: string,
    artifacts: readonly Descriptor[],
    layers: readonly Descriptor[],
  ): Promise<ReadonlyMap<string, Toc>> {
    const tocs = new Map<string, Toc>()
    const ztocs = artifacts.filter(({ mediaType }) => mediaType !== PREFETCH_MEDIA_TYPE)
    for (const descriptor of [...ztocs, ...artifacts.filter((artifact) => !ztocs.includes(artifact))]) {
      const digest = descriptor.annotations?.get(LAYER_DIGEST)
      const layer = layers.find((candidate) => candidate.digest === digest)
      const what = `${descriptor.mediaType === PREFETCH_MEDIA_TYPE ? 'prefetch list' : 'zTOC'} ${descriptor.digest} of layer ${digest}`
      if (layer === undefined) {
        this.add('LINK_BROKEN', platform, `${what}: the image has no such layer`, INDEX_AGAIN)
        continue
      }
      if (descriptor.mediaType !== PREFETCH_MEDIA_TYPE) {
        const toc = await this.#attempt(platform, what, () => readZtoc(this.#store, descriptor, layer, this.#signal))
        if (toc !== undefined) tocs.set(layer.digest, toc)
        continue
      }
      const bytes = await this.#attempt(platform, what, () =>
        readContent(this.#store, descriptor, { signal: this.#signal }),
      )
      if (bytes === undefined) continue
      const spans = decodePrefetch(bytes)
      const count = tocs.get(layer.digest)?.spanCount ?? 0
      if (spans === undefined) this.add('ZTOC_INVALID', platform, `${what} is malformed`, INDEX_AGAIN)
      else if (spans.some(({ first, last }) => first > last || last >= count))
        this.add(
          'ZTOC_INVALID',
          platform,
          `${what} names spans that the layer does not have: its zTOC has ${count}`,
          INDEX_AGAIN,
        )
    }
    return tocs
  }

  async #checkLayer(platform: string, layer: Descriptor, toc: Toc | undefined): Promise<void> {
    if (toc === undefined && this.layers.has(layer.digest)) return
    const what = `layer ${layer.digest}`
    const problems = await this.#attempt(platform, what, () => checkSpans(this.#store, layer, toc, this.#signal))
    if (problems === undefined) return
    this.layers.add(layer.digest)
    for (const { message } of problems) this.add('SPAN_DIFFERS', platform, `${what}: ${message}`, INDEX_AGAIN)
    if (toc === undefined || !this.#deep || problems.length > 0) return
    const files = await this.#attempt(
      platform,
      what,
      async () => (await compareFiles(this.#store, layer, toc, this.#signal)) ?? '',
    )
    if (files !== undefined && files !== '') this.add('FILES_DIFFER', platform, `${what}: ${files}`, INDEX_AGAIN)
    const bytes = await this.#attempt(
      platform,
      what,
      async () => (await compareCheckpoints(this.#store, layer, toc, this.#signal)) ?? '',
    )
    if (bytes !== undefined && bytes !== '') this.add('CHECKPOINT_DIFFERS', platform, `${what}: ${bytes}`, INDEX_AGAIN)
  }

  /** Every file of the start layer must be what the layers below show at its path. */
  async #checkStartLayer(platform: string, entry: TreeEntry, ztocs: ReadonlyMap<string, Descriptor>): Promise<void> {
    const signal = this.#signal
    const all = lazyLayers(this.#store, entry.manifest!, ztocs, new FetchCounter(), undefined)
    const isStart = ({ descriptor }: LazyLayer) => isStartLayer(descriptor)
    const unionOf = (layers: readonly LazyLayer[]) => new Union(layers.map((layer) => () => layer.open(signal)))
    const start = unionOf(all.filter(isStart))
    const below = unionOf(all.filter((layer) => !isStart(layer)))
    const layerOf = (digest: string) => all.find(({ descriptor }) => descriptor.digest === digest)!
    const differs = (path: string, how: string) =>
      this.add(
        'START_LAYER_DIFFERS',
        platform,
        `the start layer's /${path} ${how}`,
        'Convert the image again with its profile.',
      )
    await this.#attempt(platform, 'the start layer', async () => {
      for await (const found of start.descendants('', signal)) {
        const { path } = found
        const other = await below.lookup(path)
        if (other === undefined) {
          differs(path, 'is not in the layers below')
          continue
        }
        if (isDirectory(found) !== isDirectory(other)) differs(path, 'is of another type there')
        if (isDirectory(found)) continue
        const [a, b] = [await start.hardlinkTarget(found), await below.hardlinkTarget(other)]
        if (a.entry!.type !== b.entry!.type) differs(path, 'is of another type there')
        else if (a.entry!.type === 'symlink') {
          if (a.entry!.linkname !== b.entry!.linkname) differs(path, 'leads elsewhere there')
        } else if (a.entry!.type === 'reg') {
          const [mine, theirs] = await Promise.all(
            [a, b].map(async ({ layer, entry }) =>
              Buffer.concat(await collect(layerOf(layer!.digest).read(entry!, signal))),
            ),
          )
          if (!mine!.equals(theirs!)) differs(path, 'has other bytes there')
          const facts = ({ entry }: typeof a) =>
            [entry!.mode & 0o7777, entry!.uid, entry!.gid, entry!.modTime].join(' ')
          if (facts(a) !== facts(b)) differs(path, `has mode, owner and time ${facts(a)}, there ${facts(b)}`)
        }
      }
      return true
    })
  }

  /** Undefined where it failed, which is a finding then. */
  async #attempt<Value>(platform: string, what: string, work: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#signal?.throwIfAborted()
      const message = `${what}: ${error instanceof Error ? error.message : String(error)}`
      if (error instanceof StoreError && error.code === 'NOT_FOUND')
        this.add('CONTENT_MISSING', platform, message, COPY_AGAIN)
      else if (error instanceof StoreError && DAMAGE.includes(error.code))
        this.add('CONTENT_DAMAGED', platform, message, COPY_AGAIN)
      else if (error instanceof ZtocFormatError) this.add('ZTOC_INVALID', platform, message, INDEX_AGAIN)
      else if (error instanceof LayerFormatError || error instanceof ImageError)
        this.add('FILES_DIFFER', platform, message, INDEX_AGAIN)
      else throw error
      return undefined
    }
  }
}

const DAMAGE = ['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'PROTOCOL']

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

// An image as its store lists it: what the top is, and what each of its entries is.
import {
  checkDocument,
  type Descriptor,
  DOCKER_CONFIG,
  decodeImageConfig,
  decodeIndex,
  decodeManifest,
  type Index,
  isIndexType,
  isManifestType,
  type Manifest,
  OCI_CONFIG,
  type Platform,
  readContent,
  type Store,
  StoreError,
} from '@sociable/oci'
import { ImageError, inContext } from '../error.js'
import { parallel } from '../parallel.js'
import { SOCI_INDEX_V2, sociIndexVersion } from '../soci/soci-index.js'
import { isLayerType } from './layer-type.js'
import { formatPlatform, normalizePlatform } from './platform.js'

/** References in one image, as containerd's walk allows (core/images/handlers.go, maxReferences). */
const MAX_REFERENCES = 10_000
/** Bytes of manifests and indexes of one image that are read at all. */
const MAX_DOCUMENT_BYTES = 256 << 20
/** Manifests read at once: enough to hide a registry's latency. */
const READS_AT_ONCE = 8

export interface TreeEntry {
  /** As the index lists it, or the top itself where that is a manifest. */
  readonly descriptor: Descriptor
  /**
   * `image`: a platform's; `attestation`: BuildKit's about an image; `soci-index`: a v2 SOCI index; `artifact`: any other manifest; `other`: no manifest,
   * or a nested index without one: never changed.
   */
  readonly kind: 'image' | 'attestation' | 'soci-index' | 'artifact' | 'other'
  /** The manifest and what names it: of a nested index its first. Absent for `other`. */
  readonly manifest?: Manifest
  readonly manifestDescriptor?: Descriptor
  /** Of an `image`: the descriptor's as it is, else the config's, normalized. */
  readonly platform?: Platform
}

export interface ImageTree {
  /** For messages. */
  readonly name: string
  readonly top: Descriptor
  /** Absent where the top is a manifest. */
  readonly index?: Index
  readonly entries: readonly TreeEntry[]
  /** Listed, but not in the store: by design in `docker save` archives, which list all platforms. */
  readonly absent: readonly Descriptor[]
}

/** Whether a SOCI index (v2) is part of the image. */
export function isSociEnabled({ entries }: ImageTree): boolean {
  return entries.some(({ kind }) => kind === 'soci-index')
}

/**
 * Reads an image's manifests and indexes, each verified.
 * @throws ImageError NOT_AN_IMAGE where the top is none, a document is malformed, or there are too many; StoreError
 */
export async function readImageTree(
  store: Store,
  top: Descriptor,
  name: string,
  signal?: AbortSignal,
): Promise<ImageTree> {
  const reader = new DocumentReader(store, name, signal)
  if (isManifestType(top.mediaType)) {
    const manifest = await reader.manifest(top)
    if (
      manifest.config.mediaType !== DOCKER_CONFIG &&
      manifest.config.mediaType !== OCI_CONFIG &&
      top.platform === undefined
    )
      throw new ImageError(
        'NOT_AN_IMAGE',
        `${name} is an artifact whose config is of type ${manifest.config.mediaType || '(none)'}, no image`,
      )
    if (isUnknown(top.platform))
      throw new ImageError(
        'NOT_AN_IMAGE',
        `${name} is listed for the platform ${formatPlatform(top.platform!)}: no image`,
      )
    const platform = top.platform ?? (await reader.configPlatform(manifest))
    return {
      name,
      top,
      entries: [{ descriptor: top, kind: 'image', manifest, manifestDescriptor: top, platform }],
      absent: [],
    }
  }
  if (!isIndexType(top.mediaType))
    throw new ImageError('NOT_AN_IMAGE', `${name} is of type ${top.mediaType || '(none)'}: no image manifest or index`)
  const index = await reader.index(top)
  const read = await parallel(index.manifests ?? [], READS_AT_ONCE, signal, (descriptor) =>
    readEntry(reader, descriptor),
  )
  const entries = read.filter((entry): entry is TreeEntry => entry !== undefined)
  const absent = (index.manifests ?? []).filter((_, i) => read[i] === undefined)
  await refuseSiblings(store, top, name, entries)
  return { name, top, index, entries, absent }
}

/**
 * A layout's images without a name are taken for one image of several platforms. Where two of them have no platform either, they are images of
 * their own, and nothing says which one is meant.
 */
async function refuseSiblings(
  store: Store,
  top: Descriptor,
  name: string,
  entries: readonly TreeEntry[],
): Promise<void> {
  const siblings = entries.filter(({ kind, descriptor }) => kind === 'image' && descriptor.platform === undefined)
  const digests = [...new Set(siblings.map(({ descriptor }) => descriptor.digest))]
  if (digests.length < 2 || store.locate === undefined) return
  const isInStore = (await store.locate(top)) !== undefined // else it is index.json, which lists them
  if (isInStore) return
  throw new ImageError(
    'NOT_AN_IMAGE',
    `${name} holds ${digests.length} images without a name or platform: choose one by its digest, ${digests.join(', ')}`,
  )
}

/** Undefined where the store lacks it. */
async function readEntry(reader: DocumentReader, descriptor: Descriptor): Promise<TreeEntry | undefined> {
  if (isManifestType(descriptor.mediaType)) {
    const manifest = await absentAsUndefined(reader.manifest(descriptor))
    if (manifest === undefined) return undefined
    const kind = entryKind(descriptor, manifest)
    if (kind !== 'soci-index' && (await reader.lacksContent(manifest, kind))) return undefined
    if (kind !== 'image') return { descriptor, kind, manifest, manifestDescriptor: descriptor }
    const platform = descriptor.platform ?? (await reader.entryPlatform(manifest))
    if (platform === undefined) return { descriptor, kind: 'artifact', manifest, manifestDescriptor: descriptor }
    return { descriptor, kind, manifest, manifestDescriptor: descriptor, platform }
  }
  if (!(await reader.exists(descriptor))) return undefined
  if (!isIndexType(descriptor.mediaType)) return { descriptor, kind: 'other' }
  const first = await reader.firstManifest(descriptor)
  if (first === undefined) return { descriptor, kind: 'other' }
  const kind = entryKind(descriptor, first.manifest)
  const named = { descriptor, manifest: first.manifest, manifestDescriptor: first.descriptor }
  if (kind !== 'image') return { ...named, kind }
  const platform = descriptor.platform ?? first.descriptor.platform ?? (await reader.entryPlatform(first.manifest))
  return platform === undefined ? { ...named, kind: 'artifact' } : { ...named, kind, platform }
}

/** What an entry is by what stands in it; an `image` may still turn out to have no platform. */
function entryKind(descriptor: Descriptor, manifest: Manifest): 'image' | 'attestation' | 'soci-index' | 'artifact' {
  if (descriptor.artifactType === SOCI_INDEX_V2 || sociIndexVersion(manifest) === 'v2') return 'soci-index'
  if (descriptor.annotations?.get('vnd.docker.reference.type') === 'attestation-manifest') return 'attestation'
  if (isUnknown(descriptor.platform)) return 'artifact'
  const isArtifact = (descriptor.artifactType ?? manifest.artifactType) !== undefined
  // An image may have an artifact type all the same; an artifact's layers are not a file system
  return isArtifact && !manifest.layers?.some(({ mediaType }) => isLayerType(mediaType)) ? 'artifact' : 'image'
}

/** So builders list what is not an image; containerd leaves such entries out of an image's platforms. */
function isUnknown(platform: Platform | undefined): boolean {
  return platform?.os === 'unknown' || platform?.architecture === 'unknown'
}

async function absentAsUndefined<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof StoreError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** Reads an image's documents within the limits, each one once. */
class DocumentReader {
  readonly #store: Store
  readonly #name: string
  readonly #signal: AbortSignal | undefined
  readonly #documents = new Map<string, Promise<Manifest | Index>>()
  #references = 0
  #bytes = 0

  constructor(store: Store, name: string, signal: AbortSignal | undefined) {
    this.#store = store
    this.#name = name
    this.#signal = signal
    this.#count(1)
  }

  manifest(descriptor: Descriptor): Promise<Manifest> {
    return this.#document(descriptor, decodeManifest)
  }

  /** Counts what the index lists. */
  async index(descriptor: Descriptor): Promise<Index> {
    const index = await this.#document(descriptor, decodeIndex)
    this.#count(index.manifests?.length ?? 0)
    return index
  }

  exists(descriptor: Descriptor): Promise<boolean> {
    return this.#store.exists(descriptor, { signal: this.#signal })
  }

  /**
   * Whether nothing of an entry but its manifest is in the store, which then lists it by design. The config of what is not an image says nothing:
   * it is often an empty object that others have too. A registry holds what its manifests name, so it is not asked.
   */
  async lacksContent({ config, layers = [] }: Manifest, kind: TreeEntry['kind']): Promise<boolean> {
    if (this.#store.locate === undefined || layers.length === 0) return false
    for (const blob of kind === 'image' ? [config, ...layers] : layers) if (await this.exists(blob)) return false
    return true
  }

  /** The config's platform, normalized. */
  async configPlatform({ config }: Manifest): Promise<Platform> {
    try {
      const bytes = await readContent(this.#store, config, { signal: this.#signal })
      return normalizePlatform(decodeImageConfig(bytes, config.digest).platform)
    } catch (error) {
      throw inContext(error, `config ${config.digest} of ${this.#name}`)
    }
  }

  /** As `configPlatform`; undefined where the manifest's config is not an image's, or names no platform (signatures are stored like that). */
  async entryPlatform(manifest: Manifest): Promise<Platform | undefined> {
    if (manifest.config.mediaType !== DOCKER_CONFIG && manifest.config.mediaType !== OCI_CONFIG) return undefined
    const platform = await this.configPlatform(manifest)
    return platform.architecture === '' || formatPlatform(platform).includes('unknown') ? undefined : platform
  }

  /**
   * The first manifest of a nested index, depth first. Undefined where it has none, or where anything in it is missing or is neither
   * manifest nor index: then the reference leaves the entry alone (core/images/image.go, Manifest without a platform).
   */
  async firstManifest(top: Descriptor): Promise<{ manifest: Manifest; descriptor: Descriptor } | undefined> {
    let first: { manifest: Manifest; descriptor: Descriptor } | undefined
    const pending = [top]
    for (let descriptor = pending.pop(); descriptor !== undefined; descriptor = pending.pop()) {
      if (isManifestType(descriptor.mediaType)) {
        const manifest = await absentAsUndefined(this.manifest(descriptor))
        if (manifest === undefined) return undefined
        first ??= { manifest, descriptor }
      } else if (isIndexType(descriptor.mediaType)) {
        const index = await absentAsUndefined(this.index(descriptor))
        if (index === undefined) return undefined
        pending.push(...[...(index.manifests ?? [])].reverse())
      } else return undefined
    }
    return first
  }

  #document<Decoded extends Manifest | Index>(
    descriptor: Descriptor,
    decode: (bytes: Uint8Array, what: string) => Decoded,
  ): Promise<Decoded> {
    const key = `${descriptor.mediaType} ${descriptor.digest} ${descriptor.size}`
    const known = this.#documents.get(key)
    if (known !== undefined) return known as Promise<Decoded>
    const document = this.#read(descriptor, decode)
    this.#documents.set(key, document)
    return document
  }

  async #read<Decoded>(descriptor: Descriptor, decode: (bytes: Uint8Array, what: string) => Decoded): Promise<Decoded> {
    const what = `${isIndexType(descriptor.mediaType) ? 'index' : 'manifest'} ${descriptor.digest}`
    this.#bytes += Math.max(0, descriptor.size)
    if (this.#bytes > MAX_DOCUMENT_BYTES)
      throw new ImageError('NOT_AN_IMAGE', `the manifests of ${this.#name} have more than ${MAX_DOCUMENT_BYTES} bytes`)
    try {
      const bytes = await readContent(this.#store, descriptor, { signal: this.#signal })
      checkDocument(bytes, descriptor.mediaType, what)
      return decode(bytes, what)
    } catch (error) {
      throw inContext(error, `${what} of ${this.#name}`)
    }
  }

  #count(references: number): void {
    this.#references += references
    if (this.#references > MAX_REFERENCES)
      throw new ImageError('NOT_AN_IMAGE', `${this.#name} has more than ${MAX_REFERENCES} references to manifests`)
  }
}

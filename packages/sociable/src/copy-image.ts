import {
  contentsOf,
  copyContent,
  type Descriptor,
  decodeDocument,
  isIndexType,
  isManifestType,
  readContent,
  type Store,
  StoreError,
} from '@sociable/oci'
import { ImageError, inContext } from './error.js'
import { type CopyTask, copyBlobs, isInPlace } from './indexing/blobs.js'
import { refuseImmutableTag, tagOnce } from './indexing/outcome.js'
import type { CallOptions, ImageLocation, RegistryAccess } from './options.js'
import { type Place, withPlaces } from './places/location.js'
import { collectWarnings, type ProgressEvent } from './progress.js'
import { type ContentResult, contentResult } from './result.js'

export interface CopyImageOptions extends CallOptions, RegistryAccess {
  /** Called while the work goes on; what it throws fails the call. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
}

export interface CopyImageResult extends ContentResult {
  readonly source: string
  /** As a name that `openImage` takes, without the digest. */
  readonly destination: string
  /** Manifests and indexes of the image and of all that is attached to it. */
  readonly manifests: number
  readonly blobs: number
  /** Bytes of the blobs that were not there before; those that a registry took over from another repository are among them. */
  readonly bytesCopied: number
  /** What is attached to the image: SOCI indexes (v1), signatures, lists of contents. */
  readonly referrers: readonly (ContentResult & { readonly artifactType?: string })[]
  readonly warnings: readonly string[]
  readonly seconds: number
}

/** As many references in one image as containerd's walk allows (core/images/handlers.go, maxReferences). */
const MAX_REFERENCES = 10_000
/** Bytes of manifests and indexes that are read at all. */
const MAX_DOCUMENT_BYTES = 256 << 20

/**
 * Copies an image as it is, all platforms, with its SOCI indexes and everything else that is attached to it: every digest stays. What the
 * destination has is not sent again; its tag is written last.
 * @throws ImageError, StoreError with the content named
 * @example
 * await copyImage('oci:./image:app-soci', 'registry.example/app:1-soci')
 */
export async function copyImage(
  source: ImageLocation,
  destination: ImageLocation,
  options: CopyImageOptions = {},
): Promise<CopyImageResult> {
  const { signal, onProgress = () => {} } = options
  return await withPlaces(options, [destination, source], undefined, async (places) => {
    const from = await places.open(source, 'read')
    const top = await from.store.resolve(from.reference, { signal })
    const tag = from.tag ?? top.annotations?.get('org.opencontainers.image.ref.name')
    const to = await places.openDestination(destination, { location: source, tag })
    const result = await copyAll(from, top, to, onProgress, signal)
    await places.finish(to)
    return result
  })
}

async function copyAll(
  from: Place,
  top: Descriptor,
  to: Place,
  onProgress: (event: ProgressEvent) => void,
  signal: AbortSignal | undefined,
): Promise<CopyImageResult> {
  const started = performance.now()
  const { warnings, warn } = collectWarnings(onProgress)
  await refuseImmutableTag(to.store, to.reference, ({ digest }) => digest === top.digest, signal)
  const contents = new Contents(from.store, from.name, warn, signal)
  await contents.addTop(top)
  const referrers = await contents.addReferrers()
  const blobs = [...contents.blobs.values()]
  const blobBytes = blobs.reduce((sum, { size }) => sum + size, 0)
  onProgress({ type: 'plan', layers: [], blobs: blobs.length, blobBytes })
  let bytesCopied = 0
  const task: CopyTask = {
    source: from.store,
    destination: to.store,
    name: from.name,
    onBlob({ digest, size }, present) {
      if (!present) bytesCopied += size
      onProgress({ type: 'blob', digest, size, present })
    },
    onWarning: warn,
  }
  await copyBlobs(task, blobs, signal)
  if (!isInPlace(from.store, to.store)) {
    for (const document of contents.documents) {
      try {
        await copyContent(from.store, document, to.store, { signal })
      } catch (error) {
        throw inContext(error, `${document.digest} of ${from.name}`)
      }
    }
    for (const referrer of referrers) await to.store.attach(referrer, { signal })
  }
  await tagOnce(to.store, contentResult(top), to.reference, signal)
  return {
    ...contentResult(top),
    source: from.name,
    destination: to.name,
    manifests: contents.documents.length,
    blobs: blobs.length,
    bytesCopied,
    referrers: referrers.map(({ artifactType, ...referrer }) => ({
      ...contentResult(referrer),
      ...(artifactType !== undefined && { artifactType }),
    })),
    warnings,
    seconds: (performance.now() - started) / 1000,
  }
}

/** All that belongs to an image. */
class Contents {
  readonly blobs = new Map<string, Descriptor>()
  /** Manifests and indexes, what is referred to before what refers to it. */
  readonly documents: Descriptor[] = []
  readonly #store: Store
  readonly #name: string
  readonly #warn: (message: string) => void
  readonly #signal: AbortSignal | undefined
  readonly #seen = new Set<string>()
  #references = 0
  #bytes = 0

  constructor(store: Store, name: string, warn: (message: string) => void, signal: AbortSignal | undefined) {
    this.#store = store
    this.#name = name
    this.#warn = warn
    this.#signal = signal
  }

  /** @throws ImageError NOT_AN_IMAGE, StoreError */
  async addTop(top: Descriptor): Promise<void> {
    if (!isManifestType(top.mediaType) && !isIndexType(top.mediaType))
      throw new ImageError(
        'NOT_AN_IMAGE',
        `${this.#name} is of type ${top.mediaType || '(none)'}: no manifest or index`,
      )
    await this.#addDocument(top)
  }

  /** What is attached to the documents, and to what is attached. */
  async addReferrers(): Promise<Descriptor[]> {
    const referrers: Descriptor[] = []
    const options = { signal: this.#signal }
    for (let i = 0; i < this.documents.length; i++)
      for await (const referrer of this.#store.referrers(this.documents[i]!, options))
        if (!this.#seen.has(referrer.digest) && (await this.#addIfThere(referrer))) referrers.push(referrer)
    return referrers
  }

  /** An index may list platforms that its store does not have. */
  async #addIfThere(descriptor: Descriptor): Promise<boolean> {
    try {
      await this.#addDocument(descriptor)
      return true
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'NOT_FOUND')) throw error
      this.#warn(`${descriptor.digest} is listed in ${this.#name} but not contained, and not copied`)
      return false
    }
  }

  async #addDocument(descriptor: Descriptor): Promise<void> {
    const { mediaType, digest, size } = descriptor
    this.#seen.add(digest)
    this.#bytes += size
    if (this.#bytes > MAX_DOCUMENT_BYTES)
      throw new ImageError('NOT_AN_IMAGE', `the manifests of ${this.#name} have more than ${MAX_DOCUMENT_BYTES} bytes`)
    const bytes = await readContent(this.#store, descriptor, { signal: this.#signal })
    try {
      const contents = contentsOf(decodeDocument(bytes, mediaType, digest))
      this.#count(contents.length)
      for (const content of contents) {
        if (isIndexType(mediaType)) await this.#addChild(content)
        else this.#addBlob(content)
      }
    } catch (error) {
      throw inContext(error, this.#name)
    }
    this.documents.push({ mediaType, digest, size })
  }

  async #addChild(child: Descriptor): Promise<void> {
    if (!isManifestType(child.mediaType) && !isIndexType(child.mediaType)) this.#addBlob(child)
    else if (!this.#seen.has(child.digest)) await this.#addIfThere(child)
  }

  #addBlob(blob: Descriptor): void {
    this.blobs.set(`${blob.digest} ${blob.size}`, blob)
  }

  #count(references: number): void {
    this.#references += references
    if (this.#references > MAX_REFERENCES)
      throw new ImageError('NOT_AN_IMAGE', `${this.#name} has more than ${MAX_REFERENCES} references`)
  }
}

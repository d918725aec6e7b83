import { readContent } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { digestOf, isDigest, measuring, parseDigest, sizeMismatch, verifying } from '../document/digest.js'
import { detectMediaType } from '../document/manifest.js'
import { isIndexType, isManifestType } from '../document/mediatype.js'
import { decodeReferrer, type Referrer } from '../document/referrer.js'
import { ManifestError, StoreError } from '../error.js'
import { CHUNK_SIZE, type RangeOptions } from '../file/random-access.js'
import type { CallOptions, Content, FetchOptions, PushOptions, Store } from '../store.js'
import {
  findByName,
  findDefault,
  imageNames,
  type LayoutIndex,
  wholeIndex,
  withAttached,
  withImage,
} from './layout-index.js'

/** Bytes of the largest manifest that is looked into for its subject (distribution-spec v1.1.1: registries take 4 MiB at least). */
const SUBJECT_LIMIT = 4 << 20

/**
 * What all stores that keep to the image layout share: blobs by digest, and an index.json that names images. How blobs and index.json are
 * kept is the subclass's.
 */
export abstract class LayoutStore implements Store {
  readonly name: string
  /** Documents that are not in the store, but stand for several things that are. */
  readonly #composed = new Map<string, Uint8Array>()

  constructor(name: string) {
    this.name = name
  }

  /** The blob's size; `undefined` where there is none. */
  protected abstract blobSize(digest: string): Promise<number | undefined>
  /** Its bytes [start, end), in chunks of at most CHUNK_SIZE that are the receiver's unless `reuse`. */
  protected abstract blobRange(
    digest: string,
    start: number,
    end: number,
    options: RangeOptions,
  ): AsyncIterable<Uint8Array>
  protected abstract readIndex(): Promise<LayoutIndex>
  /** Replaces index.json by what `change` makes of it, one change after the other. */
  protected abstract changeIndex(
    change: (index: LayoutIndex) => LayoutIndex,
    signal: AbortSignal | undefined,
  ): Promise<void>
  abstract push(descriptor: Descriptor, content: Content, options?: PushOptions): Promise<void>
  abstract close(): Promise<void>

  async *fetch(descriptor: Descriptor, options: FetchOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, reuse, start = 0, end = descriptor.size } = options
    signal?.throwIfAborted()
    parseDigest(descriptor.digest)
    const size = await this.#sizeOf(descriptor.digest)
    if (size === undefined) throw this.#absent(descriptor.digest)
    if (size !== descriptor.size) throw sizeMismatch(descriptor, size, this.name)
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= size))
      throw new RangeError(`bytes ${start} to ${end} are not within the ${size} bytes of ${descriptor.digest}`)
    const whole = start === 0 && end === size
    const composed = this.#composed.get(descriptor.digest)
    const bytes =
      composed === undefined
        ? this.blobRange(descriptor.digest, start, end, { signal, reuse })
        : chunksOf(composed.subarray(start, end))
    const checked = whole && options.verify !== false ? verifying : measuring
    yield* checked(whole ? descriptor : { ...descriptor, size: end - start }, bytes, this.name)
  }

  async exists(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    signal?.throwIfAborted()
    parseDigest(descriptor.digest)
    return (await this.#sizeOf(descriptor.digest)) === descriptor.size
  }

  async resolve(reference: string | undefined, { signal }: CallOptions = {}): Promise<Descriptor> {
    signal?.throwIfAborted()
    const index = await this.readIndex()
    if (reference !== undefined)
      return isDigest(reference)
        ? this.#resolveDigest(index, reference, signal)
        : findByName(index, reference, this.name)
    const found = findDefault(index, this.name)
    if ('entry' in found) return found.entry
    const { mediaType, bytes } = wholeIndex(index, found.whole, `index.json of ${this.name}`)
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    this.#composed.set(descriptor.digest, bytes)
    return descriptor
  }

  async tag(descriptor: Descriptor, reference: string | undefined, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if ((await this.blobSize(descriptor.digest)) !== descriptor.size) throw this.#absent(descriptor.digest)
    await this.changeIndex((index) => withImage(index, descriptor, reference, this.name), signal)
  }

  async *tags({ signal }: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    signal?.throwIfAborted()
    yield* imageNames(await this.readIndex())
  }

  async attach(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const bytes = await readContent(this, descriptor, { signal, limit: SUBJECT_LIMIT })
    const { subject, ...said } = decodeReferrer(bytes, descriptor.mediaType, descriptor.digest)
    if (subject === undefined)
      throw new ManifestError('MANIFEST_INVALID', `${descriptor.digest} has no subject to be attached to`)
    const { mediaType, digest, size } = descriptor
    await this.changeIndex((index) => withAttached(index, { mediaType, digest, size, ...said }, this.name), signal)
  }

  async sizeOf(digest: string, { signal }: CallOptions = {}): Promise<number | undefined> {
    signal?.throwIfAborted()
    parseDigest(digest)
    return this.#sizeOf(digest)
  }

  async *referrers(
    subject: Descriptor,
    { signal, artifactType }: CallOptions & { readonly artifactType?: string | undefined } = {},
  ): AsyncGenerator<Descriptor, void, undefined> {
    const seen = new Set<string>()
    for (const { mediaType, digest, size, exactSize } of (await this.readIndex()).entries) {
      signal?.throwIfAborted()
      if (!(isManifestType(mediaType) || isIndexType(mediaType)) || seen.has(digest)) continue
      if (size > SUBJECT_LIMIT || exactSize !== undefined) continue
      seen.add(digest)
      if (!isDigest(digest) || !(await this.exists({ mediaType, digest, size }))) continue
      const referrer = readable(await readContent(this, { mediaType, digest, size }, { signal }), mediaType, digest)
      if (referrer?.subject?.digest !== subject.digest) continue
      if (artifactType !== undefined && referrer.artifactType !== artifactType) continue
      const { subject: _, ...said } = referrer
      yield { mediaType, digest, size, ...said }
    }
  }

  /** A digest in the index, with what its entry says; else a document in the store, described by itself. */
  async #resolveDigest(index: LayoutIndex, digest: string, signal: AbortSignal | undefined): Promise<Descriptor> {
    const entry = index.entries.find((other) => other.digest === digest)
    if (entry !== undefined) return entry
    const size = await this.#sizeOf(digest)
    if (size === undefined) throw this.#absent(digest)
    const bytes = await readContent(this, { mediaType: '', digest, size }, { signal })
    const mediaType = detectMediaType(bytes, digest)
    if (mediaType === undefined)
      throw new StoreError('NOT_FOUND', `${this.name}: ${digest} is neither an image manifest nor an index`)
    return { mediaType, digest, size }
  }

  async #sizeOf(digest: string): Promise<number | undefined> {
    return this.#composed.get(digest)?.length ?? (await this.blobSize(digest))
  }

  #absent(digest: string): StoreError {
    return new StoreError('NOT_FOUND', `${this.name} does not have ${digest}`)
  }
}

/** A manifest that cannot be read refers to nothing: it is another image's trouble. */
function readable(bytes: Uint8Array, mediaType: string, what: string): Referrer | undefined {
  try {
    return decodeReferrer(bytes, mediaType, what)
  } catch (error) {
    if (error instanceof ManifestError) return undefined
    throw error
  }
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE) yield bytes.slice(at, at + CHUNK_SIZE)
}

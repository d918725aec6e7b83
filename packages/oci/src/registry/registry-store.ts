import { contentChunks, joinChunks } from '../content.js'
import type { Descriptor } from '../document/descriptor.js'
import { isDigest, measuring, parseDigest, verifying } from '../document/digest.js'
import { parseEcrHost } from '../document/ecr-host.js'
import type { RegistryReference } from '../document/reference.js'
import { ImageReferenceError, StoreError } from '../error.js'
import type { CallOptions, Content, FetchOptions, PushOptions, ResolveOptions, Store } from '../store.js'
import { BlobReader } from './blob-reader.js'
import type { Registry, RegistryClient } from './client.js'
import { deleteEcrImage, ecrPushTime } from './ecr-images.js'
import { getManifest, headManifest, isManifestLike, MANIFEST_LIMIT, tooLarge, verifyBytes } from './manifest-reader.js'
import { BlobPusher } from './push-blob.js'
import { putManifest } from './push-manifest.js'
import { download } from './ranged-download.js'
import { Referrers, type ReferrersOptions } from './referrers.js'
import { repositoryScope, type Scopes } from './scope.js'
import { listTags } from './tags.js'
import { UploadContent } from './upload-content.js'

const TAG = /^\w[\w.-]{0,127}$/ // distribution-spec v1.1.1, "Pulling manifests"
const DEFAULT_TAG = 'latest'
const TAGS_IN_MESSAGE = 20
/** Storage addresses, and manifests, that are kept: what a run asks for more than once. */
const KEPT_BLOBS = 256
const KEPT_MANIFESTS = 16 << 20 // bytes

/** The repository of a reference. What its registry refuses is found out with the first request. */
export async function openRegistry(
  { registry, repository }: Pick<RegistryReference, 'registry' | 'repository'>,
  client: RegistryClient,
  { signal, close }: CallOptions & { readonly close?: (() => Promise<void>) | undefined } = {},
): Promise<RegistryStore> {
  return new RegistryStore(await client.registry(registry, { signal }), repository, close)
}

/** A repository of a registry, over HTTP (OCI distribution-spec v1.1.1). */
export class RegistryStore implements Store {
  readonly name: string
  readonly #registry: Registry
  readonly #repository: string
  readonly #close: (() => Promise<void>) | undefined
  readonly #pusher: BlobPusher
  readonly #referrers: Referrers
  readonly #pull: Scopes
  readonly #push: Scopes
  readonly #deletion: Scopes
  readonly #blobs = new Map<string, BlobReader>()
  /** By digest, verified. */
  readonly #manifests = new Map<string, Uint8Array>()
  #manifestBytes = 0
  /** Digests of manifests whose subject the registry took notice of when they were pushed. */
  readonly #noted = new Set<string>()

  constructor(registry: Registry, repository: string, close?: () => Promise<void>) {
    this.name = `${registry.name}/${repository}`
    this.#registry = registry
    this.#repository = repository
    this.#close = close
    this.#pusher = new BlobPusher(registry, repository)
    this.#referrers = new Referrers(registry, repository)
    this.#pull = repositoryScope(repository, 'pull')
    this.#push = repositoryScope(repository, 'pull', 'push')
    this.#deletion = repositoryScope(repository, 'pull', 'push', 'delete')
  }

  async *fetch(descriptor: Descriptor, options: FetchOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, start = 0, end = descriptor.size, reuse } = options
    signal?.throwIfAborted()
    parseDigest(descriptor.digest)
    const { size } = descriptor
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= size))
      throw new RangeError(`bytes ${start} to ${end} are not within the ${size} bytes of ${descriptor.digest}`)
    if (isManifestLike(descriptor.mediaType)) {
      yield (await this.#manifest(descriptor, this.#pull, signal)).slice(start, end)
      return
    }
    const whole = start === 0 && end === size
    if (start === end && !whole) return
    const bytes = download(this.#registry.client, this.#reader(descriptor), { start, end, signal, reuse })
    const checked = whole && options.verify !== false ? verifying : measuring
    yield* checked(whole ? descriptor : { ...descriptor, size: end - start }, bytes, this.name)
  }

  async exists(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    return this.#exists(descriptor, this.#pull, signal)
  }

  async push(descriptor: Descriptor, content: Content, { signal, verify = true }: PushOptions = {}): Promise<void> {
    const manifest = isManifestLike(descriptor.mediaType)
    if (manifest && descriptor.size > MANIFEST_LIMIT) throw tooLarge(descriptor.digest, descriptor.size)
    if (await this.#exists(descriptor, this.#push, signal)) return
    const where = `the upload to ${this.name}`
    if (!manifest) {
      return this.#pusher.push(new UploadContent(descriptor, content, { verify, where }), signal)
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of verifying(descriptor, contentChunks(content), where)) chunks.push(chunk.slice())
    const bytes = joinChunks(chunks)
    const request = { repository: this.#repository, reference: descriptor.digest, descriptor, bytes, signal }
    if ((await putManifest(this.#registry, request)).subjectNoted) this.#noted.add(descriptor.digest)
    this.#keep(descriptor.digest, bytes)
  }

  /** Without a reference `latest`. @throws StoreError NOT_FOUND with the first tags that there are */
  async resolve(reference = DEFAULT_TAG, { signal, suggest = true }: ResolveOptions = {}): Promise<Descriptor> {
    checkReference(reference)
    const found = await headManifest(this.#registry, this.#named(reference, this.#pull, signal))
    if (found !== undefined) return found
    const [separator, others] = isDigest(reference) ? ['@', ''] : [':', suggest ? await this.#otherTags(signal) : '']
    throw new StoreError('NOT_FOUND', `${this.name}${separator}${reference} is not in the registry${others}`)
  }

  /**
   * Names a manifest; nothing is sent where it has that name already, and without a name nothing is done: a registry finds it by its digest.
   * @throws StoreError TAG_IMMUTABLE
   */
  async tag(descriptor: Descriptor, reference: string | undefined, { signal }: CallOptions = {}): Promise<void> {
    if (reference === undefined) return
    checkReference(reference)
    if (isDigest(reference)) throw new ImageReferenceError(`"${reference}" is a digest, not a tag`)
    const present = await headManifest(this.#registry, this.#named(reference, this.#push, signal))
    if (present?.digest === descriptor.digest) return
    const bytes = await this.#manifest(descriptor, this.#push, signal)
    await putManifest(this.#registry, { repository: this.#repository, reference, descriptor, bytes, signal })
  }

  /** As far as the registry has an API of its own for that (see `ImmutableTags`). False where there is no such tag. */
  async isImmutable(reference: string, { signal }: CallOptions = {}): Promise<boolean> {
    checkReference(reference)
    if (isDigest(reference)) throw new ImageReferenceError(`"${reference}" is a digest, not a tag`)
    const present = await headManifest(this.#registry, this.#named(reference, this.#pull, signal))
    if (present === undefined) return false
    return this.#registry.client.immutableTags(this.#registry.name, this.#repository, reference, { signal })
  }

  tags({ signal }: CallOptions = {}): AsyncIterable<string> {
    return listTags(this.#registry, this.#repository, signal)
  }

  async attach(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    if (this.#noted.has(descriptor.digest) && !this.#referrers.failed) return
    await this.#referrers.attach(descriptor, await this.#manifest(descriptor, this.#push, signal), signal)
  }

  referrers(subject: Descriptor, { signal, artifactType }: ReferrersOptions = {}): AsyncIterable<Descriptor> {
    parseDigest(subject.digest)
    return this.#referrers.list(subject.digest, artifactType, signal)
  }

  /** Takes a blob from another repository of this registry, without its bytes coming by here. False where that cannot be: then `push` it. */
  async mount(descriptor: Descriptor, source: Store, options: CallOptions = {}): Promise<boolean> {
    parseDigest(descriptor.digest)
    if (!(source instanceof RegistryStore) || source.#registry.origin.origin !== this.#registry.origin.origin)
      return false
    if (isManifestLike(descriptor.mediaType) || source.#repository === this.#repository) return false
    return this.#pusher.mount(descriptor, source.#repository, options)
  }

  /**
   * Removes a manifest or a blob, and a manifest from the list of its subject's referrers. One that is not there is no error. From Amazon ECR a manifest is removed by
   * ECR's own API, which keeps one that an image index lists.
   * @throws StoreError DENIED where the registry does not allow it
   */
  async delete(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<void> {
    parseDigest(descriptor.digest)
    const manifest = isManifestLike(descriptor.mediaType)
    if (manifest) {
      const read = await getManifest(this.#registry, this.#named(descriptor.digest, this.#push, signal))
      if (read === undefined) return
      await this.#referrers.detach(descriptor, read.bytes, signal)
      const { client, name } = this.#registry
      const ecr = parseEcrHost(name)
      if (ecr !== undefined) {
        await deleteEcrImage(client.ecrImages, ecr, this.#repository, descriptor.digest, { signal })
        return this.#forget(descriptor.digest)
      }
    }
    const response = await this.#registry.send({
      method: 'DELETE',
      url: `/v2/${this.#repository}/${manifest ? 'manifests' : 'blobs'}/${descriptor.digest}`,
      scopes: this.#deletion,
      expect: [200, 202, 204, 404],
      signal,
    })
    response.discard()
    this.#forget(descriptor.digest)
  }

  /** Amazon ECR tells it; undefined for other registries. @throws StoreError DENIED */
  async pushedAt({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<Date | undefined> {
    parseDigest(digest)
    const { client, name } = this.#registry
    const ecr = parseEcrHost(name)
    return ecr && (await ecrPushTime(client.ecrImages, ecr, this.#repository, digest, { signal }))
  }

  /** @throws StoreError NOT_FOUND; DENIED, or PROTOCOL, where the registry deletes by digest only */
  async untag(reference: string, { signal }: CallOptions = {}): Promise<void> {
    checkReference(reference)
    if (isDigest(reference)) throw new ImageReferenceError(`"${reference}" is a digest, not a tag`)
    const response = await this.#registry.send({
      method: 'DELETE',
      url: `/v2/${this.#repository}/manifests/${reference}`,
      scopes: this.#deletion,
      expect: [200, 202, 204],
      signal,
    })
    response.discard()
  }

  async close(): Promise<void> {
    await this.#close?.()
  }

  async #exists(descriptor: Descriptor, scopes: Scopes, signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted()
    parseDigest(descriptor.digest)
    if (!isManifestLike(descriptor.mediaType)) return this.#pusher.exists(descriptor, scopes, signal)
    const found = await headManifest(this.#registry, this.#named(descriptor.digest, scopes, signal))
    return found?.size === descriptor.size
  }

  /** The whole of a manifest, verified. */
  async #manifest(descriptor: Descriptor, scopes: Scopes, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { digest, size } = descriptor
    if (size > MANIFEST_LIMIT) throw tooLarge(`${this.name}@${digest}`, size)
    let bytes = this.#manifests.get(digest)
    if (bytes === undefined) {
      const read = await getManifest(this.#registry, this.#named(digest, scopes, signal))
      if (read === undefined) throw new StoreError('NOT_FOUND', `${this.name}@${digest} is not in the registry`)
      bytes = read.bytes
      this.#keep(digest, bytes)
    }
    verifyBytes(descriptor, bytes, this.name)
    return bytes
  }

  #keep(digest: string, bytes: Uint8Array): void {
    this.#manifests.set(digest, bytes)
    this.#manifestBytes += bytes.length
    for (const [oldest] of this.#manifests) {
      if (this.#manifestBytes <= KEPT_MANIFESTS) return
      this.#forget(oldest)
    }
  }

  #forget(digest: string): void {
    this.#manifestBytes -= this.#manifests.get(digest)?.length ?? 0
    this.#manifests.delete(digest)
    this.#blobs.delete(digest)
    this.#noted.delete(digest)
  }

  #reader(descriptor: Descriptor): BlobReader {
    const known = this.#blobs.get(descriptor.digest)
    if (known?.descriptor.size === descriptor.size) return known
    const reader = new BlobReader(this.#registry, this.#repository, descriptor)
    this.#blobs.set(descriptor.digest, reader)
    if (this.#blobs.size > KEPT_BLOBS) this.#blobs.delete(this.#blobs.keys().next().value!)
    return reader
  }

  #named(reference: string, scopes: Scopes, signal: AbortSignal | undefined) {
    return { repository: this.#repository, reference, scopes, signal }
  }

  async #otherTags(signal: AbortSignal | undefined): Promise<string> {
    try {
      const tags: string[] = []
      for await (const tag of this.tags({ signal })) if (tags.push(tag) > TAGS_IN_MESSAGE) break
      if (tags.length === 0) return '; it has no tags'
      const more = tags.length > TAGS_IN_MESSAGE ? ' and more' : ''
      return `; there are ${tags.slice(0, TAGS_IN_MESSAGE).join(', ')}${more}`
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return error.code === 'NOT_FOUND' ? '; nor is there such a repository' : ''
    }
  }
}

function checkReference(reference: string): void {
  if (!isDigest(reference) && !TAG.test(reference))
    throw new ImageReferenceError(`"${reference.slice(0, 200)}" is not a tag`)
}

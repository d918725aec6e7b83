import { setTimeout as sleep } from 'node:timers/promises'
import type { Descriptor } from '../document/descriptor.js'
import { digestOf, isDigest } from '../document/digest.js'
import { decodeIndex, encodeIndex, type Index } from '../document/manifest.js'
import { isIndexType, OCI_INDEX } from '../document/mediatype.js'
import { decodeReferrer } from '../document/referrer.js'
import { ManifestError, StoreError } from '../error.js'
import type { CallOptions } from '../store.js'
import type { Registry } from './client.js'
import { getManifest, MANIFEST_LIMIT, type ReadManifest, tooLarge } from './manifest-reader.js'
import { putManifest } from './push-manifest.js'
import { repositoryScope } from './scope.js'
import { pages } from './tags.js'

/** A registry without the API answers that it does not know the path; some, that they do not do it. */
const NO_API = [404, 405, 406, 501]
const WRITES = 12
const SETTLE = 150 // ms, doubled at random: longer than another writer needs from its read to its write

/** Lists, and changes, what refers to the manifests of one repository. */
export class Referrers {
  readonly #registry: Registry
  readonly #repository: string
  /** Writes of this process to the same tag wait for one another. */
  readonly #writing = new Map<string, Promise<void>>()
  #failed = false

  constructor(registry: Registry, repository: string) {
    this.#registry = registry
    this.#repository = repository
  }

  /** Whether the API has failed: then it is not asked again, and what it promised does not count. */
  get failed(): boolean {
    return this.#failed
  }

  /**
   * By the API (distribution-spec v1.1.1, "Listing Referrers"), and by the fallback tag where the API is not there or lists none. An API that fails is
   * asked once and counts as one that is not there, with a notice: nobody must fail for what may only be found besides. So does a fallback tag that cannot be read.
   */
  async *list(
    subject: string,
    artifactType: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Descriptor, void, undefined> {
    const seen = new Set<string>()
    const listed = await this.#byApi(subject, artifactType, signal)
    for (const descriptor of listed === undefined || listed.length === 0
      ? await this.#byTag(subject, signal)
      : listed) {
      // Filtering is the registry's to offer, not to promise.
      if (artifactType !== undefined && descriptor.artifactType !== artifactType) continue
      if (!isDigest(descriptor.digest) || seen.has(descriptor.digest)) continue
      seen.add(descriptor.digest)
      yield descriptor
    }
  }

  /**
   * Sees to it that the manifest is found as a referrer of its subject: nothing to do where the registry's API lists it; else it becomes an entry of the
   * fallback tag (distribution-spec v1.1.1, "Referrers Tag Schema").
   */
  async attach(descriptor: Descriptor, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const { subject, entry } = readReferrer(descriptor, bytes)
    if (subject === undefined)
      throw new ManifestError('MANIFEST_INVALID', `${descriptor.digest} has no subject to be attached to`)
    const listed = await this.#byApi(subject, undefined, signal)
    if (listed?.some(({ digest }) => digest === entry.digest)) return
    await this.#change(subject, signal, (entries) =>
      entries.some(({ digest }) => digest === entry.digest) ? undefined : [...entries, entry],
    )
  }

  /** Before a manifest is deleted: takes it out of the fallback tag of its subject, if it has one. */
  async detach(descriptor: Descriptor, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const { subject } = readReferrer(descriptor, bytes)
    if (subject === undefined) return
    await this.#change(subject, signal, (entries) =>
      entries.some(({ digest }) => digest === descriptor.digest)
        ? entries.filter(({ digest }) => digest !== descriptor.digest)
        : undefined,
    )
  }

  /** Undefined where there is no API, or it fails. */
  async #byApi(
    subject: string,
    artifactType: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Descriptor[] | undefined> {
    if (this.#failed) return undefined
    try {
      return await this.#ask(subject, artifactType, signal)
    } catch (error) {
      signal?.throwIfAborted()
      this.#tellUnknown(subject, error)
      this.#failed = true
      return undefined
    }
  }

  async #ask(
    subject: string,
    artifactType: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Descriptor[] | undefined> {
    const found: Descriptor[] = []
    const filter = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
    const request = {
      method: 'GET',
      url: `/v2/${this.#repository}/referrers/${subject}${filter}`,
      headers: { accept: OCI_INDEX },
      scopes: repositoryScope(this.#repository, 'pull'),
      expect: [200, ...NO_API],
      signal,
    } as const
    for await (const { response, bytes } of pages(this.#registry, request, (each) => this.#registry.once(each))) {
      const type = (response.header('content-type') ?? '').split(';')[0]!.trim()
      if (response.status !== 200 || !isIndexType(type)) {
        response.discard()
        return undefined
      }
      found.push(...(decodeIndex(bytes, response.request).manifests ?? []))
    }
    return found
  }

  /** A tag that cannot be read counts as one that is not there, as with the API; after an API that failed, one try must do. */
  async #byTag(subject: string, signal: AbortSignal | undefined): Promise<readonly Descriptor[]> {
    try {
      return entriesOf(await this.#readTag(subject, signal, { once: this.#failed }))
    } catch (error) {
      signal?.throwIfAborted()
      this.#tellUnknown(subject, error)
      return []
    }
  }

  async #readTag(
    subject: string,
    signal: AbortSignal | undefined,
    options?: { readonly once: boolean },
  ): Promise<ReadManifest | undefined> {
    const scopes = repositoryScope(this.#repository, 'pull')
    const request = { repository: this.#repository, reference: fallbackTag(subject), scopes, signal }
    return getManifest(this.#registry, request, options)
  }

  #tellUnknown(subject: string, error: unknown): void {
    if (!(error instanceof StoreError || error instanceof ManifestError)) throw error
    this.#registry.client.notice(`the referrers of ${subject} cannot be listed, so none are known: ${error.message}`)
  }

  /**
   * Changes the list under the fallback tag, which several may do at once: it is read, written under the condition that it is still what was read (where
   * the registry knows conditions), and read again until the change is seen to have stayed, as another writer may have replaced it.
   */
  async #change(
    subject: string,
    signal: AbortSignal | undefined,
    change: (entries: readonly Descriptor[]) => readonly Descriptor[] | undefined,
  ): Promise<void> {
    const before = this.#writing.get(subject) ?? Promise.resolve()
    const own = before.then(() => this.#changeTag(subject, signal, change))
    const settled = own.catch(() => {})
    this.#writing.set(subject, settled)
    try {
      await own
    } finally {
      if (this.#writing.get(subject) === settled) this.#writing.delete(subject)
    }
  }

  async #changeTag(
    subject: string,
    signal: AbortSignal | undefined,
    change: (entries: readonly Descriptor[]) => readonly Descriptor[] | undefined,
  ): Promise<void> {
    const reference = fallbackTag(subject)
    for (let writes = 0; ; ) {
      const current = await this.#readTag(subject, signal)
      const changed = change(entriesOf(current))
      if (changed === undefined) return
      if (writes++ === WRITES)
        throw new StoreError(
          'PROTOCOL',
          `${this.#registry.name}/${this.#repository}:${reference}, the list of what refers to ${subject}, was replaced by others ${WRITES} times: try again later`,
        )
      const bytes = encodeIndex(indexOf(current, changed))
      if (bytes.length > MANIFEST_LIMIT)
        throw tooLarge(`${this.#registry.name}/${this.#repository}:${reference}`, bytes.length)
      const descriptor = { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length }
      await putManifest(this.#registry, {
        repository: this.#repository,
        reference,
        descriptor,
        bytes,
        ifMatch: current?.etag,
        signal,
      })
      // Another that had read before we wrote, and writes after, is seen after this.
      await sleep(SETTLE * (1 + Math.random()), undefined, { signal }).catch(() => signal?.throwIfAborted())
    }
  }
}

/** `sha256:ab…` is listed under the tag `sha256-ab…` (of 64 digits at most). */
export function fallbackTag(digest: string): string {
  const [algorithm, hex] = digest.split(':') as [string, string]
  return `${algorithm}-${hex.slice(0, 64)}`
}

export type ReferrersOptions = CallOptions & { readonly artifactType?: string | undefined }

interface Referrer {
  /** Digest of what it refers to. */
  readonly subject: string | undefined
  readonly entry: Descriptor
}

function readReferrer({ mediaType, digest, size }: Descriptor, bytes: Uint8Array): Referrer {
  const { subject, ...listed } = decodeReferrer(bytes, mediaType, digest)
  return { subject: subject?.digest, entry: { mediaType, digest, size, ...listed } }
}

function entriesOf(tag: ReadManifest | undefined): readonly Descriptor[] {
  if (tag === undefined || !isIndexType(tag.descriptor.mediaType)) return []
  return decodeIndex(tag.bytes, tag.descriptor.digest).manifests ?? []
}

function indexOf(current: ReadManifest | undefined, manifests: readonly Descriptor[]): Index {
  const before =
    current && isIndexType(current.descriptor.mediaType)
      ? decodeIndex(current.bytes, current.descriptor.digest)
      : undefined
  return { ...before, schemaVersion: 2, mediaType: OCI_INDEX, manifests }
}

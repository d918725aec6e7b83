import type { Descriptor } from '../document/descriptor.js'
import { ContentVerifier, digestOf, isDigest } from '../document/digest.js'
import { detectMediaType } from '../document/manifest.js'
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  isIndexType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../document/mediatype.js'
import { StoreError } from '../error.js'
import type { Registry } from './client.js'
import type { HttpResponse } from './http.js'
import { redactText } from './redact.js'
import type { Scopes } from './scope.js'

/** Bytes of the largest manifest that is read or written: what every registry takes (distribution-spec v1.1.1, "Pushing Manifests"), and few more. */
export const MANIFEST_LIMIT = 4 << 20

/** The artifact manifest that was in OCI's release candidates, and in some registries still. */
const ARTIFACT_MANIFEST = 'application/vnd.oci.artifact.manifest.v1+json'
const ACCEPT = [OCI_INDEX, OCI_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_MANIFEST, ARTIFACT_MANIFEST].join(', ')

/** Statuses of a HEAD after which a GET is sent: it has the registry's words, and some registries know no HEAD. */
const ASK_AGAIN = [403, 404, 405, 501]
/** Docker's first manifests, of 2014 to 2016. */
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/

/** Whether a registry keeps contents of that type with its manifests, and not with its blobs. */
export function isManifestLike(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType) || mediaType === ARTIFACT_MANIFEST
}

export interface ManifestRequest {
  readonly repository: string
  /** A tag or a digest. */
  readonly reference: string
  readonly scopes: Scopes
  readonly signal?: AbortSignal | undefined
}

/** A manifest that was read by a name. */
export interface ReadManifest {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  /** For `If-Match`; where the registry has it. */
  readonly etag: string | undefined
}

/** What a name stands for; undefined if there is no such name. The registry's digest is not verified here but when the manifest is read. */
export async function headManifest(registry: Registry, request: ManifestRequest): Promise<Descriptor | undefined> {
  const response = await registry.send({ ...manifestRequest(request), method: 'HEAD', expect: [200, ...ASK_AGAIN] })
  response.discard()
  const digest = response.header('docker-content-digest') ?? (isDigest(request.reference) ? request.reference : '')
  const size = Number(response.header('content-length') ?? Number.NaN)
  const mediaType = mediaTypeOf(response)
  // A registry may leave out what it is to say (it is a "should"): then the manifest itself tells.
  if (
    response.status !== 200 ||
    response.header('content-encoding') !== undefined ||
    !isDigest(digest) ||
    !Number.isSafeInteger(size) ||
    size === 0 ||
    !isManifestLike(mediaType)
  )
    return (await getManifest(registry, request))?.descriptor
  if (isDigest(request.reference) && digest !== request.reference)
    throw otherDigest(response, request.reference, digest)
  if (size > MANIFEST_LIMIT) throw tooLarge(response.request, size)
  return { mediaType, digest, size }
}

/**
 * The manifest of that name, verified against the digest in its name or the digest that the registry reports; undefined if there is none. `once` sends the
 * request without retries.
 */
export async function getManifest(
  registry: Registry,
  request: ManifestRequest,
  { once = false } = {},
): Promise<ReadManifest | undefined> {
  const get = { ...manifestRequest(request), method: 'GET', expect: [200, 404] } as const
  const response = await (once ? registry.once(get) : registry.send(get))
  if (response.status === 404) {
    response.discard()
    return undefined
  }
  const length = Number(response.header('content-length') ?? 0)
  if (length > MANIFEST_LIMIT) {
    response.discard()
    throw tooLarge(response.request, length)
  }
  const bytes = await response.bytes(MANIFEST_LIMIT)
  const said = response.header('docker-content-digest')
  const expected = isDigest(request.reference)
    ? request.reference
    : said !== undefined && isDigest(said)
      ? said
      : undefined
  const digest = expected ?? digestOf(bytes)
  if (expected !== undefined) verifyBytes({ mediaType: '', digest, size: bytes.length }, bytes, response.request)
  const declared = mediaTypeOf(response)
  if (SCHEMA_1.test(declared))
    throw new StoreError(
      'PROTOCOL',
      `${response.request} returned a Docker manifest of schema 1, which is no longer supported: pull the image with an older Docker and push it again`,
    )
  const mediaType = isManifestLike(declared) ? declared : detectMediaType(bytes, response.request)
  if (mediaType === undefined)
    throw new StoreError(
      'PROTOCOL',
      `${response.request} returned ${redactText(declared) || 'a document without a type'}, which is neither an image manifest nor an index`,
    )
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes, etag: response.header('etag') }
}

/** @throws StoreError DIGEST_MISMATCH, SIZE_MISMATCH */
export function verifyBytes(descriptor: Descriptor, bytes: Uint8Array, where: string): void {
  const verifier = new ContentVerifier(descriptor, where)
  verifier.update(bytes)
  verifier.finish()
}

function manifestRequest({ repository, reference, scopes, signal }: ManifestRequest) {
  const headers = { accept: ACCEPT, 'accept-encoding': 'identity' }
  return { url: `/v2/${repository}/manifests/${reference}`, headers, scopes, signal }
}

function mediaTypeOf(response: HttpResponse): string {
  return (response.header('content-type') ?? '').split(';')[0]!.trim()
}

function otherDigest({ request }: HttpResponse, wanted: string, found: string): StoreError {
  return new StoreError(
    'DIGEST_MISMATCH',
    `${request} returned a manifest with digest ${redactText(found)} instead of ${wanted}: it is not what was pushed`,
  )
}

export function tooLarge(what: string, size: number): StoreError {
  return new StoreError('PROTOCOL', `${what}: the manifest has ${size} bytes, more than the limit of 4 MiB`)
}

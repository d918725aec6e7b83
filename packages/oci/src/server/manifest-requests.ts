import { createHash } from 'node:crypto'
import type { Descriptor } from '../document/descriptor.js'
import { isDigest, parseDigest } from '../document/digest.js'
import {
  checkDocument,
  contentsOf,
  decodeDocument,
  detectMediaType,
  type Index,
  type Manifest,
} from '../document/manifest.js'
import { isIndexType, isManifestType } from '../document/mediatype.js'
import { isTag } from '../document/reference.js'
import { ImageReferenceError, ManifestError, StoreError } from '../error.js'
import { answer, type Exchange, readBody } from './exchange.js'
import type { ServedStore } from './repositories.js'
import { RequestError } from './request-error.js'
import { sendContent } from './send-content.js'
import type { Served } from './served.js'
import { untaggedImage } from './tag-requests.js'

/** distribution-spec v1.1.1, "Pushing Manifests": registries should take at least this, and refuse what is larger with 413. */
const MANIFEST_LIMIT = 4 << 20 // bytes

/** GET and HEAD of a manifest or index, by tag or digest ("Pulling manifests"). */
export async function getManifest(registry: Served, exchange: Exchange, repository: string, reference: string) {
  const store = await registry.repository(repository)
  const descriptor = await resolve(store, repository, reference)
  const { digest, size } = descriptor
  // Whoever made the layout chose that type: a browser must not take what is there for a page.
  const mediaType = isImageType(descriptor.mediaType) ? descriptor.mediaType : 'application/octet-stream'
  exchange.response.writeHead(200, {
    'content-type': mediaType,
    'content-length': size,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  })
  if (exchange.method === 'HEAD') exchange.response.end()
  else await sendContent(store, { digest, size }, { start: 0, end: size }, exchange)
}

/** PUT of a manifest or index: all that it refers to, but for its subject, must be there. */
export async function putManifest(registry: Served, exchange: Exchange, repository: string, reference: string) {
  const declared = Number(exchange.request.headers['content-length'] ?? MANIFEST_LIMIT)
  // Clients may send slowly: what they could all send together is what has to fit.
  const reserved = Math.min(Number.isSafeInteger(declared) ? declared : MANIFEST_LIMIT, MANIFEST_LIMIT)
  if (!registry.bodies.reserve(reserved))
    throw new RequestError(429, 'TOOMANYREQUESTS', 'too many manifests are being uploaded: try again later', {
      'retry-after': '1',
    })
  try {
    await acceptManifest(registry, exchange, repository, reference)
  } finally {
    registry.bodies.release(reserved)
  }
}

async function acceptManifest(registry: Served, exchange: Exchange, repository: string, reference: string) {
  const byDigest = isDigest(reference)
  if (!byDigest && !isTag(reference))
    throw reference.includes(':')
      ? new RequestError(400, 'DIGEST_INVALID', `"${reference.slice(0, 150)}" is not a digest`)
      : new RequestError(400, 'MANIFEST_INVALID', `"${reference.slice(0, 150)}" is not a tag`)
  const bytes = await readBody(exchange, MANIFEST_LIMIT, 'the manifest')
  const algorithm = byDigest ? parseDigest(reference).algorithm : 'sha256'
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  if (byDigest && digest !== reference)
    throw new RequestError(
      400,
      'DIGEST_INVALID',
      `the ${bytes.length} bytes received have the digest ${digest}, not ${reference}`,
    )
  const mediaType = mediaTypeOf(exchange.request.headers['content-type'], bytes, digest)
  checkDocument(bytes, mediaType, digest)
  const document = decodeDocument(bytes, mediaType, digest)
  await checkContents(await registry.repositories.open(repository), repository, document)
  const store = await registry.repositories.open(repository, { create: true })
  const descriptor = { mediaType, digest, size: bytes.length }
  await store.push(descriptor, bytes)
  if (document.subject !== undefined) await store.attach(descriptor)
  if (!byDigest) await store.tag(descriptor, reference)
  answer(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(document.subject !== undefined && { 'oci-subject': document.subject.digest }),
  })
}

/** DELETE of a tag, or of a manifest with its tags ("Deleting Manifests"). */
export async function deleteManifest(registry: Served, exchange: Exchange, repository: string, reference: string) {
  const store = await registry.repository(repository)
  const descriptor = await resolve(store, repository, reference)
  if (store.delete === undefined || store.untag === undefined)
    throw new RequestError(405, 'UNSUPPORTED', `nothing can be deleted in ${repository}`, { allow: 'GET, HEAD' })
  await (isDigest(reference) ? store.delete(descriptor) : store.untag(reference))
  answer(exchange, 202, {})
}

function isImageType(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType)
}

async function resolve(store: ServedStore, repository: string, reference: string): Promise<Descriptor> {
  try {
    if (!isDigest(reference) && !isTag(reference)) throw new ImageReferenceError('it is neither a tag nor a digest')
    const descriptor = await store.resolve(reference).catch(async (error) => {
      const untagged = reference === 'latest' ? await untaggedImage(store) : undefined
      if (untagged === undefined) throw error
      return untagged
    })
    if (await store.exists(descriptor)) return descriptor
    throw new StoreError('NOT_FOUND', `its content is missing`)
  } catch (error) {
    // The digest may be that of a layer, or not of JSON: then it is not a manifest, and nothing is wrong.
    if (!(error instanceof StoreError || error instanceof ManifestError || error instanceof ImageReferenceError))
      throw error
    const what = `${repository} does not have the manifest "${reference.slice(0, 150)}"`
    throw new RequestError(404, 'MANIFEST_UNKNOWN', `${what}: ${error.message}`)
  }
}

/** @throws RequestError for an unknown type, or if the document says that it has another */
function mediaTypeOf(header: string | undefined, bytes: Uint8Array, digest: string): string {
  const said = header?.replace(/;.*/s, '').trim()
  const own = detectMediaType(bytes, digest)
  const mediaType = said || own
  if (mediaType === undefined || !isImageType(mediaType))
    throw new RequestError(
      400,
      'MANIFEST_INVALID',
      `manifests of type ${mediaType?.slice(0, 150) ?? 'unknown'} are not supported, only image manifests and indexes of OCI and Docker`,
    )
  if (own !== undefined && own !== mediaType)
    throw new RequestError(400, 'MANIFEST_INVALID', `Content-Type is ${mediaType}, the document says ${own}`)
  return mediaType
}

async function checkContents(
  store: ServedStore | undefined,
  repository: string,
  document: Manifest | Index,
): Promise<void> {
  for (const descriptor of contentsOf(document))
    if (!isElsewhere(descriptor) && !(await store?.exists(descriptor)))
      throw new RequestError(
        400,
        'MANIFEST_BLOB_UNKNOWN',
        `${repository} does not have ${descriptor.digest} of ${descriptor.size} bytes: push it before the manifest`,
      )
}

/** A layer that is never pushed (image-spec v1.1.1, layer.md, "Non-Distributable Layers"; Docker's are called foreign). */
function isElsewhere({ mediaType }: Descriptor): boolean {
  return /\.nondistributable\.|\.foreign\./.test(mediaType)
}

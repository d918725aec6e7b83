// Pushing blobs (distribution-spec v1.1.1, "Pushing Blobs" and "Mounting a blob from another repository").
import { type DigestAlgorithm, isDigest, parseDigest } from '../document/digest.js'
import { answer, bodyOf, type Exchange } from './exchange.js'
import { parseContentRange } from './range.js'
import type { ServedStore } from './repositories.js'
import { RequestError } from './request-error.js'
import type { Served } from './served.js'
import { Upload } from './uploads.js'

/** POST: begins an upload, or with `digest` takes all of it, or with `mount` takes it from another repository. */
export async function beginUpload(registry: Served, exchange: Exchange, repository: string): Promise<void> {
  const { query } = exchange
  const mount = query.get('mount')
  if (mount !== null && isDigest(mount) && (await mountBlob(registry, repository, mount, query.get('from'))))
    return answerCreated(exchange, repository, mount)
  const digest = mount === null ? query.get('digest') : null
  if (!(await registry.uploads.makeRoom()))
    throw new RequestError(429, 'TOOMANYREQUESTS', 'too many uploads are unfinished: try again later', {
      'retry-after': '10',
    })
  const upload = new Upload(repository, await registry.repositories.stage(), algorithmOf(query))
  registry.uploads.add(upload)
  if (digest === null) return answerUpload(exchange, upload, 202)
  try {
    await upload.exclusively(() => finish(registry, exchange, upload, digest))
  } finally {
    await registry.uploads.remove(upload)
  }
  answerCreated(exchange, repository, digest)
}

/** PATCH: appends a chunk, or a stream of any length. */
export async function continueUpload(registry: Served, exchange: Exchange, repository: string, id: string) {
  const upload = findUpload(registry, repository, id)
  await upload.exclusively(() => append(registry, exchange, upload))
  answerUpload(exchange, upload, 202)
}

/** PUT: appends what there is, and closes the upload. A wrong digest ends it; a chunk that is not the next one does not. */
export async function finishUpload(registry: Served, exchange: Exchange, repository: string, id: string) {
  const upload = findUpload(registry, repository, id)
  const digest = exchange.query.get('digest')
  if (digest === null) throw new RequestError(400, 'DIGEST_INVALID', 'the query has no digest')
  await upload.exclusively(() => finish(registry, exchange, upload, digest))
  await registry.uploads.remove(upload)
  answerCreated(exchange, repository, digest)
}

/** GET: how far it is. */
export async function uploadStatus(registry: Served, exchange: Exchange, repository: string, id: string) {
  answerUpload(exchange, findUpload(registry, repository, id), 204)
}

/** DELETE: forgets it. */
export async function cancelUpload(registry: Served, exchange: Exchange, repository: string, id: string) {
  const upload = findUpload(registry, repository, id)
  await upload.exclusively(() => registry.uploads.remove(upload))
  answer(exchange, 204, {})
}

function findUpload(registry: Served, repository: string, id: string): Upload {
  const upload = registry.uploads.find(repository, id)
  if (upload === undefined)
    throw new RequestError(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload: it has ended or expired')
  return upload
}

async function append(registry: Served, { request }: Exchange, upload: Upload): Promise<void> {
  const { stage, repository } = upload
  if (registry.uploads.find(repository, upload.id) !== upload)
    throw new RequestError(404, 'BLOB_UPLOAD_UNKNOWN', 'the upload ended meanwhile')
  const declared = request.headers['content-length']
  const header = request.headers['content-range']
  let end = Number.POSITIVE_INFINITY
  if (header !== undefined) {
    const range = parseContentRange(header)
    if (range === undefined)
      throw new RequestError(400, 'BLOB_UPLOAD_INVALID', `"${header.slice(0, 100)}" is not a byte range`)
    if (range.start !== stage.size)
      throw new RequestError(
        416,
        'BLOB_UPLOAD_INVALID',
        `the chunk starts at byte ${range.start}, but the next byte is ${stage.size}`,
        uploadHeaders(upload),
      )
    if (declared !== undefined && Number(declared) !== range.end - range.start)
      throw new RequestError(
        400,
        'SIZE_INVALID',
        `the chunk has ${declared} bytes, but its range has ${range.end - range.start}`,
      )
    end = range.end
  }
  const limit = registry.blobLimit
  const tooLarge = (size: number) =>
    new RequestError(413, 'SIZE_INVALID', `the blob has at least ${size} bytes, more than the limit of ${limit}`)
  if (stage.size + Number(declared ?? 0) > limit) throw tooLarge(stage.size + Number(declared))
  for await (const chunk of bodyOf(request)) {
    if (stage.size + chunk.length > limit) throw tooLarge(stage.size + chunk.length)
    if (stage.size + chunk.length > end)
      throw new RequestError(400, 'SIZE_INVALID', `the chunk is longer than its range says: ${header}`)
    await upload.append(chunk)
  }
}

async function finish(registry: Served, exchange: Exchange, upload: Upload, digest: string): Promise<void> {
  const { algorithm } = parseDigest(digest)
  await append(registry, exchange, upload)
  const actual = await upload.digest(algorithm)
  const { stage, repository } = upload
  if (actual !== digest) {
    await registry.uploads.remove(upload)
    throw new RequestError(
      400,
      'DIGEST_INVALID',
      `the ${stage.size} bytes received have the digest ${actual}, not ${digest}`,
    )
  }
  const store = await registry.repositories.open(repository, { create: true })
  await stage.moveTo(store, { mediaType: 'application/octet-stream', digest, size: stage.size })
}

/** Whether the blob is in the repository now: taken from another, or from any where none is named. */
async function mountBlob(registry: Served, repository: string, digest: string, from: string | null): Promise<boolean> {
  const { repositories } = registry
  if (from !== null) return copyFrom(registry, await repositories.open(from), repository, digest)
  for await (const name of repositories.names())
    if (await copyFrom(registry, await repositories.open(name), repository, digest)) return true
  return false
}

async function copyFrom(
  { repositories }: Served,
  source: ServedStore | undefined,
  repository: string,
  digest: string,
): Promise<boolean> {
  const size = await source?.sizeOf(digest)
  if (source === undefined || size === undefined) return false
  const descriptor = { mediaType: 'application/octet-stream', digest, size }
  const target = await repositories.open(repository, { create: true })
  const local = await source.locate?.(descriptor)
  if (local?.offset === 0 && (await target.pushFile?.(descriptor, local.path))) return true
  await target.push(descriptor, source.fetch(descriptor, { verify: false }))
  return true
}

/** The algorithm to hash an upload with from its first byte on, if the request names one. */
function algorithmOf(query: URLSearchParams): DigestAlgorithm {
  const named = query.get('digest-algorithm') ?? query.get('digest') ?? query.get('mount') ?? ''
  return named.startsWith('sha512') ? 'sha512' : 'sha256'
}

function answerCreated(exchange: Exchange, repository: string, digest: string): void {
  answer(exchange, 201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest })
}

function answerUpload(exchange: Exchange, upload: Upload, status: 202 | 204): void {
  answer(exchange, status, uploadHeaders(upload))
}

/** `Range: 0-0` stands for no byte as well as for one; others do the same. */
function uploadHeaders({ repository, id, stage }: Upload): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, stage.size - 1)}`,
    'docker-upload-uuid': id,
  }
}

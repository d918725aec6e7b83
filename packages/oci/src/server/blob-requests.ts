import { answer, type Exchange } from './exchange.js'
import { parseRange } from './range.js'
import type { ServedStore } from './repositories.js'
import { RequestError } from './request-error.js'
import { sendContent } from './send-content.js'
import type { Served } from './served.js'

/** GET and HEAD of a blob, whole or a range of it (distribution-spec v1.1.1, "Pulling blobs"). */
export async function getBlob(registry: Served, exchange: Exchange, repository: string, digest: string) {
  const store = await registry.repository(repository)
  const size = await sizeOfBlob(store, repository, digest)
  const { request, response, method } = exchange
  const etag = `"${digest}"`
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag,
  }
  const condition = request.headers['if-range']
  const wanted =
    method === 'HEAD' || (condition !== undefined && condition !== etag) ? undefined : request.headers.range
  const range = parseRange(wanted, size)
  if (range === 'unsatisfiable')
    throw new RequestError(416, 'SIZE_INVALID', `${wanted} is outside of the ${size} bytes of ${digest}`, {
      'content-range': `bytes */${size}`,
    })
  const { start, end } = range === 'whole' ? { start: 0, end: size } : range
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...headers,
    'content-length': end - start,
    ...(range !== 'whole' && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
  })
  if (method === 'HEAD' || start === end) {
    response.end()
    return
  }
  await sendContent(store, { digest, size }, { start, end }, exchange)
}

/** DELETE of a blob ("Deleting Blobs"). */
export async function deleteBlob(registry: Served, exchange: Exchange, repository: string, digest: string) {
  const store = await registry.repository(repository)
  const size = await sizeOfBlob(store, repository, digest)
  if (store.delete === undefined)
    throw new RequestError(405, 'UNSUPPORTED', `nothing can be deleted in ${repository}`, { allow: 'GET, HEAD' })
  await store.delete({ mediaType: '', digest, size })
  answer(exchange, 202, { 'docker-content-digest': digest })
}

async function sizeOfBlob(store: ServedStore, repository: string, digest: string): Promise<number> {
  const size = await store.sizeOf(digest)
  if (size === undefined) throw new RequestError(404, 'BLOB_UNKNOWN', `${repository} does not have the blob ${digest}`)
  return size
}

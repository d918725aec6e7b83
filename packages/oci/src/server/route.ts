import { isDigest } from '../document/digest.js'
import { isRepositoryName } from '../document/reference.js'
import { RequestError } from './request-error.js'

/** An endpoint of the API (distribution-spec v1.1.1, "Endpoints"), and what of it is asked for. */
export type Route =
  | { readonly kind: 'base' | 'catalog' }
  | { readonly kind: 'tags' | 'uploads'; readonly repository: string }
  | { readonly kind: 'blob' | 'referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }

const WITHIN_REPOSITORY = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/

/** @throws RequestError where the path is none of the API's, or has a name or digest that none can be */
export function parseRoute(path: string): Route {
  const decoded = decode(path)
  if (decoded === '/v2/' || decoded === '/v2') return { kind: 'base' }
  if (decoded === '/v2/_catalog') return { kind: 'catalog' }
  const match = WITHIN_REPOSITORY.exec(decoded)
  if (match === null) throw notFound(path)
  const [, repository, kind, last] = match as unknown as [string, string, string, string]
  if (!isRepositoryName(repository))
    throw new RequestError(400, 'NAME_INVALID', `"${repository.slice(0, 300)}" is not a repository name`)
  if (kind === 'blobs/uploads')
    return last === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id: last }
  if (kind === 'manifests' && last !== '') return { kind: 'manifest', repository, reference: last }
  if (kind === 'tags' && last === 'list') return { kind: 'tags', repository }
  // POST to `blobs/uploads`, without the slash at its end, means the same to some clients.
  if (kind === 'blobs' && last === 'uploads') return { kind: 'uploads', repository }
  if (kind !== 'blobs' && kind !== 'referrers') throw notFound(path)
  if (!isDigest(last)) throw new RequestError(400, 'DIGEST_INVALID', `"${last.slice(0, 150)}" is not a digest`)
  return { kind: kind === 'blobs' ? 'blob' : 'referrers', repository, digest: last }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw notFound(path)
  }
}

function notFound(path: string): RequestError {
  return new RequestError(404, 'NAME_UNKNOWN', `${path.slice(0, 300)} is not part of the API, which starts at /v2/`)
}

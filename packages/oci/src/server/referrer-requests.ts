import type { Descriptor } from '../document/descriptor.js'
import { encodeIndex } from '../document/manifest.js'
import { OCI_INDEX } from '../document/mediatype.js'
import { answer, type Exchange } from './exchange.js'
import { nextLink } from './pages.js'
import type { Served } from './served.js'

/**
 * GET of what refers to a manifest, in pages, optionally of one artifact type (distribution-spec v1.1.1, "Listing Referrers"). A repository that is
 * not there has none: 404 would say that this registry does not have the API.
 */
export async function listReferrers(registry: Served, exchange: Exchange, repository: string, digest: string) {
  const { query } = exchange
  const artifactType = query.get('artifactType') || undefined
  const last = query.get('last')
  const store = await registry.repositories.open(repository)
  const manifests: Descriptor[] = []
  let more = false
  if (store !== undefined) {
    let reached = last === null
    for await (const referrer of store.referrers({ mediaType: '', digest, size: 0 }, { artifactType })) {
      if (!reached) reached = referrer.digest === last
      else if (manifests.length < registry.pageSize) manifests.push(referrer)
      else {
        more = true
        break
      }
    }
  }
  const path = `/v2/${repository}/referrers/${digest}`
  const next = more ? nextLink(path, { artifactType: artifactType ?? null, last: manifests.at(-1)!.digest }) : {}
  const body = encodeIndex({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })
  answer(
    exchange,
    200,
    {
      'content-type': OCI_INDEX,
      ...(artifactType !== undefined && { 'oci-filters-applied': 'artifactType' }),
      ...next,
    },
    body,
  )
}

// Who a result belongs to: with the removal policy DESTROY each resource puts a tag of its own on it, and whoever takes away the last one takes
// away the result. So two stacks can share an image.
import { createHash } from 'node:crypto'
import { isDigest } from '@sociable/oci'
import type { IndexRequest } from './index-request.js'

const TAG_LIMIT = 128 // characters, distribution-spec v1.1.1, "Pulling manifests"
const OWNER_SUFFIX = '.owner-'.length + 12

/** What all owner tags of the request's result begin with; `OUTPUT.owner-`, or for v1 `INPUT.soci-v1.owner-`. */
export function ownerTagPrefix({ format, output: { tag } }: IndexRequest): string {
  const name = format === 'v2' ? tag : `${isDigest(tag) ? tag.replace(':', '-') : tag}.soci-v1`
  return `${bounded(name, TAG_LIMIT - OWNER_SUFFIX)}.owner-`
}

/** @param owner see `ownerOf` */
export function ownerTag(request: IndexRequest, owner: string): string {
  return `${ownerTagPrefix(request)}${owner}`
}

/** Those of `tags` that are the result's owner tags. */
export function ownerTagsAmong(request: IndexRequest, tags: Iterable<string>): string[] {
  const prefix = ownerTagPrefix(request)
  return [...tags].filter((tag) => tag.startsWith(prefix) && /^[0-9a-f]{12}$/.test(tag.slice(prefix.length)))
}

function bounded(name: string, limit: number): string {
  if (name.length <= limit) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12)
  return `${name.slice(0, limit - hash.length - 1)}-${hash}`
}

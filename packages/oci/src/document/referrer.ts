import { decodeDocument, type Manifest } from './manifest.js'

/** What a document says of itself as a referrer: which one it is attached to, and what a list of referrers tells of it. */
export type Referrer = Pick<Manifest, 'subject' | 'annotations' | 'artifactType'>

/**
 * Where a manifest has no artifact type, its config's media type is; an index then has none (distribution-spec v1.1.1, "Listing Referrers").
 * @throws ManifestError
 */
export function decodeReferrer(bytes: Uint8Array, mediaType: string, what: string): Referrer {
  const decoded = decodeDocument(bytes, mediaType, what)
  const { subject, annotations } = decoded
  const artifactType = decoded.artifactType ?? ('config' in decoded ? decoded.config.mediaType : undefined)
  return {
    ...(subject && { subject }),
    ...(annotations && { annotations }),
    ...(artifactType !== undefined && { artifactType }),
  }
}

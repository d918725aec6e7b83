// The SOCI-enabled image (v2): every manifest re-encoded, those that are indexed annotated, the SOCI indexes beside them in one OCI index
// (soci/soci_convert.go: Convert, newOciIndex, annotateImages, addSociIndexes).
import {
  type Descriptor,
  digestOf,
  encodeIndex,
  encodeManifest,
  type Index,
  isManifestType,
  type Manifest,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  type Platform,
} from '@sociable/oci'
import { type Document, IMAGE_MANIFEST_DIGEST, INDEX_DIGEST } from '../soci/soci-index.js'
import type { ImageTree, TreeEntry } from './image-tree.js'

const REFERENCE_DIGEST = 'vnd.docker.reference.digest'

/** A SOCI index for one platform of the image. */
export interface PlatformIndex {
  readonly entry: TreeEntry
  /** As it was asked for. */
  readonly platform: Platform
  readonly index: Document
  /** The layer that comes on top, and the config that has it. */
  readonly startLayer?: { readonly descriptor: Descriptor; readonly config: Document } | undefined
}

export interface RewrittenImage {
  /** The new manifests, in the order of the index; a manifest that stands in it twice is here once. */
  readonly manifests: readonly Document[]
  readonly index: Document
  /** The new manifest by the digest of the entry that it was. */
  readonly renamed: ReadonlyMap<string, Descriptor>
}

/**
 * The image with these SOCI indexes, and without those that it had: converting it again gives the same. Pure: equal input, equal bytes.
 * Other than the reference, attestations keep their annotations and name the new manifest.
 */
export function rewriteImage(tree: ImageTree, sociIndexes: readonly PlatformIndex[]): RewrittenImage {
  const { index: oldIndex, entries } = withoutWrapping(tree)
  const converted = new Map<TreeEntry, Descriptor>()
  const documents = new Map<string, Document>()
  const renamed = new Map<string, Descriptor>()
  const convertEntry = (entry: TreeEntry): void => {
    const { manifest: old, manifestDescriptor } = entry
    if (old === undefined) return
    const ofManifest = sociIndexes.find(({ entry: { descriptor } }) => descriptor.digest === entry.descriptor.digest)
    const annotations = new Map(old.annotations)
    annotations.delete(INDEX_DIGEST)
    if (ofManifest !== undefined) annotations.set(INDEX_DIGEST, ofManifest.index.descriptor.digest)
    const subject =
      entry.kind === 'attestation' && old.subject !== undefined ? renamed.get(old.subject.digest) : undefined
    const bytes = encodeManifest({
      ...old,
      mediaType: OCI_MANIFEST,
      ...withStartLayer(old, ofManifest?.startLayer),
      annotations,
      ...(subject !== undefined && { subject: { ...old.subject, ...contentOf(subject) } }),
    })
    const content = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length }
    documents.set(content.digest, { descriptor: content, bytes })
    // A runtime looks for its platform in the descriptors: where only the SOCI index had one, it would take that for the image
    const platform = entry.descriptor.platform ?? (ofManifest === undefined ? undefined : entry.platform)
    converted.set(entry, {
      ...entry.descriptor,
      ...content,
      ...(platform !== undefined && { platform }),
      annotations: entry.kind === 'attestation' ? attestationAnnotations(entry.descriptor, renamed) : annotations,
    })
    renamed.set(entry.descriptor.digest, content)
    // An attestation may name the manifest in a nested index that has become this entry
    if (!renamed.has(manifestDescriptor!.digest)) renamed.set(manifestDescriptor!.digest, content)
  }
  // Attestations last: they name manifests that must have their new digests by then
  for (const entry of entries) if (entry.kind !== 'attestation') convertEntry(entry)
  for (const entry of entries) if (entry.kind === 'attestation') convertEntry(entry)

  const manifests: Descriptor[] = entries.map((entry) => converted.get(entry) ?? entry.descriptor)
  for (const { entry, platform, index } of sociIndexes) {
    const annotations = new Map([[IMAGE_MANIFEST_DIGEST, renamed.get(entry.descriptor.digest)!.digest]])
    manifests.push({ ...index.descriptor, annotations, platform })
  }
  const bytes = encodeIndex({ ...(oldIndex ?? { schemaVersion: 2 }), mediaType: OCI_INDEX, manifests })
  return {
    manifests: [...documents.values()],
    index: { descriptor: { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length }, bytes },
    renamed,
  }
}

/** What stays of the image once its SOCI indexes are gone: where that is one manifest, the index around it (and its annotations) is dropped. */
function withoutWrapping(tree: ImageTree): { index: Index | undefined; entries: readonly TreeEntry[] } {
  const entries = tree.entries.filter(({ kind }) => kind !== 'soci-index')
  const [only] = entries
  const single = entries.length === 1 && only !== undefined && isManifestType(only.descriptor.mediaType)
  if (!single) return { index: tree.index, entries }
  // A manifest alone is known by its platform only in its config; in an index a runtime looks for it in the descriptor
  const platform = only.descriptor.platform ?? only.platform
  return {
    index: undefined,
    entries: [platform === undefined ? only : { ...only, descriptor: { ...only.descriptor, platform } }],
  }
}

/** The old annotations, the digest of what they attest to renewed. */
function attestationAnnotations(
  { annotations }: Descriptor,
  renamed: ReadonlyMap<string, Descriptor>,
): ReadonlyMap<string, string> {
  const renewed = new Map(annotations)
  const subject = renamed.get(renewed.get(REFERENCE_DIGEST) ?? '')
  if (subject !== undefined) renewed.set(REFERENCE_DIGEST, subject.digest)
  return renewed
}

/** The layers and config of the manifest. */
function withStartLayer(
  { config, layers }: Manifest,
  startLayer: PlatformIndex['startLayer'],
): Pick<Manifest, 'config' | 'layers'> {
  if (startLayer === undefined) return { config: { ...config, mediaType: OCI_CONFIG }, layers }
  return { config: { ...config, ...startLayer.config.descriptor }, layers: [...(layers ?? []), startLayer.descriptor] }
}

function contentOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

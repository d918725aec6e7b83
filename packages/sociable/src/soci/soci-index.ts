// The SOCI index manifest and the names it is found by (soci/soci_index.go: NewIndex, MarshalIndex, addSociLayerAnnotations).
import { type Descriptor, digestOf, encodeManifest, type Manifest, OCI_MANIFEST } from '@sociable/oci'

export const SOCI_INDEX_V1 = 'application/vnd.amazon.soci.index.v1+json'
export const SOCI_INDEX_V2 = 'application/vnd.amazon.soci.index.v2+json'
export const ZTOC_MEDIA_TYPE = 'application/octet-stream'

/** Of a zTOC's or prefetch artifact's descriptor: which layer it is of, and (zTOC only) how it was made. */
export const LAYER_DIGEST = 'com.amazon.soci.image-layer-digest'
export const LAYER_MEDIA_TYPE = 'com.amazon.soci.image-layer-mediaType'
export const SPAN_SIZE = 'com.amazon.soci.span-size'
export const DISABLE_XATTRS = 'com.amazon.soci.disable-xattrs'
/** Of the SOCI index. */
export const BUILD_TOOL = 'com.amazon.soci.build-tool-identifier'
/** Of a zTOC's descriptor: the digest of the profile and the options by which its spans are cut. Absent where the span size alone decides. */
export const SPANS = 'io.github.sociable.spans'
/** Of a SOCI index that was made for a profile: the digest of the profile and of all options that decide what is made of it. */
export const PROFILE = 'io.github.sociable.profile'
/** Of a v2 SOCI index's descriptor in the image index. */
export const IMAGE_MANIFEST_DIGEST = 'com.amazon.soci.image-manifest-digest'
/** Of an image manifest, and of its descriptor in the image index. */
export const INDEX_DIGEST = 'com.amazon.soci.index-digest'

/** The config that a SOCI index must have as an image manifest; its media type tells the index's version. */
export const EMPTY_CONFIG = new TextEncoder().encode('{}')
const EMPTY_CONFIG_DIGEST = digestOf(EMPTY_CONFIG)

/** A manifest or other small content that is to be pushed. */
export interface Document {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

export interface SociIndexInput {
  readonly version: 'v1' | 'v2'
  /** zTOCs in the image's layer order, then prefetch artifacts in the same. */
  readonly layers: readonly Descriptor[]
  /** The image manifest, for v1. */
  readonly subject?: Descriptor | undefined
  readonly buildTool: string
  /** Identifies the profile that it is made for. */
  readonly profile?: string | undefined
}

/** The SOCI index; its descriptor has the artifact type, which the manifest itself has not. */
export function encodeSociIndex({ version, layers, subject, buildTool, profile }: SociIndexInput): Document {
  const artifactType = version === 'v1' ? SOCI_INDEX_V1 : SOCI_INDEX_V2
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: artifactType, digest: EMPTY_CONFIG_DIGEST, size: EMPTY_CONFIG.length },
    layers,
    ...(subject !== undefined && {
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    }),
    annotations: new Map([[BUILD_TOOL, buildTool], ...(profile === undefined ? [] : [[PROFILE, profile] as const])]),
  })
  return { descriptor: { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length, artifactType }, bytes }
}

/** Which SOCI index a manifest is, or undefined where it is none. */
export function sociIndexVersion(manifest: Manifest): 'v1' | 'v2' | undefined {
  if (manifest.config.mediaType === SOCI_INDEX_V1) return 'v1'
  return manifest.config.mediaType === SOCI_INDEX_V2 ? 'v2' : undefined
}

/** The zTOC's descriptor as the SOCI index of an image with this layer lists it. */
export function ztocDescriptor(
  ztoc: { readonly digest: string; readonly size: number },
  layer: Descriptor,
  spanSize: number,
  disableXattrs: boolean,
  spans: string | undefined,
): Descriptor {
  const annotations = new Map([
    [LAYER_DIGEST, layer.digest],
    [LAYER_MEDIA_TYPE, layer.mediaType],
    [SPAN_SIZE, String(spanSize)],
  ])
  if (spans !== undefined) annotations.set(SPANS, spans)
  if (disableXattrs) annotations.set(DISABLE_XATTRS, 'true')
  return { mediaType: ZTOC_MEDIA_TYPE, digest: ztoc.digest, size: ztoc.size, annotations }
}

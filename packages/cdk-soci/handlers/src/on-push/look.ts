import {
  type Descriptor,
  DOCKER_CONFIG,
  decodeImageConfig,
  decodeIndex,
  decodeManifest,
  isIndexType,
  isManifestType,
  type Manifest,
  OCI_CONFIG,
  type Platform,
  readContent,
  type Store,
} from '@sociable/oci'
import { isLayerType } from 'sociable'

/** An image that can be indexed, as far as its manifest or index tells. */
export interface Seen {
  /** Manifests of its images, those of Windows left out. */
  readonly images: readonly Descriptor[]
  /** Their platforms, as far as they are known. */
  readonly platforms: readonly Platform[]
}

/** Of an entry that is a SOCI index (v2), as soci and sociable write it. */
const SOCI_INDEX = /^application\/vnd\.amazon\.soci\.index\.v\d+\+json$/

/**
 * What was pushed, by its one document: for an image of one platform its config too, which names it. A string says why there is nothing to index, as
 * in our own results, signatures, attestations and charts.
 * @throws StoreError, ManifestError
 */
export async function look(store: Store, pushed: Descriptor, signal: AbortSignal): Promise<Seen | string> {
  const { mediaType } = pushed
  if (isIndexType(mediaType)) return lookAtIndex(await readContent(store, pushed, { signal }), pushed)
  if (!isManifestType(mediaType)) return `it is of type ${mediaType || '(none)'}, not an image`
  const manifest = decodeManifest(await readContent(store, pushed, { signal }), pushed.digest)
  const { config, layers = [] } = manifest
  if (SOCI_INDEX.test(config.mediaType)) return 'it is a SOCI index'
  if (config.mediaType !== DOCKER_CONFIG && config.mediaType !== OCI_CONFIG)
    return `it is an artifact whose config is of type ${config.mediaType || '(none)'}`
  // Signatures and attestations have the config of an image, and layers that are none
  if (!layers.some(({ mediaType }) => isLayerType(mediaType)))
    return `it is not a container image: its layers are of type ${layers[0]?.mediaType ?? '(none)'}`
  const bytes = await readContent(store, config, { signal })
  const { platform } = decodeImageConfig(bytes, config.digest)
  if (platform.os === 'windows') return 'it is a Windows image, which cannot be loaded lazily'
  return { images: [pushed], platforms: [platform] }
}

function lookAtIndex(bytes: Uint8Array, { digest }: Descriptor): Seen | string {
  const { manifests = [] } = decodeIndex(bytes, digest)
  if (manifests.some(({ artifactType }) => artifactType !== undefined && SOCI_INDEX.test(artifactType)))
    return 'it holds a SOCI index already'
  // Attestations are listed for the platform unknown/unknown, artifacts by their type
  const images = manifests.filter(
    ({ artifactType, platform }) => artifactType === undefined && platform?.os !== 'unknown',
  )
  if (images.length === 0) return 'it is an index without images'
  const others = images.filter(({ platform }) => platform?.os !== 'windows')
  if (others.length === 0) return 'its images are of Windows, which cannot be loaded lazily'
  return { images: others, platforms: others.flatMap(({ platform }) => platform ?? []) }
}

/** Compressed bytes of its layers, each counted once. Reads a manifest for each platform. @throws StoreError, ManifestError */
export async function compressedSize(store: Store, { images }: Seen, signal: AbortSignal): Promise<number> {
  const sizes = new Map<string, number>()
  for (const image of images) {
    if (!isManifestType(image.mediaType)) continue
    const { layers = [] }: Manifest = decodeManifest(await readContent(store, image, { signal }), image.digest)
    for (const { digest, size } of layers) sizes.set(digest, size)
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** Those of the wanted platforms, as `linux/arm64`, that the image has. */
export function platformsOf({ platforms }: Seen, wanted: readonly string[]): string[] {
  return wanted.filter((name) => {
    const [os, architecture, variant] = name.split('/')
    return platforms.some(
      (platform) =>
        platform.os === os &&
        platform.architecture === architecture &&
        (variant === undefined || platform.variant === undefined || platform.variant === variant),
    )
  })
}

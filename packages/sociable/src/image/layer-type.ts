// Which layers are indexed: the media type decides, as github.com/containerd/containerd/v2 v2.2.9 core/images/mediatypes.go reads it
// (IsLayerType, DiffCompression) and soci/soci_index.go (buildSociLayer) applies it.

import type { Compression } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import { formatBinarySize } from '../size.js'
import { PREFETCH_MEDIA_TYPE } from '../soci/prefetch.js'

const OCI_PREFIX = 'application/vnd.oci.image.layer.'
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
const OCI_NONDISTRIBUTABLE_LAYER = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar'
const DOCKER_FOREIGN_LAYER = 'application/vnd.docker.image.rootfs.foreign.diff.tar'
const DOCKER_COMPRESSION: ReadonlyMap<string, string> = new Map([
  [DOCKER_LAYER, 'none'],
  [DOCKER_FOREIGN_LAYER, 'none'],
  [`${DOCKER_LAYER}.gzip`, 'gzip'],
  [`${DOCKER_FOREIGN_LAYER}.gzip`, 'gzip'],
  [`${DOCKER_LAYER}.zstd`, 'zstd'],
])

export type LayerDecision =
  | { readonly index: Compression }
  | { readonly skip: string }
  /** Neither: such a layer fails the image. */
  | { readonly refuse: string }

/** Whether it is a file system layer's media type at all. */
export function isLayerType(mediaType: string): boolean {
  return mediaType.startsWith(OCI_PREFIX) || DOCKER_COMPRESSION.has(mediaType.split('+')[0]!)
}

/** What is to be done with a layer of this media type and size (compressed bytes); the size is looked at before the compression. */
export function decideLayer(mediaType: string, size: number, minLayerSize: number): LayerDecision {
  if (mediaType === PREFETCH_MEDIA_TYPE) return { skip: 'a prefetch list, not a layer' }
  const [base, ...suffixes] = mediaType.split('+') as [string, ...string[]]
  if (!isLayerType(mediaType)) return { refuse: `its media type ${mediaType} is not a layer type` }
  if (size < minLayerSize) return { skip: `smaller than ${formatBinarySize(minLayerSize)}` }
  const docker = DOCKER_COMPRESSION.get(base)
  if (docker !== undefined) {
    if (suffixes.length > 0) return { skip: `${mediaType} cannot be indexed` }
    if (docker === 'none') return { index: 'uncompressed' }
    return docker === 'gzip' ? { index: 'gzip' } : { skip: 'compressed with zstd' }
  }
  if (base !== OCI_LAYER && base !== OCI_NONDISTRIBUTABLE_LAYER)
    return { refuse: `its media type ${mediaType} is unknown` }
  // The last suffix in byte order counts: `tar+gzip+encrypted` is gzip, `tar+encrypted` nothing known
  const compression = suffixes.sort().at(-1)
  if (compression === 'gzip') return { index: 'gzip' }
  if (compression === 'zstd') return { skip: 'compressed with zstd' }
  return mediaType === OCI_LAYER ? { index: 'uncompressed' } : { skip: `${mediaType} cannot be indexed` }
}

/** The compression of a layer that was named, of any size. @throws ImageError NOT_AN_IMAGE if it cannot be indexed */
export function layerCompression(mediaType: string): Compression {
  const decision = decideLayer(mediaType, 0, 0)
  if ('index' in decision) return decision.index
  throw new ImageError('NOT_AN_IMAGE', 'skip' in decision ? decision.skip : decision.refuse)
}

/** Whether the layer may be absent from its store by design, because it lies at its `urls`. */
export function isNonDistributable(mediaType: string): boolean {
  return (
    mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.') ||
    mediaType.startsWith('application/vnd.docker.image.rootfs.foreign.')
  )
}

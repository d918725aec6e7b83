// What a simulation has to know of an image and of what its start reads.
import type { Descriptor } from '@sociable/oci'
import { readParts, type Toc } from '@sociable/ztoc'
import type { OpenLayer } from '../reading/union.js'
import { readableCompression } from '../reading/zstd-layer.js'
import type { ProfiledFile, ResolvedProfile } from '../start-layer/resolve-profile.js'
import type { Point, SimulatedFile, SimulatedLayer } from './start-work.js'

export interface SimulatedImage {
  readonly layers: readonly SimulatedLayer[]
  readonly files: ReadonlyMap<ProfiledFile, SimulatedFile>
}

/** @param layers bottom first, each with its descriptor */
export function simulatedImage(
  layers: readonly { readonly descriptor: Descriptor; readonly open: OpenLayer }[],
  { files }: ResolvedProfile,
): SimulatedImage {
  const byDigest = new Map(layers.map(({ descriptor }, index) => [descriptor.digest, index]))
  return {
    layers: layers.map(({ descriptor: { digest, size, mediaType }, open: { toc } }) => ({
      digest,
      size,
      unpacked: toc.uncompressedSize,
      entries: toc.files.length,
      canBeLazy: readableCompression(mediaType, size) !== 'zstd',
      points: pointsOf(toc),
    })),
    files: new Map(
      files.map((file) => {
        const { offset, size } = file.content.entry!
        return [
          file,
          { layer: byDigest.get(file.content.layer!.digest)!, size, parts: readParts(offset, size, file.ranges) },
        ]
      }),
    ),
  }
}

/** Where reading a layer can begin: its checkpoints, or in an uncompressed layer the starts of its spans. */
function pointsOf(toc: Toc): readonly Point[] {
  if (toc.compression !== 'uncompressed') {
    const points = [...toc.checkpoints].map(({ in: compressed, out }) => ({ in: compressed, out }))
    // The first checkpoint is behind the header of the gzip member
    return [{ in: 0, out: 0 }, ...points.slice(1)]
  }
  return Array.from({ length: Math.max(1, toc.spanCount) }, (_, span) => {
    const start = span * toc.spanSize
    return { in: start, out: start }
  })
}

// Which of the files that a start reads are copied into the start layer. The others are loaded lazily.
import { DEFAULT_START_LAYER_LIMIT } from '../indexing/settings.js'
import type { ByteRange } from '../profile/profile.js'
import type { ProfiledFile } from './resolve-profile.js'

/** Files over `DEFAULT_START_LAYER_LIMIT` are copied, too, if a start reads so much of them, up to `MAX_NEARLY_WHOLE`. */
const NEARLY_WHOLE = 0.75
const MAX_NEARLY_WHOLE = 16 << 20
/** All files are copied if they come to no more than this, and to no more than this part of the image (compressed bytes, estimated). */
const MAX_TOGETHER = 20 << 20
const MAX_TOGETHER_PART = 0.12

export interface ImageSizes {
  /** Compressed bytes of all layers. */
  readonly imageSize: number
  /** Compressed by uncompressed bytes of the layer, by its digest. */
  readonly ratioOf: (layer: string) => number
}

/** @param limit bytes that a file may have; undefined chooses by what was measured best */
export function chooseFiles(
  files: readonly ProfiledFile[],
  limit: number | undefined,
  { imageSize, ratioOf }: ImageSizes,
): ProfiledFile[] {
  const sizeOf = ({ content }: ProfiledFile): number => content.entry!.size
  if (limit !== undefined) return files.filter((file) => sizeOf(file) <= limit)
  const together = files.reduce((sum, file) => sum + sizeOf(file) * ratioOf(file.content.layer!.digest), 0)
  if (together <= Math.min(MAX_TOGETHER, imageSize * MAX_TOGETHER_PART)) return [...files]
  return files.filter((file) => {
    const size = sizeOf(file)
    const isNearlyWhole = file.ranges !== undefined && rangesSize(file.ranges, size) >= NEARLY_WHOLE * size
    return size <= DEFAULT_START_LAYER_LIMIT || (isNearlyWhole && size <= MAX_NEARLY_WHOLE)
  })
}

function rangesSize(ranges: readonly ByteRange[], size: number): number {
  return ranges.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(end, size) - start), 0)
}

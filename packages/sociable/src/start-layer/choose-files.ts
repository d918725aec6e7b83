// Which of the files that a start reads are copied into the start layer. The others are loaded lazily.
import { isCopied } from '@sociable/ztoc'
import type { Settings } from '../indexing/settings.js'
import type { ProfiledFile } from './resolve-profile.js'

/** All files are copied if they come to no more than this, and to no more than this part of the image (compressed bytes, estimated). */
const MAX_TOGETHER = 20 << 20
const MAX_TOGETHER_PART = 0.12

export interface ImageSizes {
  /** Compressed bytes of all layers. */
  readonly imageSize: number
  /** Compressed by uncompressed bytes of the layer, by its digest. */
  readonly ratioOf: (layer: string) => number
}

/** Those that the settings' rules name; without a limit set by the user all, if they are small together. */
export function chooseFiles(
  files: readonly ProfiledFile[],
  { copyRules, startLayerLimit }: Pick<Settings, 'copyRules' | 'startLayerLimit'>,
  { imageSize, ratioOf }: ImageSizes,
): ProfiledFile[] {
  const sizeOf = ({ content }: ProfiledFile): number => content.entry!.size
  const together = files.reduce((sum, file) => sum + sizeOf(file) * ratioOf(file.content.layer!.digest), 0)
  if (startLayerLimit === undefined && together <= Math.min(MAX_TOGETHER, imageSize * MAX_TOGETHER_PART))
    return [...files]
  return files.filter((file) => isCopied(copyRules, sizeOf(file), file.ranges))
}

import type { Descriptor, Platform } from '@sociable/oci'

/** A blob or manifest. Size in bytes. */
export interface ContentResult {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** The outcome for one layer of an image. */
export interface LayerResult extends ContentResult {
  /**
   * `reused`: a zTOC made before with the same span size and build tool was found and is sound. Where the whole result is in a registry already nothing but
   * manifests is read, and what only the zTOC tells (spans, files, uncompressedSize) is left out.
   */
  readonly state: 'indexed' | 'reused' | 'skipped'
  /** Why it was skipped; absent otherwise. */
  readonly reason?: string
  readonly ztoc?: { readonly digest: string; readonly size: number }
  readonly spans?: number
  readonly files?: number
  /** The tar's size in bytes, as the zTOC records it. */
  readonly uncompressedSize?: number
  /** Wall time of its indexing; absent unless `indexed`. */
  readonly seconds?: number
}

/** The layer of copies of the files that a start reads. */
export interface StartLayerResult extends ContentResult {
  /** Names of files in it. Absent, as `bytes`, where it was there already. */
  readonly files?: number
  /** Bytes of the files. */
  readonly bytes?: number
}

/** What a profile found in a platform. Names are at most 1,000, the numbers are all. */
export interface ProfileResult {
  readonly files: number
  readonly missing: number
  readonly missingPaths: readonly string[]
  /** Folders, devices and pipes. */
  readonly notFiles: number
  readonly notFilePaths: readonly string[]
}

/** One platform of the image that was to be indexed. */
export interface PlatformResult {
  /** `linux/amd64`, `linux/arm/v7`. */
  readonly name: string
  readonly platform: Platform
  /** The platform's manifest before and (v2) after. */
  readonly source: ContentResult
  readonly manifest: ContentResult
  /** The SOCI index; absent where nothing was indexed, and `reason` says why. */
  readonly index?: ContentResult
  readonly reason?: string
  /** The start layer that `profile` added. */
  readonly startLayer?: StartLayerResult
  /** What the profile found; absent without one, and where the whole result was there already. */
  readonly profile?: ProfileResult
  readonly layers: readonly LayerResult[]
}

export interface ConvertResult extends ContentResult {
  readonly source: string
  /** As a name that `openImage` takes, without the digest. */
  readonly destination: string
  /** Whether the image has a SOCI index now; if not, `reason` says why. */
  readonly indexed: boolean
  readonly reason?: string
  /** The source was SOCI-enabled already, and nothing was changed: `destination` and `digest` name the source. Absent otherwise. */
  readonly alreadyEnabled?: true
  readonly images: readonly PlatformResult[]
  /** What the user should know: platforms left out, paths to prefetch not found, layers whose zTOC a runtime would refuse. */
  readonly warnings: readonly string[]
  /** Compressed bytes of the layers that were indexed. */
  readonly bytesIndexed: number
  readonly seconds: number
}

export interface CreateResult {
  readonly image: string
  readonly indexed: boolean
  readonly reason?: string
  readonly images: readonly PlatformResult[]
  /** The tags that the indexes got, by platform name. */
  readonly tags: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
  readonly bytesIndexed: number
  readonly seconds: number
}

export function contentResult({ mediaType, digest, size }: Descriptor): ContentResult {
  return { mediaType, digest, size }
}

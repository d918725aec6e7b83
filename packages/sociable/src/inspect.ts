import type { Platform } from '@sociable/oci'
import type { CallOptions, ImageLocation } from './options.js'
import type { ContentResult } from './result.js'

export interface InspectedLayer extends ContentResult {
  /** Whether a zTOC in the image's SOCI index covers it: then a runtime loads it lazily. */
  readonly lazy: boolean
  /** Why not. */
  readonly reason?: string
  readonly ztoc?: {
    readonly digest: string
    readonly size: number
    readonly spans: number
    readonly spanSize: number
    readonly files: number
    readonly uncompressedSize: number
    readonly buildTool: string
    readonly disableXattrs: boolean
  }
  /** Spans to fetch ahead, as [first, last]. */
  readonly prefetch?: readonly (readonly [number, number])[]
}

export interface InspectedPlatform {
  readonly name: string
  readonly platform: Platform
  readonly manifest: ContentResult
  /** How the SOCI index is attached: `v2` by annotations in the image, `v1` by its subject. */
  readonly version?: 'v1' | 'v2'
  readonly index?: ContentResult
  /** Who built the index, as it says itself. */
  readonly buildTool?: string
  /** Whether that tool makes sound indexes: `unknown` where the identifier stands for versions with and without a known fault. */
  readonly buildToolHealth?: 'sound' | 'unknown'
  /** Links that do not hold, in words; empty where all do. */
  readonly problems: readonly string[]
  readonly layers: readonly InspectedLayer[]
  /** Whether Fargate can load it lazily, as far as an image can tell: accounts and regions differ. */
  readonly fargate: { readonly eligible: boolean; readonly reasons: readonly string[] }
}

export interface InspectResult extends ContentResult {
  readonly image: string
  /** Whether at least one platform has a SOCI index whose links hold. */
  readonly sociEnabled: boolean
  readonly images: readonly InspectedPlatform[]
  /** What the index lists that is no platform's image: attestations, other artifacts, entries whose blobs are absent. */
  readonly others: readonly (ContentResult & { readonly kind: string })[]
}

export interface InspectOptions extends CallOptions {
  /** @default all that the image has */
  readonly platforms?: readonly string[] | undefined
}

/** Tells whether and how an image is SOCI-enabled. Reads manifests, indexes and zTOCs, no layer. @throws ImageError, StoreError */
export async function inspect(_image: ImageLocation, _options: InspectOptions = {}): Promise<InspectResult> {
  throw new Error('not built yet')
}

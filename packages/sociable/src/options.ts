import type { Descriptor, Store } from '@sociable/oci'
import type { Profile } from './profile/profile.js'
import type { ProgressEvent } from './progress.js'

/**
 * Where an image is: a name as the command line takes it (`oci:DIR:TAG`, `oci-archive:FILE`, `docker-archive:FILE`, …), or a store that the
 * caller opened (and closes) with the tag or digest in it; without a reference the store's only image.
 */
export type ImageLocation = string | { readonly store: Store; readonly reference?: string | undefined }

/** Optional changes of the index: `xattr` marks layers without extended attributes, so that a runtime skips looking for them. */
export type Optimization = 'xattr'

export interface CallOptions {
  /** Ends the call with the signal's reason; nothing half-made stays. */
  readonly signal?: AbortSignal | undefined
}

/** How registries are spoken to. */
export interface RegistryAccess {
  /**
   * Login for the destination's registry (where it is in none, for the source's), together with `password`; no other host gets it.
   * @default what is on this machine: docker's and podman's files, for Amazon ECR the AWS SDK's chain; else anonymous
   */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /**
   * Speak HTTP without TLS with these registries (`host:port`). `true` is the call's registry; if it has several, those that speak no TLS, and such a
   * registry gets no login. @default only with a registry on this machine that speaks no TLS
   */
  readonly plainHttp?: boolean | readonly string[] | undefined
  /** Take any certificate of these registries. `true` is as for `plainHttp`. @default false */
  readonly insecure?: boolean | readonly string[] | undefined
  /** Called with what a registry does that a user should know, although the work continues. @default not reported */
  readonly onNotice?: ((message: string) => void) | undefined
}

/** For calls that read an image's files: layers that no index has are read whole. */
export interface WholeLayerOptions {
  /**
   * Called before a layer is read whole, with 0 bytes, and while it is read, with its compressed bytes so far. `all` are the image's layers that should have an
   * index and have none: a start layer is not among them.
   */
  readonly onWholeLayer?: ((layer: Descriptor, bytes: number, all: readonly Descriptor[]) => void) | undefined
}

/** What decides an index's bytes, and how it is built. */
export interface IndexOptions extends CallOptions, RegistryAccess {
  /** Uncompressed bytes between checkpoints, at least 1 (0 for gzip layers only). @default 4194304 (4 MiB), as the soci CLI */
  readonly spanSize?: number | undefined
  /** Layers of fewer compressed bytes are not indexed. @default 10485760 (10 MiB), as the soci CLI */
  readonly minLayerSize?: number | undefined
  /** Written into the zTOCs and the SOCI index. @default 'sociable v1': the output format's version, so digests outlive releases */
  readonly buildTool?: string | undefined
  /** Platforms to index, as `linux/arm64` or `linux/arm/v7`; the SOCI indexes stand in this order. @default all that the image has */
  readonly platforms?: readonly string[] | undefined
  /** Paths in the image whose spans a runtime should fetch ahead; one that no indexed layer has is a warning. @default none */
  readonly prefetchFiles?: readonly string[] | undefined
  /**
   * What a start reads. Layers that it reads in parts get spans cut to these parts, and a runtime fetches them ahead; `convert` puts the small files into a start
   * layer. Paths that the image does not have are warnings. @default none
   */
  readonly profile?: Profile | readonly Profile[] | undefined
  /** Whether a profile decides where spans begin and end. @default true */
  readonly profileSpans?: boolean | undefined
  /** @default none, as the soci CLI */
  readonly optimizations?: readonly Optimization[] | undefined
  /** Index layers again, even if a sound zTOC exists. @default false */
  readonly force?: boolean | undefined
  /**
   * Images whose zTOCs are reused for layers that they have in common, if they were made with the same options. The destination's former image comes
   * first. v1 indexes count only with `trustZtocs`. An image that cannot be read is a warning. @default none
   */
  readonly cacheFrom?: readonly ImageLocation[] | undefined
  /**
   * Also reuse zTOCs from other repositories than the destination's, of build tools that are not known to make sound ones, and of v1 indexes, which
   * anyone who may push can attach to an image. A zTOC decides what a runtime shows as a layer's files, and only decoding the layer proves it.
   * @default false
   */
  readonly trustZtocs?: boolean | undefined
  /** Fail with `NOTHING_TO_INDEX` where no layer can be indexed. @default false: the destination is made all the same */
  readonly requireIndex?: boolean | undefined
  /** Layers indexed at once. @default the machine's cores */
  readonly concurrency?: number | undefined
  /**
   * Bytes of memory that the work may take: a quarter, at most 40 MiB, for reading ahead from registries, the rest for indexing; fewer layers at once
   * where it would not suffice, never fewer than one. @default no limit, and 40 MiB for reading ahead
   */
  readonly memory?: number | undefined
  /**
   * Bytes that one layer may unpack to: more fails the call, as soon as they are seen. @default 16 GiB, or 100 times the layer's size if that is more
   */
  readonly layerLimit?: number | undefined
  /** Called while the work goes on; what it throws fails the call. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
}

/** How a start layer is compressed; `none` makes none. */
export type StartLayerKind = 'none' | 'zstd' | 'gzip'

export interface ConvertOptions extends IndexOptions {
  /**
   * Compress layers with gzip that a runtime cannot load lazily: zstd layers of at least `minLayerSize` bytes, and, if the destination is in a registry, layers
   * that are not compressed. The image's config stays, its manifest is new. Not in the steps of a conversion. @default none: layers stay as they are
   */
  readonly recompress?: 'gzip' | undefined
  /** The start layer that a `profile` adds. @default 'zstd': smaller than gzip, and unpacked faster */
  readonly startLayer?: StartLayerKind | undefined
  /**
   * Bytes of a file that is copied into the start layer. @default 4 MiB, more for files that are read nearly whole, and any size where all files together are
   * small
   */
  readonly startLayerLimit?: number | undefined
  /** Called when everything but the destination's tag is in place. If it throws, the tag keeps pointing to the old image. @default nothing is called */
  readonly beforeTag?: (() => Promise<void>) | undefined
}

export interface CreateOptions extends IndexOptions {
  /** Tags the SOCI index too (with several platforms: `TAG-linux-amd64`, …), so that rules for untagged images leave it. @default no tag */
  readonly indexTag?: string | undefined
}

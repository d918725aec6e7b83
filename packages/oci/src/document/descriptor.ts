/** A platform as an image names it (image-spec v1.1.1, image-index.md); absent strings are ''. */
export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly variant?: string
}

/** What an OCI descriptor says of a content (image-spec v1.1.1, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  /** Bytes. Where the JSON has more than 2^53 − 1, the nearest number, and `exactSize` has the rest. */
  readonly size: number
  /** The size where it is beyond 2^53 − 1 either way; printed instead of `size` as long as the two agree. */
  readonly exactSize?: bigint
  readonly urls?: readonly string[]
  readonly annotations?: ReadonlyMap<string, string>
  /** The content itself in base64; it is carried along, never used. */
  readonly data?: string
  readonly platform?: Platform
  readonly artifactType?: string
}

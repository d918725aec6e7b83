export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
  readonly variant?: string
}

/** What an OCI descriptor says of a content (image-spec v1.1.1, descriptor.md). Sizes are bytes. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: ReadonlyMap<string, string>
  readonly data?: string
  readonly platform?: Platform
  readonly artifactType?: string
}

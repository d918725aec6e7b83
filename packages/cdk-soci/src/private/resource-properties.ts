/** Properties of the custom resource `Custom::SociIndex`, as CloudFormation hands them to its handler: all scalars are strings. */
export interface SociIndexProperties {
  readonly Format: 'v1' | 'v2'
  /** `HOST/NAME` of the private ECR repository, without a tag. */
  readonly Repository: string
  /** Tag, or `sha256:…`. */
  readonly InputTag: string
  /** @default Repository */
  readonly OutputRepository?: string
  /** Always given for v2. */
  readonly OutputTag?: string
  /** v1: tags the index too. */
  readonly IndexTag?: string
  /** An image of any registry that is copied to `Repository:InputTag` first, with what is attached to it. */
  readonly Source?: string
  /** Secret of Secrets Manager, `{"username","password"}`, for the registry of `Source` only. */
  readonly SourceSecretArn?: string
  /** Any text: nothing but a change of it is of interest. */
  readonly Refresh?: string
  /** v2: the image at `OutputTag` was published beforehand: it is checked, and nothing is written. */
  readonly Published?: 'true'
  /** v2: CloudFormation is answered before the image is indexed. */
  readonly Background?: 'true'
  readonly SpanSize?: string
  readonly MinLayerSize?: string
  readonly Platforms?: string[]
  readonly PrefetchFiles?: string[]
  /** `s3://BUCKET/KEY` of a profile. */
  readonly Profile?: string
  readonly BuildTool?: string
  readonly Xattr?: 'true'
  readonly RequireIndex?: 'true'
  /** @default 'retain' */
  readonly Removal?: 'retain' | 'destroy'
}

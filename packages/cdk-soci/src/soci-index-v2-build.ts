import { RemovalPolicy } from 'aws-cdk-lib'
import type * as codebuild from 'aws-cdk-lib/aws-codebuild'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as ecr_assets from 'aws-cdk-lib/aws-ecr-assets'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import { Construct } from 'constructs'
import { SociCompute } from './compute'
import type { SociIndexOptions } from './index-options'
import { attributesOf } from './private/attributes'
import { outputSuffix } from './private/checked-options'
import { DigestImage } from './private/digest-image'
import { assetTag, checkAssetOutputs } from './private/docker-asset'
import { checkInputTag, checkOutputTag, defaultOutputTag } from './private/image-tag'
import { indexResource, resolverOf } from './private/index-resource'

/** Options of `SociIndexV2Build`: what it makes of an image, and where. */
export interface SociIndexV2BuildOptions extends SociIndexOptions {
  /**
   * Tag of the SOCI-enabled image. If the tags of its repository are immutable, change it together with `refresh`.
   * @default - `${inputImageTag}-soci`, followed by a hash of `refresh` and the options if any option changes the index
   */
  readonly outputImageTag?: string
  /** The repository of the SOCI-enabled image. @default - the repository of the image */
  readonly outputRepository?: ecr.IRepository
  /**
   * Any text. When it changes, the image is read again. Use it for tags that move, because a new push does not change the template.
   * @default - the image is read when the resource is created and when another property changes
   */
  readonly refresh?: string
  /** Builds the index with CodeBuild on this type of machine. The same as `compute: SociCompute.codeBuild({ computeType })`. @default - no CodeBuild */
  readonly computeType?: codebuild.ComputeType
}

/** Properties of `SociIndexV2Build`. */
export interface SociIndexV2BuildProps extends SociIndexV2BuildOptions {
  /** The repository of the image. It can be imported, and in another account or region. */
  readonly repository: ecr.IRepository
  /** Tag of the image, or its digest (`sha256:…`). The image does not change. */
  readonly inputImageTag: string
}

/**
 * Makes a SOCI-enabled image (v2) while the stack is deployed, which Fargate can load lazily. It is a new image with its own tag and the same layers. Resources
 * that refer to attributes of this construct are deployed after the image exists.
 */
export class SociIndexV2Build extends Construct {
  /** Indexes the image of an asset. */
  static fromDockerImageAsset(
    scope: Construct,
    id: string,
    imageAsset: ecr_assets.DockerImageAsset,
    options: SociIndexV2BuildOptions = {},
  ): SociIndexV2Build {
    checkAssetOutputs(imageAsset)
    const { repository } = imageAsset
    return new SociIndexV2Build(scope, id, { ...options, repository, inputImageTag: assetTag(imageAsset) })
  }

  /** The repository of the SOCI-enabled image. */
  readonly repository: ecr.IRepository
  /** Tag of the SOCI-enabled image. */
  readonly outputImageTag: string
  /** Digest (`sha256:…`) of the SOCI-enabled image. */
  readonly imageDigest: string
  /** `HOST/NAME@sha256:…` of the SOCI-enabled image. */
  readonly imageUri: string
  /** `true` or `false`: whether the image has an index. */
  readonly indexed: string
  /** Why the image has no index; empty if it has one. */
  readonly indexReason: string

  constructor(scope: Construct, id: string, props: SociIndexV2BuildProps) {
    super(scope, id)
    const { repository, outputRepository = repository, inputImageTag, refresh } = props
    const outputTag = props.outputImageTag ?? defaultOutputTag(inputImageTag, outputSuffix(props, resolverOf(this)))
    checkInputTag('inputImageTag', inputImageTag)
    const inTheSame = outputRepository === repository ? inputImageTag : undefined
    checkOutputTag(outputTag, inTheSame, props.removalPolicy === RemovalPolicy.DESTROY)

    const compute = computeOf(props)
    const request = { format: 'v2', repository, outputRepository, inputTag: inputImageTag, outputTag, refresh } as const
    const attributes = attributesOf(indexResource(this, request, { ...props, ...(compute && { compute }) }))
    this.repository = outputRepository
    this.outputImageTag = attributes.outputImageTag
    this.imageDigest = attributes.imageDigest
    this.imageUri = attributes.imageUri
    this.indexed = attributes.indexed
    this.indexReason = attributes.indexReason
  }

  /**
   * The SOCI-enabled image, for a container of a task definition. Its service is deployed after the image exists. The image is named by its digest, so tasks do not change if the
   * tag moves.
   */
  toEcsDockerImageCode(): ecs.EcrImage {
    return new DigestImage(this, this.repository, this.imageDigest)
  }
}

function computeOf({ compute, computeType }: SociIndexV2BuildProps): SociCompute | undefined {
  if (computeType === undefined) return compute
  if (compute !== undefined)
    throw new Error(
      `computeType (${computeType}) is CodeBuild's, and given together with compute: give one, as compute: SociCompute.codeBuild({ computeType })`,
    )
  return SociCompute.codeBuild({ computeType })
}

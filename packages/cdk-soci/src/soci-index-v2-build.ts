import { RemovalPolicy } from 'aws-cdk-lib'
import type * as codebuild from 'aws-cdk-lib/aws-codebuild'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as ecr_assets from 'aws-cdk-lib/aws-ecr-assets'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import { Construct } from 'constructs'
import { SociCompute } from './compute'
import type { SociIndexOptions } from './index-options'
import { attributesOf } from './private/attributes'
import { optionsSuffix } from './private/checked-options'
import { DigestImage } from './private/digest-image'
import { assetTag, checkAssetOutputs } from './private/docker-asset'
import { checkInputTag, checkOutputTag, defaultOutputTag } from './private/image-tag'
import { indexResource, resolverOf } from './private/index-resource'

/** What `SociIndexV2Build` indexes. */
export interface SociIndexV2BuildProps extends SociIndexOptions {
  /** Has the image. It may be an imported one, of another account or region too. */
  readonly repository: ecr.IRepository
  /** Tag of the image, or its digest (`sha256:…`). The image stays as it is. */
  readonly inputImageTag: string
  /**
   * Tag that the image with its index gets.
   * @default - `${inputImageTag}-soci`; with options that change the index, a hash of them follows
   */
  readonly outputImageTag?: string
  /** Gets the image with its index. @default - the repository of the image */
  readonly outputRepository?: ecr.IRepository
  /**
   * Any text. When it changes, the image is read again: a tag that was pushed anew does not show in a template.
   * @default - the image is read when it is deployed first, and when anything else here changes
   */
  readonly refresh?: string
  /** Builds the index with CodeBuild on this type of machine; the same as `compute: SociCompute.codeBuild({ computeType })`. @default - no CodeBuild */
  readonly computeType?: codebuild.ComputeType
}

/**
 * Gives an image a SOCI index (v2) while the stack is deployed, so that Fargate loads it lazily. The image with its index is another one with a tag of
 * its own; what uses it by this construct's attributes is deployed when it is there.
 */
export class SociIndexV2Build extends Construct {
  /** Indexes the image of an asset, under the tag that it has in its repository. */
  static fromDockerImageAsset(
    scope: Construct,
    id: string,
    imageAsset: ecr_assets.DockerImageAsset,
    options: SociIndexOptions = {},
  ): SociIndexV2Build {
    checkAssetOutputs(imageAsset)
    const { repository } = imageAsset
    return new SociIndexV2Build(scope, id, { ...options, repository, inputImageTag: assetTag(imageAsset) })
  }

  /** Has the image with its index. */
  readonly repository: ecr.IRepository
  /** Tag of the image with its index. */
  readonly outputImageTag: string
  /** Digest (`sha256:…`) of the image with its index. */
  readonly imageDigest: string
  /** `HOST/NAME@sha256:…` of the image with its index. */
  readonly imageUri: string
  /** `true` or `false`: whether there was anything to index. */
  readonly indexed: string
  /** Why there was not; else empty. */
  readonly indexReason: string

  constructor(scope: Construct, id: string, props: SociIndexV2BuildProps) {
    super(scope, id)
    const { repository, outputRepository = repository, inputImageTag, refresh } = props
    const outputTag = props.outputImageTag ?? defaultOutputTag(inputImageTag, optionsSuffix(props, resolverOf(this)))
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
   * The image with its index, for a container of a task definition, whose service then waits for the index. It is named by its digest: the task runs
   * these bytes, whatever the tag names later.
   */
  toEcsDockerImageCode(): ecs.EcrImage {
    return new DigestImage(this.repository, this.imageDigest)
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

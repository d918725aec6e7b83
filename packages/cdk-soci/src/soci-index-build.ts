import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as ecr_assets from 'aws-cdk-lib/aws-ecr-assets'
import { Construct } from 'constructs'
import type { SociIndexOptions } from './index-options'
import { attributesOf } from './private/attributes'
import { assetTag, checkAssetOutputs } from './private/docker-asset'
import { checkIndexTag, checkInputTag } from './private/image-tag'
import { indexResource } from './private/index-resource'
import { warn } from './private/notes'

/** Options of `SociIndexBuild`. */
export interface SociIndexBuildOptions extends SociIndexOptions {
  /**
   * A tag for the index. Without one, lifecycle rules for untagged images and `cdk gc` delete the index.
   * @default - none
   */
  readonly indexTag?: string
  /**
   * Any text. When it changes, the image is read again. Use it for tags that move, because a new push does not change the template.
   * @default - the image is read when the resource is created and when another property changes
   */
  readonly refresh?: string
}

/** Properties of `SociIndexBuild`. */
export interface SociIndexBuildProps extends SociIndexBuildOptions {
  /** The repository of the image, which the index is attached in. It can be imported, and in another account or region. */
  readonly repository: ecr.IRepository
  /** Tag of the image, or its digest (`sha256:…`). */
  readonly imageTag: string
}

/**
 * Attaches a SOCI index (v1) to an image while the stack is deployed. The image does not change. Add a dependency on this construct to the resources that use
 * the image, so that they are deployed after it.
 * @deprecated Fargate only accepts v1 indexes in accounts that used them before v2. SOCI snapshotters that you run yourself accept them. Use
 * SociIndexV2Build.
 */
export class SociIndexBuild extends Construct {
  /** Indexes the image of an asset. */
  static fromDockerImageAsset(
    scope: Construct,
    id: string,
    imageAsset: ecr_assets.DockerImageAsset,
    options: SociIndexBuildOptions = {},
  ): SociIndexBuild {
    checkAssetOutputs(imageAsset)
    const { repository } = imageAsset
    return new SociIndexBuild(scope, id, { ...options, repository, imageTag: assetTag(imageAsset) })
  }

  /** Digest (`sha256:…`) of the image. */
  readonly imageDigest: string
  /** `HOST/NAME@sha256:…` of the image. */
  readonly imageUri: string
  /** `true` or `false`: whether the image has an index. */
  readonly indexed: string
  /** Why the image has no index; empty if it has one. */
  readonly indexReason: string

  constructor(scope: Construct, id: string, props: SociIndexBuildProps) {
    super(scope, id)
    const { repository, imageTag, indexTag, refresh } = props
    checkInputTag('imageTag', imageTag)
    if (indexTag !== undefined) checkIndexTag(indexTag, imageTag)
    warn(
      this,
      'cdk-soci:v1',
      `${this.node.path} makes a SOCI index of version 1, which Fargate uses only in accounts that used version 1 before version 2 came: use SociIndexV2Build`,
    )
    const request = { format: 'v1', repository, inputTag: imageTag, indexTag, refresh } as const
    const attributes = attributesOf(indexResource(this, request, props))
    this.imageDigest = attributes.imageDigest
    this.imageUri = attributes.imageUri
    this.indexed = attributes.indexed
    this.indexReason = attributes.indexReason
  }
}

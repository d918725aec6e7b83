import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as ecr_assets from 'aws-cdk-lib/aws-ecr-assets'
import { Construct } from 'constructs'
import type { SociIndexOptions } from './index-options'
import { attributesOf } from './private/attributes'
import { assetTag, checkAssetOutputs } from './private/docker-asset'
import { checkIndexTag, checkInputTag } from './private/image-tag'
import { indexResource } from './private/index-resource'
import { warn } from './private/notes'

/** What `SociIndexBuild` indexes. */
export interface SociIndexBuildProps extends SociIndexOptions {
  /** Has the image, and gets the index. It may be an imported one, of another account or region too. */
  readonly repository: ecr.IRepository
  /** Tag of the image, or its digest (`sha256:…`). */
  readonly imageTag: string
  /**
   * A tag for the index, which has none by itself: rules for untagged images, and `cdk gc`, delete it then.
   * @default - none
   */
  readonly indexTag?: string
  /**
   * Any text. When it changes, the image is read again: a tag that was pushed anew does not show in a template.
   * @default - the image is read when it is deployed first, and when anything else here changes
   */
  readonly refresh?: string
}

/**
 * Adds a SOCI index (v1) to an image while the stack is deployed. The image stays as it is: what uses it needs a dependency on this construct to be
 * deployed after it.
 * @deprecated Fargate takes v1 indexes only of accounts that used them before v2 came, if at all; they are for SOCI snapshotters that you run yourself. Use
 * SociIndexV2Build.
 */
export class SociIndexBuild extends Construct {
  /** Indexes the image of an asset, under the tag that it has in its repository. */
  static fromDockerImageAsset(
    scope: Construct,
    id: string,
    imageAsset: ecr_assets.DockerImageAsset,
    options: SociIndexOptions = {},
  ): SociIndexBuild {
    checkAssetOutputs(imageAsset)
    const { repository } = imageAsset
    return new SociIndexBuild(scope, id, { ...options, repository, imageTag: assetTag(imageAsset) })
  }

  /** Digest (`sha256:…`) of the image. */
  readonly imageDigest: string
  /** `HOST/NAME@sha256:…` of the image. */
  readonly imageUri: string
  /** `true` or `false`: whether there was anything to index. */
  readonly indexed: string
  /** Why there was not; else empty. */
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

import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { SociIndexOptions } from './index-options'
import type { SociMode } from './soci-mode'

/** Options of `SociContainerImage`. */
export interface SociContainerImageOptions extends SociIndexOptions {
  /** The repository of the SOCI-enabled image. Tasks pull it from there. @default - the repository of the image */
  readonly outputRepository?: ecr.IRepository
  /**
   * Tag of the SOCI-enabled image. If the tags of its repository are immutable, change it together with `refresh`.
   * @default - the tag of the image, `-soci`, and a short hash of `refresh` and the options that differ from their defaults
   */
  readonly outputImageTag?: string
  /**
   * Any text. When it changes, the image is read again. Use it for tags that move: the task definition names a digest, so a later push under the same tag has no effect
   * until then.
   * @default - the image is read when it is first deployed and when another option changes
   */
  readonly refresh?: string
  /**
   * Whether images are loaded lazily. With `false`, images are left unchanged and nothing is indexed, as `cdk deploy --hotswap` needs.
   * @default true, unless the context key `cdk-soci:lazy` is `false`
   */
  readonly lazy?: boolean
  /**
   * When the SOCI-enabled image is made. With `SociMode.PUBLISH`, the command that publishes the image indexes it, and has the options for that. With
   * `SociMode.BACKGROUND`, the deployment does not wait for it.
   * @default SociMode.DEPLOY
   */
  readonly mode?: SociMode
  /**
   * With `SociMode.PUBLISH`: whether a function checks, while the stack is deployed, that the SOCI-enabled image exists and was made of this image. If not, the deployment
   * fails. The task definition names the image by its digest. With `false`, nothing is deployed for the check, and the task definition names the tag.
   * @default true
   */
  readonly checkPublished?: boolean
}

/** Options of `SociContainerImage.fromAsset()`. */
export interface SociAssetImageProps extends ecs.AssetImageProps, SociContainerImageOptions {}

/** Options of `SociContainerImage.fromRegistry()`. */
export interface SociRegistryImageProps extends SociContainerImageOptions {
  /**
   * The repository for the copy of the image. You manage its removal policy, encryption and tag mutability.
   * @default - a new repository per image name, which all its tags share. It is retained when the stack is deleted, unless `removalPolicy` is DESTROY
   */
  readonly repository?: ecr.IRepository
  /** Tag of the copy. Images with different names need different tags in one `repository`. @default - the tag of the image, or its digest as `sha256-…` */
  readonly imageTag?: string
  /** Credentials for the registry: a secret with the JSON `{"username": …, "password": …}`. They are only sent to that registry. @default - none */
  readonly credentials?: secretsmanager.ISecret
}

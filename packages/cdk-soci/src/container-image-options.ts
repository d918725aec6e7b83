import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as ecs from 'aws-cdk-lib/aws-ecs'
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import type { SociIndexOptions } from './index-options'
import type { SociMode } from './soci-mode'

/** How an image is made lazy, and where it goes. */
export interface SociContainerImageOptions extends SociIndexOptions {
  /** Where the image with its index goes; tasks pull it from there. @default - the repository of the image */
  readonly outputRepository?: ecr.IRepository
  /** Tag of the image with its index. @default - the image's own tag, `-soci`, and a short hash of the options that are not the defaults */
  readonly outputImageTag?: string
  /**
   * Any text: when it changes, the image is read again. The task definition names a digest, so what is pushed under the same tag afterwards is not
   * used until then. @default - read when it is deployed first, and when something about it changes
   */
  readonly refresh?: string
  /**
   * Whether images are made lazy. With `false` task definitions name them as they are, and nothing is indexed, as `cdk deploy --hotswap` needs.
   * @default true, unless the context key `cdk-soci:lazy` is `false`
   */
  readonly lazy?: boolean
  /**
   * Who makes the SOCI-enabled image. With `SociMode.PUBLISH` the stack makes none, and options that decide how an image is indexed are those of the command
   * that publishes it.
   * @default SociMode.DEPLOY
   */
  readonly mode?: SociMode
  /**
   * With `SociMode.PUBLISH`: whether a function checks, while the stack is deployed, that the SOCI-enabled image is there and was made of this image. The deployment
   * fails if not, and the task definition names the image by its digest. With `false` nothing is deployed for it, and the task definition names the tag.
   * @default true
   */
  readonly checkPublished?: boolean
}

/** Options of `SociContainerImage.fromAsset()`: how the image is built, and how it is indexed. */
export interface SociAssetImageProps extends ecs.AssetImageProps, SociContainerImageOptions {}

/** Options of `SociContainerImage.fromRegistry()`. */
export interface SociRegistryImageProps extends SociContainerImageOptions {
  /**
   * Where the copy of the image goes. One that you give is yours: its life, encryption and tag mutability.
   * @default - a new one of the stack for each image name, shared by its tags; it stays when the stack goes, unless `removalPolicy` is DESTROY
   */
  readonly repository?: ecr.IRepository
  /** Tag of the copy. Images of several names need different ones in one `repository`. @default - the image's own tag, or its digest as `sha256-…` */
  readonly imageTag?: string
  /** Login for the registry, a secret with the JSON `{"username": …, "password": …}`. It is sent to no one else. @default - none */
  readonly credentials?: secretsmanager.ISecret
}

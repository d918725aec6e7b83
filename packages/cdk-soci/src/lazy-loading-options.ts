import type { SociIndexOptions } from './index-options'
import type { SociMode } from './soci-mode'

/** Options of `LazyLoading.enable()`: how the images are indexed. */
export interface LazyLoadingOptions extends SociIndexOptions {
  /**
   * Any text: when it changes, the images are read again, as for tags that move. @default - an image is read when it is deployed first, and when
   * something about it changes
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

import type { SociIndexOptions } from './index-options'
import type { SociMode } from './soci-mode'

/** Options of `LazyLoading.enable()`. */
export interface LazyLoadingOptions extends SociIndexOptions {
  /**
   * Any text. When it changes, the images are read again. Use it for tags that move.
   * @default - an image is read when it is first deployed and when another option changes
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

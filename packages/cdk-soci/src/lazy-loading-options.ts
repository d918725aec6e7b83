import type { SociIndexOptions } from './index-options'

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
}

import type { SociIndexOptions } from './index-options'

/** Options of `LazyLoading.enable()`: how the images are indexed. */
export interface LazyLoadingOptions extends SociIndexOptions {
  /**
   * Any text: when it changes, the images are read again, as for tags that move. @default - an image is read when it is deployed first, and when
   * something about it changes
   */
  readonly refresh?: string
}

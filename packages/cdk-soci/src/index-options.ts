import type { RemovalPolicy } from 'aws-cdk-lib'
import type { SociCompute } from './compute'
import type { SociProfile } from './soci-profile'

/** How an image is indexed. */
export interface SociImageOptions {
  /** Uncompressed bytes between two points of a layer where reading can start. @default 4194304 (4 MiB), as the soci CLI */
  readonly spanSize?: number
  /** Layers with fewer compressed bytes are not indexed: they are pulled whole. @default 10485760 (10 MiB), as the soci CLI */
  readonly minLayerSize?: number
  /** Platforms to index, such as `linux/arm64`. @default - all platforms of the image */
  readonly platforms?: string[]
  /** Paths in the image that a task reads first. Runtimes that support it fetch them ahead. @default - none */
  readonly prefetchFiles?: string[]
  /** Recorded in the index as the tool that built it. @default 'sociable v1' */
  readonly buildTool?: string
  /** Marks layers without extended attributes, so that the runtime does not look for them. @default false */
  readonly xattr?: boolean
  /**
   * Fails if no layer can be indexed, as in an image of small layers: the deployment fails, or `SociIndexOnPush` reports the image as failed. Otherwise, the image is used
   * without an index.
   * @default false
   */
  readonly requireIndex?: boolean
}

/** How and where an image is indexed while a stack is deployed. */
export interface SociIndexOptions extends SociImageOptions {
  /** Where the index is built. @default SociCompute.lambdaFunction() */
  readonly compute?: SociCompute
  /**
   * The files that a start of the container reads. The image gets a start layer with the small ones, and spans that fit the parts of the others.
   * @default - none
   */
  readonly profile?: SociProfile
  /**
   * Whether the result is deleted with the construct. The image that was indexed is never deleted. With DESTROY, the result is deleted when the last construct that made it with
   * DESTROY, in any stack, is deleted.
   * @default RemovalPolicy.RETAIN, because running tasks may need it
   */
  readonly removalPolicy?: RemovalPolicy
}

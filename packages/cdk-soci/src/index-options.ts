import type { RemovalPolicy } from 'aws-cdk-lib'
import type { SociCompute } from './compute'
import type { SociProfile } from './soci-profile'

/** What decides how an image is indexed. */
export interface SociImageOptions {
  /** Uncompressed bytes between two places of a layer that reading can begin at. @default 4194304 (4 MiB), as the soci CLI */
  readonly spanSize?: number
  /** Layers of fewer compressed bytes are not indexed: they are loaded whole. @default 10485760 (10 MiB), as the soci CLI */
  readonly minLayerSize?: number
  /** Platforms to index, such as `linux/arm64`. @default - all that the image has */
  readonly platforms?: string[]
  /** Paths in the image that a task reads first: their data is loaded ahead, where the runtime does so. @default - none */
  readonly prefetchFiles?: string[]
  /** Says in the index what built it. @default 'sociable v1' */
  readonly buildTool?: string
  /** Marks layers without extended attributes, so that the runtime need not look for them. @default false */
  readonly xattr?: boolean
  /**
   * Fails if there is nothing to index, as in an image of small layers: the deployment fails, or with `SociIndexOnPush` the image is reported as failed.
   * Else the image is used as it is. @default false
   */
  readonly requireIndex?: boolean
}

/** What decides how an image is indexed while a stack is deployed, and where. */
export interface SociIndexOptions extends SociImageOptions {
  /** Where the index is built while the stack is deployed. @default SociCompute.lambdaFunction() */
  readonly compute?: SociCompute
  /**
   * What a start of the container reads: the image gets a start layer with its small files, and spans that are cut to the parts of the others.
   * @default - none
   */
  readonly profile?: SociProfile
  /**
   * Whether what was made goes with the construct; the image that was indexed never does. DESTROY takes it away only if no other stack or construct
   * that made it with DESTROY is left.
   * @default RemovalPolicy.RETAIN, as tasks of before may still need it
   */
  readonly removalPolicy?: RemovalPolicy
}

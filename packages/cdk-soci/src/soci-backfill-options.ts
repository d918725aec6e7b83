import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as s3 from 'aws-cdk-lib/aws-s3'
import type { LambdaFunctionOptions } from './compute-options'
import type { SociImageOptions } from './index-options'
import type { SociIndexVersion } from './soci-index-on-push-options'
import type { SociProfile } from './soci-profile'

/** Which images are indexed, and how. */
export interface SociBackfillProps extends SociImageOptions, LambdaFunctionOptions {
  /**
   * Patterns `REPOSITORY:TAG`, in which `*` is any number of characters, `/` included, and `?` is one. An image is indexed if one of them matches.
   * @default ['*:*'], or with `repositories` those only
   */
  readonly filters?: string[]
  /** Repositories of which every tag is indexed. They must be of the stack's account and region. @default - those of `filters` */
  readonly repositories?: ecr.IRepository[]
  /** @default SociIndexVersion.V2 */
  readonly indexVersion?: SociIndexVersion
  /** V2: tag of the SOCI-enabled image, in which `{tag}` is the tag of the image. @default '{tag}-soci' */
  readonly outputTag?: string
  /**
   * The files that a start of the containers reads. V2 images get a start layer with the small ones, and spans that fit the parts of the others. A profile is of
   * one program: choose its repository by `filters` or `repositories`.
   * @default - none
   */
  readonly profile?: SociProfile
  /** Images indexed at once, 1 to 1000. @default 10 */
  readonly maxConcurrency?: number
  /** Has the list of images of each run, their results and the summary, under `runs/`. @default - a new bucket, which stays when the construct goes */
  readonly bucket?: s3.IBucket
}

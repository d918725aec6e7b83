import type { Size } from 'aws-cdk-lib'
import type * as ecr from 'aws-cdk-lib/aws-ecr'
import type * as events from 'aws-cdk-lib/aws-events'
import type * as sns from 'aws-cdk-lib/aws-sns'
import type { LambdaFunctionOptions } from './compute-options'
import type { SociImageOptions } from './index-options'
import type { SociProfile } from './soci-profile'

/** Kind of index. */
export enum SociIndexVersion {
  /** An index attached to the image, which stays as it is. Only for SOCI snapshotters that you run yourself, and accounts whose Fargate still uses it. */
  V1 = 'V1',
  /** A SOCI-enabled image with a tag of its own, as Fargate uses it. */
  V2 = 'V2',
}

/** Which pushes are indexed, and how. */
export interface SociIndexOnPushProps extends SociImageOptions, LambdaFunctionOptions {
  /**
   * Patterns `REPOSITORY:TAG`, in which `*` is any number of characters, `/` included, and `?` is one. A push is indexed if one of them matches.
   * @default ['*:*'], or with `repositories` those only
   */
  readonly filters?: string[]
  /** Repositories of which every tag is indexed. They must be of the stack's account and region, as events of Amazon ECR are. @default - those of `filters` */
  readonly repositories?: ecr.IRepository[]
  /** @default SociIndexVersion.V2 */
  readonly indexVersion?: SociIndexVersion
  /** V2: tag of the SOCI-enabled image, in which `{tag}` is the tag that was pushed. @default '{tag}-soci' */
  readonly outputTag?: string
  /**
   * The files that a start of the containers reads. V2 images get a start layer with the small ones, and spans that fit the parts of the others. A profile is of
   * one program: choose its repository by `filters` or `repositories`.
   * @default - none
   */
  readonly profile?: SociProfile
  /** Indexes images, too, that Amazon ECR replicates to this region and account. @default false */
  readonly replicatedImages?: boolean

  /** Images indexed at once, 2 to 1000. @default 10, or `reservedConcurrency` if it is less */
  readonly maxConcurrency?: number
  /** Concurrency of the account's Lambda quota that only this function has, and that it never exceeds: at least 2. @default - none */
  readonly reservedConcurrency?: number
  /**
   * Hands V2 images of more than `largeImageSize`, and those that a function has no time for, to Step Functions, where each layer has a function of its own.
   * @default true
   */
  readonly largeImages?: boolean
  /** Compressed size of an image above which Step Functions indexes it. @default Size.gibibytes(20) */
  readonly largeImageSize?: Size

  /** Looks on a schedule for pushes that have no index, as Amazon ECR's events are delivered by best effort. @default true */
  readonly reconcile?: boolean
  /** When that is done. @default - once a day */
  readonly reconcileSchedule?: events.Schedule
  /** Pushes of how many days are looked at, 1 to 365. @default 3 */
  readonly reconcileDays?: number

  /** Gets an event when an image became ready (`SOCI Index Ready`) or failed (`SOCI Index Failed`), of the source `sociable`. @default - the account's default bus */
  readonly eventBus?: events.IEventBus
  /** Namespace of the metrics in CloudWatch. @default 'Sociable' */
  readonly metricsNamespace?: string
  /** Is told when an image failed for good, and when that has been cleared. @default - the alarm only shows in CloudWatch */
  readonly alarmTopic?: sns.ITopic
}

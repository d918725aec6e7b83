import type { Duration } from 'aws-cdk-lib'
import type * as codebuild from 'aws-cdk-lib/aws-codebuild'
import type { ComputeOptions } from './compute-options'

/** Options of `SociCompute.codeBuild()`. */
export interface CodeBuildComputeOptions extends ComputeOptions {
  /** @default ComputeType.SMALL */
  readonly computeType?: codebuild.ComputeType
  /** @default Duration.minutes(55) */
  readonly timeout?: Duration
}

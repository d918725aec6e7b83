import type { Duration } from 'aws-cdk-lib'
import type * as codebuild from 'aws-cdk-lib/aws-codebuild'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { ComputeOptions } from './compute-options'

/** Options of `SociCompute.codeBuild()`. A `role` of yours must be one that both Lambda and CodeBuild may assume. */
export interface CodeBuildComputeOptions extends ComputeOptions {
  /** Size of the machine. @default ComputeType.SMALL: two processors and 4 GB on arm64 */
  readonly computeType?: codebuild.ComputeType
  /** Of the machine; it has nothing to do with the images'. @default Architecture.ARM_64, which costs less */
  readonly architecture?: lambda.Architecture
  /** Time for one index, in whole minutes: at least 5, at most 43, as CloudFormation waits for an hour. @default Duration.minutes(40) */
  readonly timeout?: Duration
}

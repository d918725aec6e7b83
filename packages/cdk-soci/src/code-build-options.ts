import type { Duration } from 'aws-cdk-lib'
import type * as codebuild from 'aws-cdk-lib/aws-codebuild'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { ComputeOptions } from './compute-options'

/** Options of `SociCompute.codeBuild()`. Both Lambda and CodeBuild must be able to assume `role`. */
export interface CodeBuildComputeOptions extends ComputeOptions {
  /** Size of the machine. @default ComputeType.SMALL: two processors and 4 GB on arm64 */
  readonly computeType?: codebuild.ComputeType
  /** Architecture of the machine. It does not depend on the images. @default Architecture.ARM_64, which costs less */
  readonly architecture?: lambda.Architecture
  /** Time for one index, 5 to 43 whole minutes, because CloudFormation waits for one hour. @default Duration.minutes(40) */
  readonly timeout?: Duration
}

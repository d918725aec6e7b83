import type { Duration } from 'aws-cdk-lib'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { ComputeOptions } from './compute-options'

/** Options of `SociCompute.stepFunctions()`. `role` is the role of the function; the state machine has its own. */
export interface StepFunctionsComputeOptions extends ComputeOptions {
  /** MiB of memory for each layer, 512 to 10240. @default 3538, which gives two processors for the two threads that read a layer */
  readonly memorySize?: number
  /** Architecture of the function. It does not depend on the images. @default Architecture.ARM_64, which costs less */
  readonly architecture?: lambda.Architecture
  /** A Node.js runtime of Lambda, version 22 or newer. @default nodejs24.x */
  readonly runtime?: lambda.Runtime
  /** Layers that are indexed at a time, 1 to 1000. Each takes one concurrent execution of the account's quota. @default 40 */
  readonly maxConcurrency?: number
  /** Time for one image, 1 to 53 minutes, because CloudFormation waits for one hour. A layer has 15 minutes. @default Duration.minutes(50) */
  readonly timeout?: Duration
}

import type { Duration } from 'aws-cdk-lib'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import type { ComputeOptions } from './compute-options'

/** Options of `SociCompute.stepFunctions()`. A `role` of yours is the function's; the state machine has its own. */
export interface StepFunctionsComputeOptions extends ComputeOptions {
  /** MiB of memory for each layer, 512 to 10240. @default 3538: two processors, for the two threads that a layer is read by */
  readonly memorySize?: number
  /** @default Architecture.ARM_64, which costs less */
  readonly architecture?: lambda.Architecture
  /** A Node.js of Lambda, 22 or newer. @default nodejs24.x, the one that Lambda supports for longest */
  readonly runtime?: lambda.Runtime
  /** Layers indexed at once, 1 to 1000: so many functions of the account's quota. @default 40 */
  readonly maxConcurrency?: number
  /** Time for one image: at least 1 minute, at most 53, as CloudFormation waits for an hour; a layer has 15. @default Duration.minutes(50) */
  readonly timeout?: Duration
}

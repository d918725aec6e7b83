import type { Duration } from 'aws-cdk-lib'
import type { ComputeOptions } from './compute-options'

/** Options of `SociCompute.stepFunctions()`. */
export interface StepFunctionsComputeOptions extends ComputeOptions {
  /** @default Duration.minutes(55) */
  readonly timeout?: Duration
}

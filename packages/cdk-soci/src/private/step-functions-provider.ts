import type { StepFunctionsComputeOptions } from '../step-functions-options'
import type { BindProvider } from './provider'

export function bindStepFunctions(_options: StepFunctionsComputeOptions): BindProvider {
  throw new Error('SociCompute.stepFunctions() is not there yet')
}

import type { CodeBuildComputeOptions } from '../code-build-options'
import type { BindProvider } from './provider'

export function bindCodeBuild(_options: CodeBuildComputeOptions): BindProvider {
  throw new Error('SociCompute.codeBuild() is not there yet')
}

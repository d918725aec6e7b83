import type { CodeBuildComputeOptions } from './code-build-options'
import type { LambdaComputeOptions } from './compute-options'
import { bindCodeBuild } from './private/code-build-provider'
import { bindLambda } from './private/lambda-provider'
import type { BindProvider } from './private/provider'
import { bindStepFunctions } from './private/step-functions-provider'
import type { StepFunctionsComputeOptions } from './step-functions-options'

/**
 * Where indexes are built while a stack is deployed. A stack gets the resources once for all indexes with the same kind of compute and options. If you change these, new
 * resources are created before the old ones are deleted.
 */
export class SociCompute {
  /** A Lambda function, for images of any size that it can index in 15 minutes. The default. */
  static lambdaFunction(options: LambdaComputeOptions = {}): SociCompute {
    return new SociCompute(bindLambda(options))
  }

  /** A CodeBuild project, for images that take longer than 15 minutes. A build takes at least half a minute to start. */
  static codeBuild(options: CodeBuildComputeOptions = {}): SociCompute {
    return new SociCompute(bindCodeBuild(options))
  }

  /** A state machine that runs a Lambda function for each layer, for very large images with many layers or platforms. */
  static stepFunctions(options: StepFunctionsComputeOptions = {}): SociCompute {
    return new SociCompute(bindStepFunctions(options))
  }

  /** @internal */
  readonly _bind: BindProvider

  private constructor(bind: BindProvider) {
    this._bind = bind
  }
}

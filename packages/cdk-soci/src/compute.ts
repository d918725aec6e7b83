import type { CodeBuildComputeOptions } from './code-build-options'
import type { LambdaComputeOptions } from './compute-options'
import { bindCodeBuild } from './private/code-build-provider'
import { bindLambda } from './private/lambda-provider'
import type { BindProvider } from './private/provider'
import { bindStepFunctions } from './private/step-functions-provider'
import type { StepFunctionsComputeOptions } from './step-functions-options'

/**
 * Where indexes are built while a stack is deployed. Each stack gets what is needed once for all indexes of the same options; another kind, or
 * other options, are other resources, and what a deployed stack had before is deleted after the new is there.
 */
export class SociCompute {
  /** A Lambda function that streams: images of any size that its 15 minutes suffice for. The default. */
  static lambdaFunction(options: LambdaComputeOptions = {}): SociCompute {
    return new SociCompute(bindLambda(options))
  }

  /** A CodeBuild project, for what outgrows Lambda's time; it takes half a minute and more to start. */
  static codeBuild(options: CodeBuildComputeOptions = {}): SociCompute {
    return new SociCompute(bindCodeBuild(options))
  }

  /** A state machine with a Lambda function for each layer, for very large images of many layers or platforms. */
  static stepFunctions(options: StepFunctionsComputeOptions = {}): SociCompute {
    return new SociCompute(bindStepFunctions(options))
  }

  /** @internal */
  readonly _bind: BindProvider

  private constructor(bind: BindProvider) {
    this._bind = bind
  }
}

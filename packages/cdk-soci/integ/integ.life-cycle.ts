// Deploys one image's index on each compute, to be removed with the stack, and asserts what its resource answered and what ECR has.
import { ExpectedResult, Match } from '@aws-cdk/integ-tests-alpha'
import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib'
import { SociCompute, SociIndexV2Build } from 'cdk-soci'
import { exampleImage, expectIndexed, integTest } from './support.ts'

const { stack, integ } = integTest('LifeCycle')
const asset = exampleImage(stack, 'Image')
const computes = {
  Lambda: SociCompute.lambdaFunction(),
  CodeBuild: SociCompute.codeBuild(),
  StepFunctions: SociCompute.stepFunctions(),
}

for (const [name, compute] of Object.entries(computes)) {
  const index = new SociIndexV2Build(stack, name, {
    repository: asset.repository,
    inputImageTag: asset.imageTag,
    outputImageTag: `${asset.imageTag}-${name.toLowerCase()}`,
    removalPolicy: RemovalPolicy.DESTROY,
    compute,
  })
  new CfnOutput(stack, `${name}Indexed`, { value: index.indexed })
  expectIndexed(integ, index.repository.repositoryName, index.outputImageTag, index.imageDigest)
}
integ.assertions.awsApiCall('CloudFormation', 'describeStacks', { StackName: stack.stackName }).expect(
  ExpectedResult.objectLike({
    Stacks: [
      Match.objectLike({
        Outputs: Match.arrayWith(
          Object.keys(computes).map((name) => Match.objectLike({ OutputKey: `${name}Indexed`, OutputValue: 'true' })),
        ),
      }),
    ],
  }),
)

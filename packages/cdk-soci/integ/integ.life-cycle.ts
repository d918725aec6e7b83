// Deploys one image's index on each compute, to be removed with the stack, and asserts what its resource answered and what ECR has.
import { fileURLToPath } from 'node:url'
import { ExpectedResult, IntegTest, Match } from '@aws-cdk/integ-tests-alpha'
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { SociCompute, SociIndexV2Build } from 'cdk-soci'

const app = new App()
const stack = new Stack(app, 'CdkSociLifeCycle')
const asset = new DockerImageAsset(stack, 'Image', {
  directory: fileURLToPath(new URL('../examples/fargate-service/image', import.meta.url)),
  platform: Platform.LINUX_ARM64,
})
const computes = {
  Lambda: SociCompute.lambdaFunction(),
  CodeBuild: SociCompute.codeBuild(),
  StepFunctions: SociCompute.stepFunctions(),
}

const integ = new IntegTest(app, 'LifeCycle', { testCases: [stack] })
for (const [name, compute] of Object.entries(computes)) {
  const index = new SociIndexV2Build(stack, name, {
    repository: asset.repository,
    inputImageTag: asset.imageTag,
    outputImageTag: `${asset.imageTag}-${name.toLowerCase()}`,
    removalPolicy: RemovalPolicy.DESTROY,
    compute,
  })
  new CfnOutput(stack, `${name}Indexed`, { value: index.indexed })
  integ.assertions
    .awsApiCall('ECR', 'batchGetImage', {
      repositoryName: index.repository.repositoryName,
      imageIds: [{ imageTag: index.outputImageTag }],
    })
    .expect(ExpectedResult.objectLike({ images: [Match.objectLike({ imageId: { imageDigest: index.imageDigest } })] }))
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

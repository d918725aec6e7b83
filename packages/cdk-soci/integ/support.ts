// What the integration tests have in common: images, a cluster whose tasks tell how they were loaded, and updates of the stack under test.
import { fileURLToPath } from 'node:url'
import { ExpectedResult, type IApiCall, IntegTest, Match } from '@aws-cdk/integ-tests-alpha'
import { App, CfnParameter, Duration, Stack } from 'aws-cdk-lib'
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import {
  Cluster,
  type ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
} from 'aws-cdk-lib/aws-ecs'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'

/** A test of one stack. */
export function integTest(name: string) {
  const app = new App()
  const stack = new Stack(app, `CdkSoci${name}`)
  return { app, stack, integ: new IntegTest(app, name, { testCases: [stack] }) }
}

/** The example's image, which prints how it was loaded when it starts. Another `content` makes another image of the same size. */
export function exampleImage(scope: Construct, id: string, content = id): DockerImageAsset {
  return new DockerImageAsset(scope, id, {
    directory: fileURLToPath(new URL('../examples/fargate-service/image', import.meta.url)),
    platform: Platform.LINUX_ARM64,
    buildArgs: { CONTENT: content },
  })
}

/** A service with one task that runs the image. */
export function fargateService(stack: Stack, image: ContainerImage, vpc: IVpc = publicVpc(stack)): LogGroup {
  const logGroup = new LogGroup(stack, 'TaskLog')
  const taskDefinition = new FargateTaskDefinition(stack, 'Task', {
    cpu: 512,
    memoryLimitMiB: 1024,
    runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64 },
  })
  taskDefinition.addContainer('web', { image, logging: LogDrivers.awsLogs({ streamPrefix: 'web', logGroup }) })
  const cluster = new Cluster(stack, 'Cluster', { vpc })
  new FargateService(stack, 'Service', {
    cluster,
    taskDefinition,
    minHealthyPercent: 100,
    circuitBreaker: { rollback: true },
  })
  return logGroup
}

function publicVpc(stack: Stack): Vpc {
  return new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 })
}

/** The task's metadata named the SOCI snapshotter when the image started. */
export function expectLazy(integ: IntegTest, logGroup: LogGroup): IApiCall {
  const { logGroupName } = logGroup
  return integ.assertions
    .awsApiCall('CloudWatchLogs', 'filterLogEvents', { logGroupName, filterPattern: '"snapshotter: soci"' })
    .expect(
      ExpectedResult.objectLike({
        events: Match.arrayWith([Match.objectLike({ message: Match.stringLikeRegexp('soci') })]),
      }),
    )
    .waitForAssertions({ totalTimeout: Duration.minutes(5) })
}

/** A tag of a repository names an OCI image index, as SOCI-enabled images are; with `digest` that one. */
export function expectIndexed(integ: IntegTest, repositoryName: string, imageTag: string, digest?: string): IApiCall {
  const image = digest === undefined ? { imageManifestMediaType: INDEX } : { imageId: { imageDigest: digest } }
  return integ.assertions
    .awsApiCall('ECR', 'batchGetImage', { repositoryName, imageIds: [{ imageTag }] })
    .expect(ExpectedResult.objectLike({ images: [Match.objectLike(image)] }))
}

const INDEX = 'application/vnd.oci.image.index.v1+json'

/** A tag of a repository names nothing. */
export function expectGone(integ: IntegTest, repositoryName: string, imageTag: string): IApiCall {
  return integ.assertions
    .awsApiCall('ECR', 'batchGetImage', { repositoryName, imageIds: [{ imageTag }] })
    .expect(ExpectedResult.objectLike({ failures: [Match.objectLike({ failureCode: 'ImageNotFound' })] }))
}

/** A parameter of the stack under test, for `updateStack`. */
export function parameter(stack: Stack, id: string, value: string): CfnParameter {
  return new CfnParameter(stack, id, { default: value })
}

/** Updates the stack under test with another value of a parameter after a call, and waits for the status in which that ends. */
export function updateStack(
  integ: IntegTest,
  after: IApiCall,
  { node: { id }, stack }: CfnParameter,
  value: string,
  status: string,
): IApiCall {
  const StackName = stack.stackName
  const update = integ.assertions.awsApiCall('CloudFormation', 'updateStack', {
    StackName,
    UsePreviousTemplate: true,
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: [{ ParameterKey: id, ParameterValue: value }],
  })
  const ended = integ.assertions
    .awsApiCall('CloudFormation', 'describeStacks', { StackName })
    .expect(ExpectedResult.objectLike({ Stacks: [Match.objectLike({ StackStatus: status })] }))
    .waitForAssertions({ totalTimeout: Duration.minutes(20), interval: Duration.seconds(30) })
  return after.next(update).next(ended)
}

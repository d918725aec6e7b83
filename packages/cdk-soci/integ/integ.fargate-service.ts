// Deploys a service whose only answer is how its image was loaded, and asks it.

import { fileURLToPath } from 'node:url'
import { ExpectedResult, IntegTest, Match } from '@aws-cdk/integ-tests-alpha'
import { App, Duration, Stack } from 'aws-cdk-lib'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { Cluster, CpuArchitecture } from 'aws-cdk-lib/aws-ecs'
import { ApplicationLoadBalancedFargateService } from 'aws-cdk-lib/aws-ecs-patterns'
import { SociIndexV2Build } from 'cdk-soci'

const app = new App()
const stack = new Stack(app, 'CdkSociFargateService')
const asset = new DockerImageAsset(stack, 'Image', {
  directory: fileURLToPath(new URL('../examples/fargate-service/image', import.meta.url)),
  platform: Platform.LINUX_ARM64,
})
const index = SociIndexV2Build.fromDockerImageAsset(stack, 'Index', asset)
const service = new ApplicationLoadBalancedFargateService(stack, 'Service', {
  cluster: new Cluster(stack, 'Cluster', { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }) }),
  runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64 },
  taskImageOptions: { image: index.toEcsDockerImageCode(), containerPort: 8080 },
  minHealthyPercent: 100,
})

const integ = new IntegTest(app, 'FargateService', { testCases: [stack] })
integ.assertions
  .awsApiCall('ECR', 'batchGetImage', {
    repositoryName: index.repository.repositoryName,
    imageIds: [{ imageTag: index.outputImageTag }],
  })
  .expect(
    ExpectedResult.objectLike({
      images: [Match.objectLike({ imageManifestMediaType: 'application/vnd.oci.image.index.v1+json' })],
    }),
  )
integ.assertions
  .httpApiCall(`http://${service.loadBalancer.loadBalancerDnsName}/`)
  .expect(ExpectedResult.objectLike({ status: 200, body: Match.stringLikeRegexp('soci') }))
  .waitForAssertions({ totalTimeout: Duration.minutes(5) })

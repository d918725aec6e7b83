// A web service on Fargate whose tasks start before their image is down: one name is another, `SociContainerImage`.
import { App, Stack } from 'aws-cdk-lib'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import { Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { Cluster, CpuArchitecture, FargateService, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { SociContainerImage } from 'cdk-soci'

const app = new App()
const stack = new Stack(app, 'FargateService')
const cluster = new Cluster(stack, 'Cluster', { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) })

const taskDefinition = new FargateTaskDefinition(stack, 'Task', {
  cpu: 512,
  memoryLimitMiB: 1024,
  runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64 },
})
taskDefinition.addContainer('web', {
  image: SociContainerImage.fromAsset('image', { platform: Platform.LINUX_ARM64 }),
  portMappings: [{ containerPort: 8080 }],
})

// No addDependency: the task definition names what the index build gives back, so that it waits.
new FargateService(stack, 'Service', {
  cluster,
  taskDefinition,
  minHealthyPercent: 100,
  circuitBreaker: { rollback: true },
})

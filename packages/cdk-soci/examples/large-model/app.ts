// Inference with a model in its image: tens of gigabytes, many layers. Its zTOCs are built by Step Functions, one Lambda function
// a layer, all at the same time.
import { App, Duration, Stack } from 'aws-cdk-lib'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Cluster, FargateService, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { SociCompute, SociContainerImage } from 'cdk-soci'

const app = new App()
const stack = new Stack(app, 'LargeModel')
const repository = Repository.fromRepositoryName(stack, 'Repository', 'inference')

const taskDefinition = new FargateTaskDefinition(stack, 'Task', {
  cpu: 16384,
  memoryLimitMiB: 65536,
  ephemeralStorageGiB: 200, // Fargate keeps what it fetched there: the whole image must still fit
})
taskDefinition.addContainer('model', {
  image: SociContainerImage.fromEcrRepository(repository, '2026-11', {
    compute: SociCompute.stepFunctions(),
    requireIndex: true, // a deployment that would start from a whole pull of 50 GB rather fails
  }),
})

new FargateService(stack, 'Service', {
  cluster: new Cluster(stack, 'Cluster', { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) }),
  taskDefinition,
  minHealthyPercent: 100,
  circuitBreaker: { rollback: true },
  healthCheckGracePeriod: Duration.minutes(5),
})

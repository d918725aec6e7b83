// A queue and the tasks that work on it, by one of CDK's patterns. Its images are lazy by one line; nothing else changes.
import { App, Stack } from 'aws-cdk-lib'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import { Cluster, ContainerImage } from 'aws-cdk-lib/aws-ecs'
import { QueueProcessingFargateService } from 'aws-cdk-lib/aws-ecs-patterns'
import { LazyLoading } from 'cdk-soci'

const app = new App()
LazyLoading.enable(app) // the line

const stack = new Stack(app, 'QueueProcessing')
new QueueProcessingFargateService(stack, 'Worker', {
  cluster: new Cluster(stack, 'Cluster', { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) }),
  image: ContainerImage.fromAsset('image'),
  minScalingCapacity: 0,
  maxScalingCapacity: 20,
  minHealthyPercent: 100,
  circuitBreaker: { rollback: true },
})

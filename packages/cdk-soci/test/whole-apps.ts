// Stacks with every kind of resource that the constructs make, for the tools that judge templates.
import './synthesis/temporary.js'
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { ContainerImage, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Architecture, Tracing } from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import type { LambdaComputeOptions } from 'cdk-soci'
import {
  LazyLoading,
  SociBackfill,
  SociCompute,
  SociContainerImage,
  SociDashboard,
  SociIndexBuild,
  SociIndexOnPush,
  SociIndexV2Build,
  SociIndexVersion,
} from 'cdk-soci'

const COMPUTES = {
  Lambda: (options: LambdaComputeOptions) => SociCompute.lambdaFunction(options),
  CodeBuild: ({ memorySize, runtime, ...options }: LambdaComputeOptions) => SociCompute.codeBuild(options),
  StepFunctions: (options: LambdaComputeOptions) => SociCompute.stepFunctions(options),
}

/** An app of one stack for each way. */
export function wholeApps(): ReadonlyMap<string, App> {
  const apps = new Map<string, App>()
  const add = (name: string, fill: (stack: Stack) => void) => {
    const app = new App({ analyticsReporting: false })
    fill(new Stack(app, name))
    apps.set(name, app)
  }
  const repository = (stack: Stack) => Repository.fromRepositoryName(stack, 'Repository', 'app')

  for (const [name, compute] of Object.entries(COMPUTES)) {
    add(`${name}Plain`, (stack) => {
      new SociIndexV2Build(stack, 'V2', { repository: repository(stack), inputImageTag: 'one', compute: compute({}) })
    })
    add(`${name}Full`, (stack) => {
      const vpc = new Vpc(stack, 'Vpc')
      const encryptionKey = new Key(stack, 'Key')
      const deadLetterQueue = new Queue(stack, 'DeadLetters', { encryptionMasterKey: encryptionKey })
      const delivery = { reservedConcurrency: 10, tracing: Tracing.ACTIVE, deadLetterQueue }
      const options = { vpc, encryptionKey, architecture: Architecture.X86_64, ...(name === 'Lambda' && delivery) }
      const common = { repository: repository(stack), compute: compute(options), removalPolicy: RemovalPolicy.DESTROY }
      new SociIndexV2Build(stack, 'V2', { ...common, inputImageTag: 'one', spanSize: 1 << 20, requireIndex: true })
      new SociIndexBuild(stack, 'V1', { ...common, imageTag: 'one', indexTag: 'one-index' })
      const output = Repository.fromRepositoryName(stack, 'Output', 'output')
      new SociIndexV2Build(stack, 'Elsewhere', { ...common, inputImageTag: 'two', outputRepository: output })
    })
  }
  add('Mirror', (stack) => {
    const credentials = Secret.fromSecretNameV2(stack, 'Secret', 'registry')
    const task = new FargateTaskDefinition(stack, 'Task')
    task.addContainer('a', { image: SociContainerImage.fromRegistry('ghcr.io/owner/image:1', { credentials }) })
    task.addContainer('b', { image: SociContainerImage.fromRegistry('public.ecr.aws/docker/library/python:3.13') })
  })
  add('LazyLoading', (stack) => {
    LazyLoading.enable(stack)
    const task = new FargateTaskDefinition(stack, 'Task')
    task.addContainer('a', { image: ContainerImage.fromEcrRepository(repository(stack), 'one') })
  })
  add('OnPushPlain', (stack) => {
    new SociIndexOnPush(stack, 'OnPush')
  })
  add('OnPushV1', (stack) => {
    new SociIndexOnPush(stack, 'OnPush', { indexVersion: SociIndexVersion.V1, filters: ['app/*:v*'], reconcile: false })
  })
  add('OnPushFull', (stack) => {
    const indexOnPush = new SociIndexOnPush(stack, 'OnPush', {
      vpc: new Vpc(stack, 'Vpc'),
      encryptionKey: new Key(stack, 'Key'),
      architecture: Architecture.X86_64,
      filters: ['app/*:v*', 'other:latest'],
      repositories: [repository(stack)],
      outputTag: 'lazy.{tag}',
      replicatedImages: true,
      spanSize: 1 << 20,
      platforms: ['linux/arm64'],
      reservedConcurrency: 20,
      eventBus: new EventBus(stack, 'Bus'),
      alarmTopic: Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:123456789012:alarms'),
    })
    new SociDashboard(stack, 'Dashboard', { indexOnPush })
  })
  add('BackfillPlain', (stack) => {
    new SociBackfill(stack, 'Backfill')
  })
  add('BackfillFull', (stack) => {
    new SociBackfill(stack, 'Backfill', {
      vpc: new Vpc(stack, 'Vpc'),
      encryptionKey: new Key(stack, 'Key'),
      filters: ['app/*:v*'],
      repositories: [repository(stack)],
      outputTag: 'lazy.{tag}',
      spanSize: 1 << 20,
      maxConcurrency: 100,
    })
  })
  return apps
}

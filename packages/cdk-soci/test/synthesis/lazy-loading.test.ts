import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, CfnOutput, CfnParameter, Duration, NestedStack, SecretValue, Stack, Stage, Tags } from 'aws-cdk-lib'
import * as appscaling from 'aws-cdk-lib/aws-applicationautoscaling'
import { Vpc } from 'aws-cdk-lib/aws-ec2'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as patterns from 'aws-cdk-lib/aws-ecs-patterns'
import * as iam from 'aws-cdk-lib/aws-iam'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { CodePipeline, CodePipelineSource, ShellStep } from 'aws-cdk-lib/pipelines'
import { LazyLoading, SociContainerImage, SociIndexV2Build } from 'cdk-soci'
import { IMAGE } from './support.js'
import {
  ASSETS,
  asText,
  INJECTS,
  imagesOf,
  indexesOf,
  newApp,
  newStack,
  OTHER_IMAGE,
  ofType,
  only,
  type Resources,
  resourcesOf,
  toldOf,
} from './templates.js'

const ACCOUNT = '111111111111'

function lazyApp(): App {
  const app = newApp()
  LazyLoading.enable(app)
  return app
}

function clusterOf(stack: Stack): ecs.Cluster {
  return new ecs.Cluster(stack, 'Cluster', { vpc: new Vpc(stack, 'Vpc', { maxAzs: 2 }) })
}

/** All containers have an index of the stack, in the repository of CDK's assets. */
function assertLazyAssets(resources: Resources): void {
  const images = Object.values(imagesOf(resources))
  assert.ok(images.length > 0)
  const indexes = Object.keys(indexesOf(resources)).map((id) => `${ASSETS}@<${id}.imageDigest>`)
  for (const image of images) assert.ok(indexes.includes(image), image)
}

function addTask(scope: Stack, image: ecs.ContainerImage = ecs.ContainerImage.fromAsset(IMAGE)) {
  const task = new ecs.FargateTaskDefinition(scope, 'Task')
  task.addContainer('web', { image })
  return task
}

test('a Fargate service', () => {
  const stack = newStack(lazyApp())
  new ecs.FargateService(stack, 'Service', { cluster: clusterOf(stack), taskDefinition: addTask(stack) })
  assertLazyAssets(resourcesOf(stack))
})

test('the patterns: behind a load balancer, from a queue, by the clock', () => {
  const stack = newStack(lazyApp())
  const cluster = clusterOf(stack)
  const image = ecs.ContainerImage.fromAsset(IMAGE)
  new patterns.ApplicationLoadBalancedFargateService(stack, 'Web', { cluster, taskImageOptions: { image } })
  new patterns.NetworkLoadBalancedFargateService(stack, 'Net', { cluster, taskImageOptions: { image } })
  new patterns.QueueProcessingFargateService(stack, 'Queue', { cluster, image })
  const schedule = appscaling.Schedule.rate(Duration.hours(1))
  new patterns.ScheduledFargateTask(stack, 'Clock', { cluster, schedule, scheduledFargateTaskImageOptions: { image } })
  const resources = resourcesOf(stack)
  assert.equal(Object.keys(imagesOf(resources)).length, 3, 'names of containers') // two patterns have the same
  assert.equal(Object.keys(ofType(resources, 'AWS::ECS::TaskDefinition')).length, 4)
  assertLazyAssets(resources)
  only(indexesOf(resources))
})

test('nothing but images changes, and what builds the index comes', () => {
  const templates = [newApp(), lazyApp()].map((app) => {
    const stack = newStack(app)
    new patterns.QueueProcessingFargateService(stack, 'Queue', {
      cluster: clusterOf(stack),
      image: ecs.ContainerImage.fromAsset(IMAGE),
    })
    return resourcesOf(stack)
  })
  const [plain, lazy] = templates as [Resources, Resources]
  const added = Object.keys(lazy).filter((id) => !(id in plain))
  assert.deepEqual(added.map((id) => lazy[id]?.Type).sort(), [
    'AWS::IAM::Policy',
    'AWS::IAM::Role',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::Function',
    'AWS::Lambda::Function',
    'AWS::Logs::LogGroup',
    'Custom::SociIndex',
  ])
  for (const [id, resource] of Object.entries(plain)) {
    const withoutImage = (from: unknown) =>
      JSON.stringify(from, (name, value) => (name === 'Image' ? undefined : value))
    assert.equal(withoutImage(lazy[id]), withoutImage(resource), id)
  }
})

test('a nested stack', () => {
  const nested = new NestedStack(newStack(lazyApp()), 'Nested')
  addTask(nested)
  assertLazyAssets(resourcesOf(nested))
})

test('a stage, and a stage in a stage', () => {
  const app = lazyApp()
  const stage = new Stage(app, 'Prod')
  const inner = new Stage(stage, 'Inner')
  if (!INJECTS) for (const each of [stage, inner]) LazyLoading.enable(each)
  const stacks = [new Stack(stage, 'Stack'), new Stack(inner, 'Stack')]
  for (const stack of stacks) addTask(stack)
  app.synth()
  for (const stack of stacks) assertLazyAssets(resourcesOf(stack))
})

test('a stage of a pipeline', () => {
  const app = lazyApp()
  const stack = newStack(app, 'Pipeline')
  const source = CodePipelineSource.gitHub('owner/repository', 'main', {
    authentication: SecretValue.unsafePlainText('x'),
  })
  const pipeline = new CodePipeline(stack, 'Pipeline', {
    synth: new ShellStep('Synth', { input: source, commands: ['npx cdk synth'] }),
  })
  const stage = new Stage(app, 'Prod')
  if (!INJECTS) LazyLoading.enable(stage)
  const service = new Stack(stage, 'Service')
  addTask(service)
  pipeline.addStage(stage)
  app.synth()
  assertLazyAssets(resourcesOf(service))
})

test('sidecars too, and only those of Fargate', () => {
  const stack = newStack(lazyApp())
  const task = addTask(stack)
  task.addContainer('sidecar', { image: ecs.ContainerImage.fromAsset(OTHER_IMAGE) })
  new ecs.Ec2TaskDefinition(stack, 'Ec2').addContainer('ec2', {
    image: ecs.ContainerImage.fromAsset(IMAGE),
    memoryLimitMiB: 512,
  })
  const resources = resourcesOf(stack)
  const images = imagesOf(resources)
  assert.match(images.ec2 ?? '', /:[0-9a-f]{64}$/)
  assert.match(images.sidecar ?? '', /imageDigest>$/)
  assert.equal(Object.keys(indexesOf(resources)).length, 2)
  assert.deepEqual(toldOf(stack, 'info'), [])
})

test('an image of a repository, by tag or by a digest that a parameter holds', () => {
  const stack = newStack(lazyApp())
  const repository = new ecr.Repository(stack, 'Repository')
  const task = addTask(stack, ecs.ContainerImage.fromEcrRepository(repository, '1.0'))
  const digest = new CfnParameter(stack, 'Digest').valueAsString
  task.addContainer('digest', { image: ecs.ContainerImage.fromRegistry(repository.repositoryUriForDigest(digest)) })
  const resources = resourcesOf(stack)
  const indexes = Object.values(indexesOf(resources))
  const tags = indexes.map(({ InputTag, OutputTag }) => [InputTag, OutputTag].map(asText))
  assert.equal(tags.length, 2)
  assert.deepEqual(tags[0], ['1.0', '1.0-soci'])
  assert.deepEqual(tags[1], ['<Digest>', 'sha256-<{"Fn::Select":[1,{"Fn::Split":[":",{"Ref":"Digest"}]}]}>-soci'])
})

test('the tag latest is indexed with a warning, which refresh answers', () => {
  const warnings = [undefined, '2026-11-24'].map((refresh) => {
    const app = newApp()
    LazyLoading.enable(app, { ...(refresh && { refresh }) })
    const stack = newStack(app)
    addTask(stack, ecs.ContainerImage.fromEcrRepository(new ecr.Repository(stack, 'Repository')))
    const index = only(indexesOf(resourcesOf(stack)))
    assert.deepEqual([index.InputTag, index.Refresh], ['latest', refresh])
    return toldOf(stack, 'warning')
  })
  assert.match(only(warnings[0]!), /Stack\/Task\/web: .*"web" has the tag "latest"/)
  assert.deepEqual(warnings[1], [])
})

/** What is told of a container that stays as it is; its image stays too. */
function leftAlone(stack: Stack, add: (stack: Stack) => void): string {
  add(stack)
  const resources = resourcesOf(stack)
  assert.doesNotMatch(JSON.stringify(imagesOf(resources)), /SociIndex/)
  return only(toldOf(stack, 'info'))
}

test('Windows is left as it is', () => {
  const told = leftAlone(newStack(lazyApp()), (stack) => {
    const runtimePlatform = {
      operatingSystemFamily: ecs.OperatingSystemFamily.WINDOWS_SERVER_2022_CORE,
      cpuArchitecture: ecs.CpuArchitecture.X86_64,
    }
    const task = new ecs.FargateTaskDefinition(stack, 'Task', { cpu: 1024, memoryLimitMiB: 2048, runtimePlatform })
    assert.equal(task.isFargateCompatible, true)
    task.addContainer('web', { image: ecs.ContainerImage.fromAsset(IMAGE) })
  })
  assert.match(told, /Stack\/Task\/web: .*"web" as it is: Windows/)
})

test('public images are left as they are, with the way to copies', () => {
  for (const name of [
    'nginx',
    'public.ecr.aws/docker/library/nginx:1',
    'ghcr.io/owner/app:1',
    'registry.example:5000/a/b@sha256:00',
  ]) {
    const told = leftAlone(newStack(lazyApp()), (stack) => addTask(stack, ecs.ContainerImage.fromRegistry(name)))
    assert.ok(told.includes(`${name} is not in a private ECR repository`), told)
    assert.match(told, /SociContainerImage\.fromRegistry/)
  }
})

test('images that a parameter names are left as they are', () => {
  const told = leftAlone(newStack(lazyApp()), (stack) =>
    addTask(stack, ecs.ContainerImage.fromRegistry(StringParameter.valueForStringParameter(stack, '/image'))),
  )
  assert.match(told, /its image is \$\{SsmParameterValueimage\w+\}, which only the deployment knows/)
  const router = newStack(lazyApp())
  const task = new ecs.FargateTaskDefinition(router, 'Task')
  task.addFirelensLogRouter('log', {
    image: ecs.obtainDefaultFluentBitECRImage(task),
    firelensConfig: { type: ecs.FirelensLogRouterType.FLUENTBIT },
  })
  assert.match(only(toldOf(router, 'info')), /"log" as it is/)
})

test('an image of another account is left as it is, one of an unknown account is not', () => {
  const arn = 'arn:aws:ecr:eu-west-1:222222222222:repository/app'
  const of = (stack: Stack) =>
    addTask(
      stack,
      ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryArn(stack, 'Repository', arn), '1'),
    )
  const told = leftAlone(newStack(lazyApp(), 'Stack', { env: { account: ACCOUNT, region: 'eu-west-1' } }), of)
  assert.match(told, /belongs to account 222222222222, the stack to 111111111111/)
  const anywhere = newStack(lazyApp())
  of(anywhere)
  only(indexesOf(resourcesOf(anywhere)))
  assert.match(only(toldOf(anywhere, 'info')), /to another account than 222222222222: the repository app is account/)
})

test('images that are SOCI already are left as they are', () => {
  for (const Build of [SociIndexV2Build]) {
    const stack = newStack(lazyApp())
    const repository = new ecr.Repository(stack, 'Repository')
    const build = new Build(stack, 'Build', { repository, inputImageTag: '1' })
    addTask(stack, build.toEcsDockerImageCode())
    assert.match(only(toldOf(stack, 'info')), /"web" as it is: .* is a SOCI image already/)
    assert.match(only(imagesOf(resourcesOf(stack))), /@<Build\w+\.imageDigest>$/)
  }
  const stack = newStack(lazyApp())
  addTask(stack, SociContainerImage.fromAsset(IMAGE))
  assert.match(only(toldOf(stack, 'info')), /"web" as it is: its image is a SOCI image already/)
  only(indexesOf(resourcesOf(stack)))
})

test('an image that was excluded, and a scope that was switched off, are left as they are', () => {
  const excluded = leftAlone(newStack(lazyApp()), (stack) => {
    const image = LazyLoading.exclude(ecs.ContainerImage.fromAsset(IMAGE))
    new patterns.QueueProcessingFargateService(stack, 'Queue', { cluster: clusterOf(stack), image })
  })
  assert.match(excluded, /as it is: it was excluded/)
  const off = leftAlone(newStack(lazyApp()), (stack) => {
    LazyLoading.disable(stack)
    addTask(stack)
  })
  assert.match(off, /as it is: LazyLoading\.disable\(Stack\)/)
  const late = newStack(lazyApp())
  addTask(late)
  if (!INJECTS) LazyLoading.disable(late)
  else assert.throws(() => LazyLoading.disable(late), /too late: Stack\/Task\/web is lazy already/)
})

test('the nearest scope decides', () => {
  const app = newApp()
  LazyLoading.enable(app, { spanSize: 1 << 20 })
  const [outer, inner] = ['Outer', 'Inner'].map((id) => newStack(app, id))
  LazyLoading.enable(inner!, { spanSize: 2 << 20 })
  for (const stack of [outer!, inner!]) addTask(stack)
  const sizes = [outer!, inner!].map((stack) => only(indexesOf(resourcesOf(stack))).SpanSize)
  assert.deepEqual(sizes, ['1048576', '2097152'])
})

test('permissions boundaries and tags reach the roles, but for what an aspect made', () => {
  const app = lazyApp()
  const stage = new Stage(app, 'Prod')
  if (!INJECTS) LazyLoading.enable(stage)
  const stack = new Stack(stage, 'Stack')
  const policy = iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', `arn:aws:iam::${ACCOUNT}:policy/boundary`)
  iam.PermissionsBoundary.of(stack).apply(policy)
  Tags.of(stage).add('team', 'web')
  addTask(stack)
  const roles = Object.entries(ofType(resourcesOf(stack), 'AWS::IAM::Role'))
  assert.equal(roles.length, 3)
  for (const [id, { Properties }] of roles) {
    // The limit of an aspect: what it makes is not seen by those that ran before
    const isSeen = INJECTS || !id.startsWith('SociIndex')
    assert.equal(Properties.PermissionsBoundary, isSeen ? policy.managedPolicyArn : undefined, id)
    assert.deepEqual(Properties.Tags, isSeen ? [{ Key: 'team', Value: 'web' }] : undefined, id)
  }
})

test('an imported task definition has no containers to make lazy', () => {
  const stack = newStack(lazyApp())
  const arn = `arn:aws:ecs:eu-west-1:${ACCOUNT}:task-definition/app:1`
  const taskDefinition = ecs.FargateTaskDefinition.fromFargateTaskDefinitionArn(stack, 'Task', arn)
  new CfnOutput(stack, 'Arn', { value: taskDefinition.taskDefinitionArn })
  new ecr.Repository(stack, 'Repository') // a template has resources
  assert.deepEqual(indexesOf(resourcesOf(stack)), {})
})

test('a wrong option is refused where it is given', () => {
  assert.throws(() => LazyLoading.enable(newApp(), { spanSize: 0.5 }), /spanSize is 0.5/)
})

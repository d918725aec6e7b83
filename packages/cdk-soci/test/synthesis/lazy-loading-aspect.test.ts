import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type App, Aws, CfnParameter, Stack, Stage } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include'
import { LazyLoading } from 'cdk-soci'
import { IMAGE } from './support.js'
import {
  ASSETS,
  asText,
  INJECTS,
  imagesOf,
  indexesOf,
  newApp,
  newStack,
  ofType,
  only,
  resourcesOf,
  temporaryFile,
  toldOf,
} from './templates.js'

const size = { cpu: '256', memory: '512', networkMode: 'awsvpc' }

/** A task definition without constructs for its containers. */
function plainTask(
  stack: Stack,
  images: Readonly<Record<string, string>>,
  compatibility = 'FARGATE',
): ecs.CfnTaskDefinition {
  return new ecs.CfnTaskDefinition(stack, 'Task', {
    requiresCompatibilities: [compatibility],
    ...size,
    containerDefinitions: Object.entries(images).map(([name, image]) => ({ name, image, essential: true })),
  })
}

function lazyStack(): Stack {
  const app = newApp()
  LazyLoading.enable(app)
  return newStack(app)
}

test('a task definition without constructs is made lazy, each container once', () => {
  const stack = lazyStack()
  const asset = new DockerImageAsset(stack, 'Asset', { directory: IMAGE })
  const repository = new ecr.CfnRepository(stack, 'Repository')
  plainTask(stack, {
    asset: asset.imageUri,
    again: asset.imageUri,
    attribute: `${repository.attrRepositoryUri}:1`,
    text: `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.amazonaws.com/app:2`,
    public: 'nginx',
  })
  const resources = resourcesOf(stack)
  const images = imagesOf(resources)
  const indexes = indexesOf(resources)
  const indexOf = (tag: string) => only(Object.keys(indexes).filter((id) => indexes[id]?.InputTag === tag))
  assert.equal(Object.keys(indexes).length, 3)
  assert.equal(images.asset, `${ASSETS}@<${indexOf(asset.assetHash)}.imageDigest>`)
  assert.equal(images.again, images.asset)
  assert.equal(images.text, `<AWS::AccountId>.dkr.ecr.<AWS::Region>.amazonaws.com/app@<${indexOf('2')}.imageDigest>`)
  assert.ok(
    images.attribute?.endsWith(`.<AWS::URLSuffix>/<Repository>@<${indexOf('1')}.imageDigest>`),
    images.attribute,
  )
  assert.equal(images.public, 'nginx')
  assert.match(
    only(toldOf(stack, 'info')),
    /Stack\/Task: .*"public" as it is: nginx is not in a private ECR repository/,
  )
})

test('an included template is made lazy', (t) => {
  const host = ['AccountId}.dkr.ecr', 'Region}', 'URLSuffix}'].map((part) => `\${AWS::${part}`).join('.')
  const ContainerDefinitions = [
    { Name: 'web', Image: { 'Fn::Sub': `${host}/\${Name}:\${Tag}` } },
    { Name: 'log', Image: { Ref: 'Name' } },
  ]
  const Properties = {
    RequiresCompatibilities: ['FARGATE'],
    Cpu: '256',
    Memory: '512',
    NetworkMode: 'awsvpc',
    ContainerDefinitions,
  }
  const template = {
    Parameters: { Name: { Type: 'String' }, Tag: { Type: 'String' } },
    Resources: { Task: { Type: 'AWS::ECS::TaskDefinition', Properties } },
  }
  const templateFile = temporaryFile(t, 'template.json', JSON.stringify(template))
  const stack = lazyStack()
  new CfnInclude(stack, 'Included', { templateFile })
  const resources = resourcesOf(stack)
  const index = only(indexesOf(resources))
  assert.deepEqual([index.InputTag, index.OutputTag].map(asText), ['<Tag>', '<Tag>-soci'])
  const images = imagesOf(resources)
  assert.match(images.web!, /^<AWS::AccountId>\.dkr\.ecr\.<AWS::Region>\.<AWS::URLSuffix>\/<Name>@<\w+\.imageDigest>$/)
  assert.equal(images.log, '<Name>')
})

test('tasks of EC2 are not touched, and nothing is told of them', () => {
  const stack = lazyStack()
  const asset = new DockerImageAsset(stack, 'Asset', { directory: IMAGE })
  plainTask(stack, { web: asset.imageUri }, 'EC2')
  assert.deepEqual(indexesOf(resourcesOf(stack)), {})
  assert.deepEqual(toldOf(stack, 'info'), [])
})

test('containers that were there before are made lazy, and what comes to the task definition later stays', () => {
  const app = newApp()
  const stack = newStack(app)
  const task = new ecs.FargateTaskDefinition(stack, 'Task')
  const container = task.addContainer('web', { image: ecs.ContainerImage.fromAsset(IMAGE) })
  LazyLoading.enable(app)
  container.addEnvironment('LATER', 'yes')
  const resources = resourcesOf(stack)
  const [id] = Object.keys(indexesOf(resources))
  assert.equal(only(imagesOf(resources)), `${ASSETS}@<${id}.imageDigest>`)
  assert.match(JSON.stringify(resources), /"LATER"/)
})

test('a reference to another stack is exported by it', () => {
  const app = newApp()
  LazyLoading.enable(app)
  const repository = new ecr.Repository(newStack(app, 'Owner'), 'Repository')
  const stack = newStack(app, 'User')
  plainTask(stack, { web: repository.repositoryUriForTag('1') })
  const resources = resourcesOf(stack)
  assert.match(JSON.stringify(only(indexesOf(resources)).Repository), /Fn::ImportValue/)
  assert.match(only(imagesOf(resources)), /Fn::ImportValue.*imageDigest>$/)
})

test('permissions boundaries reach the roles in releases of the CDK that look for what aspects added', {
  skip: !INJECTS,
}, () => {
  const app = newApp({ '@aws-cdk/core:aspectStabilization': true })
  LazyLoading.enable(app)
  const stack = newStack(app)
  const policy = iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', 'arn:aws:iam::111111111111:policy/boundary')
  iam.PermissionsBoundary.of(app).apply(policy)
  const asset = new DockerImageAsset(stack, 'Asset', { directory: IMAGE })
  plainTask(stack, { web: asset.imageUri })
  const role = only(ofType(resourcesOf(stack), 'AWS::IAM::Role'))
  assert.equal(role.Properties.PermissionsBoundary, policy.managedPolicyArn)
})

/** A stage with a task definition that only an aspect can make lazy, of an image that it could. */
function stageWithPlainTask(app: App, image?: string): Stage {
  const stage = new Stage(app, 'Prod')
  const stack = new Stack(stage, 'Stack')
  plainTask(stack, { web: image ?? new DockerImageAsset(stack, 'Asset', { directory: IMAGE }).imageUri })
  return stage
}

test('a stage that an aspect does not reach is an error that says what to do', () => {
  const app = newApp()
  LazyLoading.enable(app)
  stageWithPlainTask(app)
  assert.throws(() => app.synth(), /does not reach the container "web" of Prod\/Stack\/Task.*enable\(\) with Prod too/)
})

test('a stage is fine that has it enabled or disabled, or nothing to make lazy', () => {
  const enabled = newApp()
  LazyLoading.enable(enabled)
  const stage = stageWithPlainTask(enabled)
  LazyLoading.enable(stage)
  enabled.synth()
  only(indexesOf(resourcesOf(stage.node.findChild('Stack') as Stack)))

  const disabled = newApp()
  LazyLoading.enable(disabled)
  LazyLoading.disable(stageWithPlainTask(disabled))
  disabled.synth()

  const nothing = newApp()
  LazyLoading.enable(nothing)
  stageWithPlainTask(nothing, 'nginx')
  nothing.synth()
})

test('what has no containers yet, or none that can be read, is not touched', () => {
  const stack = lazyStack()
  const definitions = new CfnParameter(stack, 'Definitions', { type: 'CommaDelimitedList' })
  new ecs.CfnTaskDefinition(stack, 'Unknown', {
    requiresCompatibilities: ['FARGATE'],
    ...size,
    containerDefinitions: definitions.valueAsList as unknown as [],
  })
  new ecs.CfnTaskDefinition(stack, 'None', { requiresCompatibilities: ['FARGATE'], ...size })
  assert.deepEqual(indexesOf(resourcesOf(stack)), {})
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App, CfnParameter, DefaultStackSynthesizer, NestedStack, RemovalPolicy, Stack, Stage } from 'aws-cdk-lib'
import { ComputeType } from 'aws-cdk-lib/aws-codebuild'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets'
import { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { SociCompute, SociIndexBuild, type SociIndexOptions, SociIndexV2Build } from 'cdk-soci'
import { IMAGE, idOf, idOfIndexer, indexerOf, indexesOf, newStack, ofType, only, templateOf } from './support.js'
import { toldOf } from './templates.js'

const DIGEST = `sha256:${'ab'.repeat(32)}`

test('one index costs a function, its role, log group, policy and invoke configuration, and the custom resource', () => {
  const stack = newStack()
  SociIndexV2Build.fromDockerImageAsset(stack, 'Index', new DockerImageAsset(stack, 'Image', { directory: IMAGE }))
  assert.deepEqual(
    Object.values(templateOf(stack))
      .map(({ Type }) => Type)
      .sort(),
    [
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::Lambda::Function',
      'AWS::Lambda::Function',
      'AWS::Logs::LogGroup',
      'Custom::SociIndex',
    ],
  )
})

test('more indexes of a stack share one function', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  for (const tag of ['a', 'b', 'c']) new SociIndexV2Build(stack, tag, { repository, inputImageTag: tag })
  assert.equal(indexesOf(stack).length, 3)
  assert.equal(ofType(stack, 'AWS::Lambda::Function').length, 2) // that, and the one that answers if it is killed
  assert.equal(ofType(stack, 'AWS::IAM::Policy').length, 1)
})

test('a task definition waits for the index by naming what it answers', () => {
  const stack = newStack()
  const asset = new DockerImageAsset(stack, 'Image', { directory: IMAGE })
  const index = SociIndexV2Build.fromDockerImageAsset(stack, 'Index', asset)
  const image = index.toEcsDockerImageCode()
  new FargateTaskDefinition(stack, 'Task').addContainer('app', { image })
  const id = idOf(stack, 'Custom::SociIndex')
  const [container] = only(stack, 'AWS::ECS::TaskDefinition').Properties.ContainerDefinitions
  assert.deepEqual(container.Image['Fn::Join'][1].slice(-2), ['@', { 'Fn::GetAtt': [id, 'imageDigest'] }])
  assert.equal(stack.resolve(image.imageName)['Fn::Join'][1].at(-2), '@')
  assert.equal(container.VersionConsistency, undefined)
})

test('an image that another stack uses is warned about, as its export cannot change', () => {
  const warnings = (where: (app: App, from: Stack) => Stack): string[] => {
    const app = new App()
    const from = new Stack(app, 'Images')
    const repository = new Repository(from, 'Repository')
    const index = new SociIndexV2Build(from, 'Index', { repository, inputImageTag: 'v1' })
    const to = where(app, from)
    new FargateTaskDefinition(to, 'Task').addContainer('app', { image: index.toEcsDockerImageCode() })
    return toldOf(to.nestedStackParent ?? to, 'warning').filter((text) => text.includes('/Index is used'))
  }
  assert.deepEqual(
    warnings((_, from) => from),
    [],
  )
  assert.deepEqual(
    warnings((_, from) => new NestedStack(from, 'Nested')),
    [],
  )
  const [warning, ...others] = warnings((app) => new Stack(app, 'Service'))
  assert.deepEqual(others, [])
  assert.match(warning!, /Images\/Index is used in another stack, Service\..* fails when the image changes/)
})

test('an asset takes every option', () => {
  const stack = newStack()
  const asset = new DockerImageAsset(stack, 'Image', { directory: IMAGE })
  const outputRepository = new Repository(stack, 'Output')
  SociIndexV2Build.fromDockerImageAsset(stack, 'Index', asset, {
    outputImageTag: 'web-soci',
    outputRepository,
    refresh: '7',
  })
  const [index] = indexesOf(stack)
  const { OutputTag, OutputRepository, Refresh } = index!.Properties
  assert.deepEqual([OutputTag, Refresh], ['web-soci', '7'])
  assert.deepEqual(OutputRepository, stack.resolve(outputRepository.repositoryUri))
})

test('attributes are those of the answer', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  const index = new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  const id = idOf(stack, 'Custom::SociIndex')
  for (const name of ['imageDigest', 'imageUri', 'outputImageTag', 'indexed', 'indexReason'] as const)
    assert.deepEqual(stack.resolve(index[name]), { 'Fn::GetAtt': [id, name] })
  assert.equal(index.repository, repository)
})

test('the tag of an asset is the one that it has in its repository, with the prefix of the synthesizer', () => {
  const synthesizer = new DefaultStackSynthesizer({ dockerTagPrefix: 'team-' })
  const stack = new Stack(new App(), 'Stack', { synthesizer })
  const asset = new DockerImageAsset(stack, 'Image', { directory: IMAGE })
  SociIndexV2Build.fromDockerImageAsset(stack, 'Index', asset)
  const [index] = indexesOf(stack)
  assert.equal(index?.Properties.InputTag, `team-${asset.assetHash}`)
  assert.equal(index?.Properties.OutputTag, `team-${asset.assetHash}-soci`)
})

test('options that change the index change the default tag, and others do not', () => {
  const tagWith = (options: SociIndexOptions): string => {
    const stack = newStack()
    const repository = new Repository(stack, 'Repository')
    new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', ...options })
    return indexesOf(stack)[0]?.Properties.OutputTag
  }
  const same: SociIndexOptions[] = [
    {},
    {
      spanSize: 4194304,
      minLayerSize: 10485760,
      buildTool: 'sociable v1',
      platforms: [],
      prefetchFiles: [],
      xattr: false,
    },
    {
      requireIndex: true,
      removalPolicy: RemovalPolicy.DESTROY,
      compute: SociCompute.lambdaFunction({ memorySize: 1024 }),
    },
  ]
  for (const options of same) assert.equal(tagWith(options), 'app-soci')
  const other: SociIndexOptions[] = [
    { spanSize: 1048576 },
    { minLayerSize: 0 },
    { minLayerSize: 1048576 },
    { platforms: ['linux/arm64'] },
    { prefetchFiles: ['/app'] },
    { buildTool: 'mine' },
    { xattr: true },
  ]
  const tags = other.map(tagWith)
  for (const tag of tags) assert.match(tag, /^app-soci-[0-9a-f]{8}$/)
  assert.equal(new Set(tags).size, other.length)
  assert.deepEqual(other.map(tagWith), tags)
})

test('options go to the handler as strings', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexV2Build(stack, 'Index', {
    repository,
    inputImageTag: 'app',
    outputImageTag: 'lazy',
    outputRepository: new Repository(stack, 'Other'),
    spanSize: 1048576,
    minLayerSize: 0,
    platforms: ['linux/amd64', 'linux/arm64'],
    prefetchFiles: ['/app/main'],
    buildTool: 'mine',
    xattr: true,
    requireIndex: true,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const {
    ServiceToken: _,
    ServiceTimeout: __,
    Repository: input,
    OutputRepository,
    ...rest
  } = indexesOf(stack)[0]!.Properties
  assert.notDeepEqual(input, OutputRepository)
  assert.deepEqual(rest, {
    Format: 'v2',
    InputTag: 'app',
    OutputTag: 'lazy',
    SpanSize: '1048576',
    MinLayerSize: '0',
    Platforms: ['linux/amd64', 'linux/arm64'],
    PrefetchFiles: ['/app/main'],
    BuildTool: 'mine',
    Xattr: 'true',
    RequireIndex: 'true',
    Removal: 'destroy',
  })
})

test('a tag that was pushed anew is read again when the text for it changes', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexV2Build(stack, 'V2', { repository, inputImageTag: 'latest', refresh: 'build 7' })
  new SociIndexBuild(stack, 'V1', { repository, imageTag: 'latest', refresh: 'build 7' })
  const [v2, v1] = indexesOf(stack)
  for (const index of [v2, v1]) assert.equal(index?.Properties.Refresh, 'build 7')
  // Tags may be immutable, so what is read again gets another one
  const tagWith = (refresh?: string) => {
    const other = newStack()
    new SociIndexV2Build(other, 'V2', {
      repository: new Repository(other, 'Repository'),
      inputImageTag: 'latest',
      refresh,
    })
    return indexesOf(other)[0]!.Properties.OutputTag as string
  }
  assert.match(v2?.Properties.OutputTag, /^latest-soci-[0-9a-f]{8}$/)
  assert.equal(tagWith('build 7'), v2?.Properties.OutputTag)
  assert.notEqual(tagWith('build 8'), v2?.Properties.OutputTag)
  assert.equal(tagWith(), 'latest-soci')
})

test('an image can be named by its digest', () => {
  const stack = newStack()
  new SociIndexV2Build(stack, 'Index', { repository: new Repository(stack, 'Repository'), inputImageTag: DIGEST })
  const [index] = indexesOf(stack)
  assert.equal(index?.Properties.InputTag, DIGEST)
  assert.equal(index?.Properties.OutputTag, `sha256-${'ab'.repeat(32)}-soci`)
})

test('tokens are taken wherever a string or number is', () => {
  const stack = newStack()
  const text = new CfnParameter(stack, 'Text')
  const number = new CfnParameter(stack, 'Number', { type: 'Number' })
  new SociIndexV2Build(stack, 'Index', {
    repository: Repository.fromRepositoryName(stack, 'Repository', text.valueAsString),
    inputImageTag: text.valueAsString,
    spanSize: number.valueAsNumber,
    minLayerSize: number.valueAsNumber,
    platforms: [text.valueAsString],
    prefetchFiles: [text.valueAsString],
    buildTool: text.valueAsString,
    compute: SociCompute.lambdaFunction({ memorySize: number.valueAsNumber }),
  })
  const { Properties } = indexesOf(stack)[0]!
  assert.deepEqual(Properties.InputTag, { Ref: 'Text' })
  assert.equal(Properties.OutputTag['Fn::Join'][1].length, 2)
  assert.deepEqual(Properties.OutputTag['Fn::Join'][1][0], { Ref: 'Text' })
  assert.match(Properties.OutputTag['Fn::Join'][1][1], /^-soci-[0-9a-f]{8}$/)
  assert.deepEqual(Properties.SpanSize, { Ref: 'Number' })
  assert.deepEqual(Properties.MinLayerSize, { Ref: 'Number' })
  assert.deepEqual(Properties.Platforms, [{ Ref: 'Text' }])
  assert.deepEqual(Properties.BuildTool, { Ref: 'Text' })
  assert.deepEqual(indexerOf(stack).Properties.MemorySize, { Ref: 'Number' })
})

test('a list that is a token is taken too', () => {
  const stack = newStack()
  const list = new CfnParameter(stack, 'List', { type: 'CommaDelimitedList' })
  const repository = new Repository(stack, 'Repository')
  new SociIndexV2Build(stack, 'Index', {
    repository,
    inputImageTag: 'app',
    platforms: list.valueAsList,
    prefetchFiles: list.valueAsList,
  })
  const { Properties } = indexesOf(stack)[0]!
  assert.deepEqual(Properties.Platforms, { Ref: 'List' })
  assert.deepEqual(Properties.PrefetchFiles, { Ref: 'List' })
})

test('computeType is CodeBuild', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app', computeType: ComputeType.MEDIUM })
  assert.equal(only(stack, 'AWS::CodeBuild::Project').Properties.Environment.ComputeType, 'BUILD_GENERAL1_MEDIUM')
})

test('stages and nested stacks have a provider of their own', () => {
  const app = new App()
  const stack = new Stack(app, 'Stack')
  const nested = new NestedStack(stack, 'Nested')
  const staged = new Stack(new Stage(app, 'Stage'), 'Stack')
  for (const scope of [stack, nested, staged]) {
    const repository = Repository.fromRepositoryName(scope, 'Repository', 'app')
    new SociIndexV2Build(scope, 'Index', { repository, inputImageTag: 'app' })
  }
  for (const scope of [stack, nested, staged]) {
    const [index] = indexesOf(scope)
    const id = idOfIndexer(scope)
    assert.deepEqual(index?.Properties.ServiceToken, { 'Fn::GetAtt': [id, 'Arn'] })
  }
})

test('the index is asked for after all that its provider needs', () => {
  const stack = newStack()
  const repository = new Repository(stack, 'Repository')
  new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: 'app' })
  const needed = Object.entries(templateOf(stack)).filter(([, { Type }]) => /^AWS::(IAM|Lambda|Logs)/.test(Type))
  assert.deepEqual(indexesOf(stack)[0]?.DependsOn, needed.map(([id]) => id).sort())
})

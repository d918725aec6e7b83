// Images that are published with their index before the deployment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RemovalPolicy, Stack, Stage } from 'aws-cdk-lib'
import { BuildSpec } from 'aws-cdk-lib/aws-codebuild'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { CodePipeline, CodePipelineSource, ShellStep } from 'aws-cdk-lib/pipelines'
import { LazyLoading, SociContainerImage, type SociContainerImageOptions, SociMode } from 'cdk-soci'
import { IMAGE, type Statement } from './support.js'
import { ASSETS, asText, imagesOf, indexesOf, newApp, newStack, ofType, only, resourcesOf } from './templates.js'

const PUBLISH = { mode: SociMode.PUBLISH } as const

function synthesize(image: ecs.ContainerImage, stack = newStack()) {
  new ecs.FargateTaskDefinition(stack, 'Task').addContainer('web', { image })
  const resources = resourcesOf(stack)
  return { resources, image: only(imagesOf(resources)), indexes: indexesOf(resources) }
}

test('the image is checked, and named by the digest that the check gives', () => {
  const { resources, image, indexes } = synthesize(SociContainerImage.fromAsset(IMAGE, PUBLISH))
  const [id, index] = only(Object.entries(indexes))
  assert.equal(image, `${ASSETS}@<${id}.imageDigest>`)
  assert.equal(index.Published, 'true')
  assert.equal(asText(index.Repository), ASSETS)
  assert.equal(index.OutputTag, `${index.InputTag}-soci`)
  const statements = Object.values(ofType(resources, 'AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement as Statement[],
  )
  // The task's execution role reads images too
  const actions = statements.flatMap(({ Action }) => [Action].flat()).filter((action) => action.startsWith('ecr:'))
  assert.deepEqual([...new Set(actions)].sort(), [
    'ecr:BatchCheckLayerAvailability',
    'ecr:BatchGetImage',
    'ecr:GetAuthorizationToken',
    'ecr:GetDownloadUrlForLayer',
  ])
})

test('without the check nothing is deployed, and the tag is named', () => {
  const plain = synthesize(ecs.ContainerImage.fromAsset(IMAGE))
  const { resources, image } = synthesize(SociContainerImage.fromAsset(IMAGE, { ...PUBLISH, checkPublished: false }))
  assert.equal(image, `${plain.image}-soci`)
  assert.deepEqual(Object.keys(resources), Object.keys(plain.resources))
})

test('LazyLoading names what is published, in every way that it makes images lazy', () => {
  for (const [options, expected] of [
    [PUBLISH, /^.*@<TaskwebSociIndex\w+\.imageDigest>$/],
    [{ ...PUBLISH, checkPublished: false }, /:[0-9a-f]{64}-soci$/],
  ] as const) {
    const app = newApp()
    LazyLoading.enable(app, options)
    assert.match(synthesize(ecs.ContainerImage.fromAsset(IMAGE), newStack(app)).image, expected)
  }
})

test('containers of one image share a check; another mode is another index', () => {
  const stack = newStack()
  const task = new ecs.FargateTaskDefinition(stack, 'Task')
  task.addContainer('a', { image: SociContainerImage.fromAsset(IMAGE, PUBLISH) })
  task.addContainer('b', { image: SociContainerImage.fromAsset(IMAGE, { ...PUBLISH, checkPublished: true }) })
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  task.addContainer('c', { image: SociContainerImage.fromEcrRepository(repository, '1', PUBLISH) })
  const tags = Object.values(indexesOf(resourcesOf(stack))).map(({ InputTag, OutputTag }) => [InputTag, OutputTag])
  assert.ok(tags.some(([input, output]) => input === '1' && output === '1-soci'))
  assert.ok(tags.every(([input, output]) => output === `${input}-soci`))
})

test('options without an effect are refused, with what to do instead', () => {
  const stack = newStack()
  const repository = new ecr.Repository(stack, 'Repository')
  const digest = `sha256:${'ab'.repeat(32)}`
  const cases: readonly (readonly [SociContainerImageOptions, RegExp])[] = [
    [{ ...PUBLISH, spanSize: 1 << 20 }, /spanSize, .* have no effect with SociMode\.PUBLISH: give them to the command/],
    [{ ...PUBLISH, platforms: ['linux/arm64'] }, /platforms, .* have no effect/],
    [{ ...PUBLISH, outputRepository: repository }, /outputRepository has no effect with SociMode\.PUBLISH/],
    [{ ...PUBLISH, removalPolicy: RemovalPolicy.DESTROY }, /removalPolicy is DESTROY, which has no effect/],
    [{ ...PUBLISH, checkPublished: false, refresh: '1' }, /refresh has no effect with checkPublished: false/],
    [{ checkPublished: false }, /checkPublished is given without mode: SociMode\.PUBLISH/],
    [{ mode: SociMode.DEPLOY, checkPublished: true }, /checkPublished is given without mode: SociMode\.PUBLISH/],
  ]
  for (const [options, message] of cases) {
    assert.throws(() => synthesize(SociContainerImage.fromAsset(IMAGE, options)), message)
    if (!('outputRepository' in options)) assert.throws(() => LazyLoading.enable(newApp(), options), message)
  }
  const byDigest = (options: SociContainerImageOptions) =>
    SociContainerImage.fromEcrRepository(repository, digest, { ...PUBLISH, ...options })
  assert.throws(
    () => new ecs.FargateTaskDefinition(stack, 'A').addContainer('web', { image: byDigest({}) }),
    /is named by its digest \(sha256:\w+\), so the tag of its SOCI-enabled image is unknown: give an outputImageTag/,
  )
  new ecs.FargateTaskDefinition(stack, 'B').addContainer('web', { image: byDigest({ outputImageTag: 'made' }) })
  assert.equal(only(indexesOf(resourcesOf(stack))).OutputTag, 'made')
  assert.throws(
    () => SociContainerImage.fromRegistry('nginx', PUBLISH),
    /mode is SociMode\.PUBLISH, but fromRegistry\(\) copies the image while the stack is deployed/,
  )
})

test('CDK Pipelines: the projects that publish assets run sociable-docker', () => {
  const app = newApp()
  const stack = newStack(app, 'Pipeline', { env: { account: '111111111111', region: 'eu-west-1' } })
  const pipeline = new CodePipeline(stack, 'Pipeline', {
    synth: new ShellStep('Synth', {
      input: CodePipelineSource.s3(Bucket.fromBucketName(stack, 'Source', 'source'), 'app.zip'),
      commands: ['npx cdk synth'],
    }),
    assetPublishingCodeBuildDefaults: {
      buildEnvironment: { environmentVariables: { CDK_DOCKER: { value: 'sociable-docker' } } },
      partialBuildSpec: BuildSpec.fromObject({ phases: { install: { commands: ['npm install -g sociable'] } } }),
    },
  })
  const stage = new Stage(app, 'Stage', { env: { account: '111111111111', region: 'eu-west-1' } })
  const service = new Stack(stage, 'Service')
  LazyLoading.enable(stage, PUBLISH)
  new ecs.FargateTaskDefinition(service, 'Task').addContainer('web', { image: ecs.ContainerImage.fromAsset(IMAGE) })
  pipeline.addStage(stage)
  const projects = Object.values(ofType(resourcesOf(stack), 'AWS::CodeBuild::Project')).map(
    ({ Properties }) => Properties,
  )
  const publishing = only(projects.filter(({ Environment }) => Environment.PrivilegedMode)) // the one for images
  assert.deepEqual(publishing.Environment.EnvironmentVariables, [
    { Name: 'CDK_DOCKER', Type: 'PLAINTEXT', Value: 'sociable-docker' },
  ])
  const { phases } = JSON.parse(publishing.Source.BuildSpec) as { phases: Record<string, { commands: string[] }> }
  assert.ok(phases.install!.commands.includes('npm install -g sociable'))
  assert.ok(phases.install!.commands.some((command) => command.startsWith('npm install -g cdk-assets')))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RemovalPolicy } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { LazyLoading, SociCompute, SociContainerImage, type SociContainerImageOptions, SociMode } from 'cdk-soci'
import { IMAGE } from './support.js'
import { imagesOf, indexesOf, newApp, newStack, only, resourcesOf } from './templates.js'

const BACKGROUND = { mode: SociMode.BACKGROUND }

function indexWith(options: SociContainerImageOptions) {
  const stack = newStack()
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  const image = SociContainerImage.fromEcrRepository(repository, 'latest', options)
  new ecs.FargateTaskDefinition(stack, 'Task').addContainer('web', { image })
  const resources = resourcesOf(stack)
  return { index: only(indexesOf(resources)), image: only(imagesOf(resources)) }
}

test('in the background the deployment does not wait, and the next one looks under the same tag', () => {
  const { index, image } = indexWith(BACKGROUND)
  assert.equal(index.Background, 'true')
  assert.equal(index.OutputTag, 'latest-soci')
  assert.match(image, /@<\w+\.imageDigest>$/)
  const { OutputTag, Refresh } = indexWith({ ...BACKGROUND, refresh: 'build 7' }).index
  assert.deepEqual([OutputTag, Refresh], ['latest-soci', 'build 7'])
  assert.equal(indexWith({}).index.Background, undefined)

  const app = newApp()
  LazyLoading.enable(app, BACKGROUND)
  const stack = newStack(app)
  const asset = ecs.ContainerImage.fromAsset(IMAGE)
  new ecs.FargateTaskDefinition(stack, 'Task').addContainer('web', { image: asset })
  assert.equal(only(indexesOf(resourcesOf(stack))).Background, 'true')
})

test('options that do not go with it are refused', () => {
  const repository = new ecr.Repository(newStack(), 'Repository')
  for (const [options, message] of [
    [{ outputRepository: repository }, /outputRepository cannot be combined with SociMode\.BACKGROUND/],
    [{ removalPolicy: RemovalPolicy.DESTROY }, /removalPolicy is DESTROY, which cannot be combined/],
    [{ compute: SociCompute.codeBuild() }, /SociMode\.BACKGROUND, which only SociCompute\.lambdaFunction\(\) has/],
    [{ compute: SociCompute.stepFunctions() }, /SociMode\.BACKGROUND, which only SociCompute\.lambdaFunction\(\) has/],
  ] as const)
    assert.throws(() => indexWith({ ...BACKGROUND, ...options }), message)
  assert.throws(
    () => LazyLoading.enable(newApp(), { ...BACKGROUND, removalPolicy: RemovalPolicy.DESTROY }),
    /removalPolicy is DESTROY, which cannot be combined/,
  )
  assert.throws(
    () => SociContainerImage.fromRegistry('nginx:1', BACKGROUND),
    /SociMode\.BACKGROUND, but fromRegistry\(\) copies the image while the stack is deployed/,
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App, NestedStack, RemovalPolicy, Stack, Stage } from 'aws-cdk-lib'
import { type IRepository, Repository } from 'aws-cdk-lib/aws-ecr'
import { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import { SociCompute, SociContainerImage, SociIndexBuild, SociIndexV2Build, type SociIndexV2BuildProps } from 'cdk-soci'
import { indexesOf, newStack } from './support.js'

const ENV = { account: '111111111111', region: 'eu-west-1' }

const imported = (stack: Stack, id: string, name = 'app'): IRepository =>
  Repository.fromRepositoryName(stack, `${id}Repository`, name)

/** An index of `app:INPUT` as `app:lazy`, unless the props say something else. */
function build(stack: Stack, id: string, props: Partial<SociIndexV2BuildProps> = {}): SociIndexV2Build {
  const repository = imported(stack, id)
  return new SociIndexV2Build(stack, id, { repository, inputImageTag: '1', outputImageTag: 'lazy', ...props })
}

test('two inputs with one output tag are refused, with both constructs named', () => {
  const stack = newStack()
  build(stack, 'One')
  assert.throws(
    () => build(stack, 'Two', { inputImageTag: '2' }),
    /app:1 and .*app:2 would both become .*app:lazy: give each an outputImageTag of its own \(Stack\/One, Stack\/Two\)/,
  )
  assert.equal(indexesOf(stack).length, 1)
  build(stack, 'Three', { inputImageTag: '2', outputImageTag: 'other' })
  build(stack, 'Four', { inputImageTag: '2', outputRepository: imported(stack, 'Output', 'other') })
})

test('an input of another repository with the same tag is refused, too', () => {
  const stack = newStack()
  const outputRepository = new Repository(stack, 'Output')
  build(stack, 'One', { outputRepository })
  const repository = new Repository(stack, 'Other')
  assert.throws(() => build(stack, 'Two', { repository, outputRepository }), /app:1 and .*:1 would both become/)
})

test('one input with options that change the index is refused, and with others it is taken', () => {
  const stack = newStack()
  build(stack, 'One')
  assert.throws(() => build(stack, 'Two', { spanSize: 1 << 20 }), /app:1 and .*app:1-[0-9a-f]{8} would both become/)
  build(stack, 'Three', {
    removalPolicy: RemovalPolicy.DESTROY,
    requireIndex: true,
    compute: SociCompute.lambdaFunction({ memorySize: 1024 }),
  })
})

test('all kinds of constructs ask in one place', () => {
  const stack = newStack()
  build(stack, 'One')
  const repository = imported(stack, 'Same')
  const image = SociContainerImage.fromEcrRepository(repository, '2', { outputImageTag: 'lazy' })
  const task = new FargateTaskDefinition(stack, 'Task')
  assert.throws(() => task.addContainer('web', { image }), /app:1 and .*app:2 would both become .*app:lazy/)
  assert.throws(
    () => new SociIndexBuild(stack, 'V1', { repository, imageTag: '1', indexTag: 'lazy' }),
    /app:1 and the v1 index of .*app:1 would both become .*app:lazy/,
  )
  const same = SociContainerImage.fromEcrRepository(repository, '1', { outputImageTag: 'lazy' })
  new FargateTaskDefinition(stack, 'Other').addContainer('web', { image: same }) // the same bytes
})

test('stacks of one account and region are compared, in stages and nested stacks too', () => {
  const app = new App()
  build(new Stack(app, 'First', { env: ENV }), 'One')
  const others = [
    new Stack(app, 'Second', { env: ENV }),
    new Stack(new Stage(app, 'Stage'), 'Third', { env: ENV }),
    new NestedStack(new Stack(app, 'Parent', { env: ENV }), 'Nested'),
  ]
  for (const stack of others) {
    assert.throws(
      () => build(stack, 'Two', { inputImageTag: '2' }),
      /app:lazy: give each an .* \(First\/One, .*\/Two\)/,
      stack.node.path,
    )
    build(stack, 'Same')
  }
})

test('stacks that may be deployed to different accounts or regions are not compared', () => {
  const app = new App()
  build(new Stack(app, 'First', { env: ENV }), 'One')
  const elsewhere = [
    new Stack(app, 'Region', { env: { ...ENV, region: 'us-east-1' } }),
    new Stack(app, 'Account', { env: { ...ENV, account: '222222222222' } }),
    new Stack(app, 'Unknown'),
    new Stack(app, 'UnknownToo'),
  ]
  elsewhere.forEach((stack, index) => {
    build(stack, 'Two', { inputImageTag: `other-${index}` })
  })
})

test('repositories of the stacks themselves are told apart', () => {
  const app = new App()
  for (const input of ['1', '2']) {
    const stack = new Stack(app, `Stack${input}`, { env: ENV })
    build(stack, 'Index', { repository: new Repository(stack, 'Repository'), inputImageTag: input })
  }
})

// Lazy loading beside what only newer releases of the CDK have, and beside the peers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IPropertyInjector, PropertyInjectors, Size, type Stack } from 'aws-cdk-lib'
import { EcsFargateContainerDefinition, EcsJobDefinition } from 'aws-cdk-lib/aws-batch'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { LazyLoading, SociContainerImage } from 'cdk-soci'
import { ContainerImageBuild, SociIndexV2Build } from 'deploy-time-build'
import { IMAGE } from './synthesis/support.js'
import {
  asText,
  imagesOf,
  indexesOf,
  newApp,
  newStack,
  ofType,
  only,
  type Resources,
  resourcesOf,
  toldOf,
} from './synthesis/templates.js'

function taskOf(stack: Stack, id = 'Task'): ecs.FargateTaskDefinition {
  return new ecs.FargateTaskDefinition(stack, id)
}

function assertLazy(resources: Resources): void {
  assert.match(only(imagesOf(resources)), /@<\w*SociIndex\w+\.imageDigest>$/)
}

test("the app's own injectors for containers are asked too, wherever they are", () => {
  const essential: IPropertyInjector = {
    constructUniqueId: ecs.ContainerDefinition.PROPERTY_INJECTION_ID,
    inject: (props: ecs.ContainerDefinitionProps) => ({ ...props, environment: { INJECTED: 'yes' } }),
  }
  const before = newApp()
  PropertyInjectors.of(before).add(essential)
  LazyLoading.enable(before)
  const further = newApp()
  PropertyInjectors.of(further).add(essential)
  const stacks = [newStack(before), newStack(further)]
  LazyLoading.enable(stacks[1]!)
  for (const stack of stacks) {
    taskOf(stack).addContainer('web', { image: ecs.ContainerImage.fromAsset(IMAGE) })
    const resources = resourcesOf(stack)
    assertLazy(resources)
    assert.match(JSON.stringify(resources), /"INJECTED"/)
  }
})

test('an injector that is nearer than ours, or came later, leaves it to the aspect', () => {
  const app = newApp()
  LazyLoading.enable(app)
  const stack = newStack(app)
  PropertyInjectors.of(stack).add({
    constructUniqueId: ecs.ContainerDefinition.PROPERTY_INJECTION_ID,
    inject: (props: ecs.ContainerDefinitionProps) => ({ ...props, environment: { INJECTED: 'yes' } }),
  })
  taskOf(stack).addContainer('web', { image: ecs.ContainerImage.fromAsset(IMAGE) })
  const resources = resourcesOf(stack)
  assertLazy(resources)
  assert.match(JSON.stringify(resources), /"INJECTED"/)
})

test("ECS's version consistency stays what CDK makes of it: with a digest there is no tag to look up", () => {
  const stack = newStack()
  const versionConsistency = ecs.VersionConsistency.DISABLED
  taskOf(stack, 'A').addContainer('plain', { image: ecs.ContainerImage.fromAsset(IMAGE) })
  taskOf(stack, 'B').addContainer('soci', { image: SociContainerImage.fromAsset(IMAGE) })
  taskOf(stack, 'C').addContainer('told', { image: SociContainerImage.fromAsset(IMAGE), versionConsistency })
  const [plain, soci, told] = Object.values(ofType(resourcesOf(stack), 'AWS::ECS::TaskDefinition')).map(
    ({ Properties }) => (Properties.ContainerDefinitions as { VersionConsistency?: string }[])[0]?.VersionConsistency,
  )
  assert.equal(soci, plain)
  assert.equal(told, 'disabled')
})

test('an image that the peers indexed is left as it is', () => {
  const app = newApp()
  LazyLoading.enable(app)
  const stack = newStack(app)
  const repository = new ecr.Repository(stack, 'Repository')
  const build = new SociIndexV2Build(stack, 'Build', { repository, inputImageTag: '1' })
  taskOf(stack).addContainer('web', { image: build.toEcsDockerImageCode() })
  assert.match(only(toldOf(stack, 'info')), /"web" as it is: .* is a SOCI image already/)
  assert.match(only(imagesOf(resourcesOf(stack))), /:<Build\w+\.outputImageTag>$/)
})

test('an image that the peers build while the stack is deployed is indexed after that', () => {
  const app = newApp()
  LazyLoading.enable(app)
  const stack = newStack(app)
  const build = new ContainerImageBuild(stack, 'Build', { directory: IMAGE })
  taskOf(stack).addContainer('web', { image: build.toEcsDockerImageCode() })
  const resources = resourcesOf(stack)
  assertLazy(resources)
  const { InputTag, OutputTag } = only(indexesOf(resources))
  assert.match(asText(InputTag), /^<Build\w+\.ImageTag>$/)
  assert.equal(asText(OutputTag), `${asText(InputTag)}-soci`)
})

test('jobs of AWS Batch take the same images', () => {
  const stack = newStack()
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  const outputRepository = ecr.Repository.fromRepositoryName(stack, 'Output', 'lazy')
  const images = {
    Asset: SociContainerImage.fromAsset(IMAGE),
    Repository: SociContainerImage.fromEcrRepository(repository, '1', { outputRepository }),
    Registry: SociContainerImage.fromRegistry('nginx:1'),
    Excluded: LazyLoading.exclude(ecs.ContainerImage.fromRegistry('nginx:1')),
  }
  for (const [name, image] of Object.entries(images))
    new EcsJobDefinition(stack, `${name}Job`, {
      container: new EcsFargateContainerDefinition(stack, `${name}Container`, {
        image,
        cpu: 1,
        memory: Size.gibibytes(2),
      }),
    })
  const jobs = Object.values(ofType(resourcesOf(stack), 'AWS::Batch::JobDefinition'))
  const names = jobs.map(({ Properties }) => asText(Properties.ContainerProperties.Image))
  for (const name of names.slice(0, 3)) assert.match(name, /@<\w*SociIndex\w+\.imageDigest>$/)
  assert.match(names[1] ?? '', /\/lazy@/)
  assert.equal(names[3], 'nginx:1')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CfnResource, type Stack } from 'aws-cdk-lib'
import * as batch from 'aws-cdk-lib/aws-batch'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { LazyLoading, SociContainerImage, SociIndexBuild, SociIndexV2Build } from 'cdk-soci'
import { indexesOf, newApp, newStack, only, resourcesOf, toldOf } from './templates.js'

const ENV = { account: '111111111111', region: 'eu-west-1' }
const ELSEWHERE = `arn:aws:ecr:us-east-1:${ENV.account}:repository/app`

function lazyStack(): Stack {
  const app = newApp()
  LazyLoading.enable(app)
  return newStack(app, 'Stack', { env: ENV })
}

function addJob(stack: Stack, capability: string, image: string): void {
  new batch.CfnJobDefinition(stack, `Job${capability}`, {
    type: 'container',
    platformCapabilities: [capability],
    containerProperties: { image },
  })
}

function addExpress(stack: Stack, image: string): void {
  const properties = {
    ExecutionRoleArn: 'arn:aws:iam::123456789012:role/execution',
    InfrastructureRoleArn: 'arn:aws:iam::123456789012:role/infrastructure',
    PrimaryContainer: { Image: image },
  }
  const express = new CfnResource(stack, 'Express', { type: 'AWS::ECS::ExpressGatewayService', properties })
  Object.assign(express, { primaryContainer: { image } })
}

test('an index of version 1 has a warning that names the one of version 2', () => {
  const stack = newStack()
  const repository = Repository.fromRepositoryName(stack, 'Repository', 'app')
  new SociIndexBuild(stack, 'Index', { repository, imageTag: '1' })
  assert.match(only(toldOf(stack, 'warning')), /Stack\/Index makes a SOCI index of version 1.*use SociIndexV2Build/)
})

test('jobs of AWS Batch on Fargate are named once, those on EC2 are not', () => {
  const stack = lazyStack()
  LazyLoading.enable(stack) // a second aspect
  addJob(stack, 'FARGATE', 'app:1')
  addJob(stack, 'EC2', 'app:1')
  assert.match(only(toldOf(stack, 'info')), /leaves Stack\/JobFARGATE as it is: .*AWS Batch.*SociContainerImage/)
})

test('services of ECS Express Mode are named', () => {
  const stack = lazyStack()
  addExpress(stack, 'app:1')
  assert.match(only(toldOf(stack, 'info')), /leaves Stack\/Express as it is: .*imageUri of a SociIndexV2Build/)
})

test('nothing is printed of jobs and services whose image has an index, nor where LazyLoading is off', () => {
  const stack = lazyStack()
  const repository = new Repository(stack, 'Repository')
  const { imageUri } = new SociIndexV2Build(stack, 'Index', { repository, inputImageTag: '1' })
  addJob(stack, 'FARGATE', imageUri)
  addExpress(stack, imageUri)
  assert.deepEqual(toldOf(stack, 'info'), [])
  const off = lazyStack()
  LazyLoading.disable(off)
  addJob(off, 'FARGATE', 'app:1')
  addExpress(off, 'app:1')
  assert.deepEqual(toldOf(off, 'info'), [])
})

test('LazyLoading leaves an image of another region as it is', () => {
  const stack = lazyStack()
  const repository = Repository.fromRepositoryArn(stack, 'Repository', ELSEWHERE)
  const task = new ecs.FargateTaskDefinition(stack, 'Task')
  task.addContainer('web', { image: ecs.ContainerImage.fromEcrRepository(repository, '1') })
  assert.deepEqual(indexesOf(resourcesOf(stack)), {})
  assert.match(only(toldOf(stack, 'info')), /"web" as it is: .* is in us-east-1, the stack in eu-west-1/)
})

test('SociContainerImage warns of an image of another region, unless its output is in another repository', () => {
  const stack = newStack(newApp(), 'Stack', { env: ENV })
  const repository = Repository.fromRepositoryArn(stack, 'Repository', ELSEWHERE)
  const task = new ecs.FargateTaskDefinition(stack, 'Task')
  task.addContainer('web', { image: SociContainerImage.fromEcrRepository(repository, '1') })
  const outputRepository = new Repository(stack, 'Here')
  task.addContainer('ok', { image: SociContainerImage.fromEcrRepository(repository, '1', { outputRepository }) })
  assert.match(only(toldOf(stack, 'warning')), /Task\/web.* is in us-east-1, the stack in eu-west-1.*outputRepository/)
})

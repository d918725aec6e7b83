import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CfnParameter, Fn, RemovalPolicy, type Stack } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { LazyLoading, SociContainerImage, type SociRegistryImageProps } from 'cdk-soci'
import { asText, imagesOf, indexesOf, newApp, newStack, ofType, only, resourcesOf } from './templates.js'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`

function addImage(stack: Stack, name: string, props?: SociRegistryImageProps, id = 'web'): void {
  const task = stack.node.tryFindChild('Task') ?? new ecs.FargateTaskDefinition(stack, 'Task')
  const image = SociContainerImage.fromRegistry(name, props)
  ;(task as ecs.FargateTaskDefinition).addContainer(id, { image })
}

/** Of a stack with that image: the index and the repository, if there is one. */
function mirrored(name: string, props?: SociRegistryImageProps, stack = newStack()) {
  addImage(stack, name, props)
  const resources = resourcesOf(stack)
  const [id] = Object.keys(indexesOf(resources))
  const [repositoryId] = Object.keys(ofType(resources, 'AWS::ECR::Repository'))
  return { stack, resources, id, repositoryId, index: only(indexesOf(resources)), image: only(imagesOf(resources)) }
}

/** Statements of all policies, as text. */
function grants(resources: ReturnType<typeof resourcesOf>): string[] {
  return Object.values(ofType(resources, 'AWS::IAM::Policy')).flatMap(({ Properties }) =>
    (Properties.PolicyDocument as { Statement: unknown[] }).Statement.map((statement) => JSON.stringify(statement)),
  )
}

test('an image is copied to a repository of the stack, which stays, and indexed there', () => {
  const { resources, id, repositoryId, index, image } = mirrored('nginx:1.27')
  assert.ok(image.endsWith(`/<${repositoryId}>@<${id}.imageDigest>`), image)
  assert.deepEqual(
    [index.Source, index.InputTag, index.OutputTag],
    ['docker.io/library/nginx:1.27', '1.27', '1.27-soci'],
  )
  assert.ok(asText(index.Repository).endsWith(`/<${repositoryId}>`))
  assert.equal(index.SourceSecretArn, undefined)
  const repository = only(ofType(resources, 'AWS::ECR::Repository')) as {
    DeletionPolicy?: string
    Properties?: unknown
  }
  assert.equal(repository.DeletionPolicy, 'Retain')
  assert.equal(repository.Properties, undefined)
  assert.equal(grants(resources).filter((grant) => grant.includes('ecr:PutImage')).length, 1)
  const pull = grants(resources).filter((grant) => grant.includes('ecr:BatchGetImage') && grant.includes(repositoryId!))
  assert.equal(pull.length, 2, 'for the index, and for the task')
})

test('names are completed, and a digest makes the tag if there is none', () => {
  const cases: [string, string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest', 'latest'],
    ['bitnami/redis:7', 'docker.io/bitnami/redis:7', '7'],
    ['docker:27', 'docker.io/library/docker:27', '27'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest', 'latest'],
    [`ghcr.io/owner/app@${DIGEST}`, `ghcr.io/owner/app@${DIGEST}`, DIGEST.replace(':', '-')],
    [`registry.example/app:1@${DIGEST}`, `registry.example/app:1@${DIGEST}`, '1'],
  ]
  for (const [name, source, tag] of cases) {
    const { index } = mirrored(name)
    assert.deepEqual([index.Source, index.InputTag, index.OutputTag], [source, tag, `${tag}-soci`], name)
  }
})

test('tokens may follow the registry', () => {
  const stack = newStack()
  const version = new CfnParameter(stack, 'Version').valueAsString
  const { index } = mirrored(`public.ecr.aws/docker/library/python:${version}-slim`, {}, stack)
  assert.equal(asText(index.Source), 'public.ecr.aws/docker/library/python:<Version>-slim')
  assert.deepEqual([index.InputTag, index.OutputTag].map(asText), ['<Version>-slim', '<Version>-slim-soci'])
  const digest = mirrored(`ghcr.io/owner/app@${Fn.importValue('digest')}`).index
  assert.equal(asText(digest.Source), 'ghcr.io/owner/app@<{"Fn::ImportValue":"digest"}>')
  assert.match(asText(digest.InputTag), /^sha256-<\{"Fn::Select":\[1,/)
})

test('images of one name share a repository, other names have their own', () => {
  const stack = newStack()
  addImage(stack, 'nginx:1', {}, 'a')
  addImage(stack, 'docker.io/library/nginx:2', {}, 'b')
  addImage(stack, 'index.example/library/nginx:1', {}, 'c')
  addImage(stack, 'nginx:1', {}, 'again')
  const resources = resourcesOf(stack)
  assert.equal(Object.keys(ofType(resources, 'AWS::ECR::Repository')).length, 2)
  assert.equal(Object.keys(indexesOf(resources)).length, 3)
  const images = imagesOf(resources)
  assert.equal(images.a, images.again)
})

test('with DESTROY the repository goes with its images, if none of them is to stay', () => {
  const destroy = { removalPolicy: RemovalPolicy.DESTROY }
  type Repository = { readonly DeletionPolicy: string; readonly Properties?: { readonly EmptyOnDelete?: boolean } }
  const repositoryOf = (...policies: SociRegistryImageProps[]) => {
    const stack = newStack()
    for (const [at, props] of policies.entries()) addImage(stack, `nginx:${at}`, props, `c${at}`)
    const { DeletionPolicy, Properties } = only(
      ofType(resourcesOf(stack), 'AWS::ECR::Repository'),
    ) as unknown as Repository
    return [DeletionPolicy, Properties?.EmptyOnDelete]
  }
  assert.deepEqual(repositoryOf(destroy), ['Delete', true])
  assert.deepEqual(repositoryOf(destroy, destroy), ['Delete', true])
  assert.deepEqual(repositoryOf(destroy, {}), ['Retain', undefined])
  assert.deepEqual(repositoryOf({}, destroy), ['Retain', undefined])
})

test("a repository of the user's own is used as it is", () => {
  const stack = newStack()
  const repository = new ecr.Repository(stack, 'Mine', { imageTagMutability: ecr.TagMutability.IMMUTABLE })
  const { index, repositoryId } = mirrored('nginx:1', { repository, imageTag: 'nginx-1' }, stack)
  assert.deepEqual([index.InputTag, index.OutputTag], ['nginx-1', 'nginx-1-soci'])
  assert.match(repositoryId!, /^Mine/)
})

test('a login is read from its secret by the index only', () => {
  const stack = newStack()
  const credentials = new Secret(stack, 'Login')
  const { index, resources } = mirrored('registry.example/app:1', { credentials }, stack)
  const [secretId] = Object.keys(ofType(resources, 'AWS::SecretsManager::Secret'))
  assert.equal(asText(index.SourceSecretArn), `<${secretId}>`)
  const reads = grants(resources).filter((grant) => grant.includes('secretsmanager:GetSecretValue'))
  assert.match(only(reads), new RegExp(`"Resource":\\{"Ref":"${secretId}"\\}`))
  const [policyId] = Object.entries(ofType(resources, 'AWS::IAM::Policy')).find(([, policy]) =>
    JSON.stringify(policy).includes('secretsmanager:GetSecretValue'),
  )!
  const [indexResource] = Object.values(ofType(resources, 'Custom::SociIndex'))
  assert.ok(indexResource?.DependsOn?.includes(policyId), 'it waits for the permission')
})

test('a private repository of ECR is read by the role, as those of the Deep Learning Containers', () => {
  const host = '763104351884.dkr.ecr.eu-west-1.amazonaws.com'
  const { resources } = mirrored(`${host}/pytorch-inference:2.6.0-gpu`)
  const read = grants(resources).filter((grant) => grant.includes(':763104351884:repository/pytorch-inference'))
  assert.match(only(read), /"ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"\]/)
})

test('refresh changes a property, so that the tag is copied again; without a change nothing does', () => {
  const [one, other, same] = ['2026-11-24', '2026-11-25', '2026-11-24'].map((refresh) =>
    mirrored('nginx:1', { refresh }),
  )
  assert.equal(one?.index.Refresh, '2026-11-24')
  // Its output tag follows, as tags may be immutable
  const whatever = { Refresh: '', OutputTag: '' }
  assert.deepEqual({ ...one?.index, ...whatever }, { ...other?.index, ...whatever })
  assert.notEqual(one?.index.OutputTag, other?.index.OutputTag)
  assert.equal(one?.id, other?.id, 'it is an update')
  assert.deepEqual(same?.resources, one?.resources)
})

test('lazy loading leaves it as it is', () => {
  const app = newApp()
  LazyLoading.enable(app)
  const { index } = mirrored('nginx:1', {}, newStack(app))
  assert.equal(index.Source, 'docker.io/library/nginx:1')
})

test('names that are none are refused with the value and the fix', () => {
  const bad = [
    '',
    'Nginx',
    'nginx:',
    'nginx:a tag',
    'https://ghcr.io/a',
    'nginx@sha256:12',
    'a//b',
    '-x',
    `nginx:${'x'.repeat(129)}`,
  ]
  for (const name of bad)
    assert.throws(
      () => SociContainerImage.fromRegistry(name),
      (error: Error) => {
        assert.ok(error.message.includes(`the image's name is "${name}": write it as nginx:1.27`), error.message)
        return true
      },
    )
  const token = new CfnParameter(newStack(), 'Image').valueAsString
  assert.throws(() => SociContainerImage.fromRegistry(token), /"<token>".*tokens may only follow the registry/)
  assert.throws(() => SociContainerImage.fromRegistry(`${token}/nginx:1`), /tokens may only follow the registry/)
  assert.throws(() => SociContainerImage.fromRegistry('nginx:1', { imageTag: 'a tag' }), /imageTag is "a tag"/)
  assert.throws(() => SociContainerImage.fromRegistry('nginx:1', { imageTag: DIGEST }), /the copy needs a tag/)
})

test('two images that would be copied to one place are refused', () => {
  const stack = newStack()
  const repository = new ecr.Repository(stack, 'Mine')
  addImage(stack, 'nginx:1', { repository }, 'a')
  assert.throws(
    () => addImage(stack, 'redis:1', { repository }, 'b'),
    /nginx:1 and docker.io\/library\/redis:1 would both/,
  )
})

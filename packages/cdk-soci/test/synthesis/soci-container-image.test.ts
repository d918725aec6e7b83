import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CfnParameter, DefaultStackSynthesizer, NestedStack, RemovalPolicy, type Stack, Tags, Token } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import { SociCompute, SociContainerImage, type SociContainerImageOptions } from 'cdk-soci'
import { IMAGE } from './support.js'
import {
  ASSETS,
  asText,
  imagesOf,
  indexesOf,
  newApp,
  newStack,
  OTHER_IMAGE,
  ofType,
  only,
  type Resources,
  resourcesOf,
  temporaryFile,
  toldOf,
} from './templates.js'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const ACCOUNT = '111111111111'
const OTHER_ACCOUNT = '222222222222'
const REGION = 'eu-west-1'

function taskOf(stack: Stack, id = 'Task'): ecs.FargateTaskDefinition {
  return new ecs.FargateTaskDefinition(stack, id)
}

/** Of a stack with one container: its image, and the only index with its logical id. */
function synthesize(stack: Stack, image: ecs.ContainerImage) {
  taskOf(stack).addContainer('web', { image })
  const resources = resourcesOf(stack)
  const [id] = Object.keys(indexesOf(resources))
  return { image: only(imagesOf(resources)), id, index: only(indexesOf(resources)), resources }
}

/** Statements of all policies that name the action. */
function statementsWith(resources: Resources, action: string) {
  return Object.values(ofType(resources, 'AWS::IAM::Policy'))
    .flatMap(({ Properties }) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement)
    .filter(({ Action }) => [Action].flat().includes(action))
}
interface Statement {
  readonly Action: string | string[]
  readonly Resource: unknown
}

test('an asset is indexed, and the task definition names its digest, so that it waits', () => {
  const { image, id, index } = synthesize(newStack(), SociContainerImage.fromAsset(IMAGE))
  assert.equal(image, `${ASSETS}@<${id}.imageDigest>`)
  assert.equal(index.Format, 'v2')
  assert.equal(asText(index.Repository), ASSETS)
  assert.match(index.InputTag as string, /^[0-9a-f]{64}$/) // literally, as `cdk gc` wants it
  assert.equal(index.OutputTag, `${index.InputTag}-soci`)
})

test('the options of an asset go to docker, ours to the index, and the tag tells options that change its bytes', () => {
  const options = { platform: Platform.LINUX_ARM64, spanSize: 1 << 20, requireIndex: true, outputImageTag: 'mine' }
  const { index } = synthesize(newStack(), SociContainerImage.fromAsset(IMAGE, options))
  assert.equal(index.SpanSize, '1048576')
  assert.equal(index.RequireIndex, 'true')
  assert.equal(index.OutputTag, 'mine')
  const plain = synthesize(newStack(), SociContainerImage.fromAsset(IMAGE, { platform: Platform.LINUX_ARM64 }))
  assert.equal(plain.index.InputTag, index.InputTag, 'the image is the same')
  const spans = synthesize(newStack(), SociContainerImage.fromAsset(IMAGE, { spanSize: 1 << 20 })).index
  assert.match(spans.OutputTag as string, new RegExp(`^${spans.InputTag}-soci-[0-9a-f]{8}$`))
})

test('an asset that is there already is indexed under the tag that it has, with a prefix too', () => {
  const synthesizer = new DefaultStackSynthesizer({ dockerTagPrefix: 'prod-' })
  const stack = newStack(newApp(), 'Stack', { synthesizer })
  const asset = new DockerImageAsset(stack, 'Asset', { directory: IMAGE })
  const { image, id, index } = synthesize(stack, SociContainerImage.fromDockerImageAsset(asset))
  assert.equal(image, `${ASSETS}@<${id}.imageDigest>`)
  assert.equal(index.InputTag, `prod-${asset.assetHash}`)
})

test('a tarball is indexed', (t) => {
  const tarball = temporaryFile(t, 'image.tar', 'only its name is looked at')
  const { image, id, index } = synthesize(newStack(), SociContainerImage.fromTarball(tarball))
  assert.equal(image, `${ASSETS}@<${id}.imageDigest>`)
  assert.match(index.InputTag as string, /^[0-9a-f]{64}$/)
})

test('a repository of the stack is named by reference, and its ARN only is granted', () => {
  const stack = newStack()
  const repository = new ecr.Repository(stack, 'Repository')
  const { image, id, index, resources } = synthesize(stack, SociContainerImage.fromEcrRepository(repository, '1.0'))
  const [logicalId] = Object.keys(ofType(resources, 'AWS::ECR::Repository'))
  assert.ok(image.endsWith(`.<AWS::URLSuffix>/<${logicalId}>@<${id}.imageDigest>`), image)
  assert.deepEqual([index.InputTag, index.OutputTag], ['1.0', '1.0-soci'])
  const [puts, pulls] = ['ecr:PutImage', 'ecr:BatchGetImage'].map((action) => statementsWith(resources, action))
  assert.equal(puts?.length, 1)
  assert.equal(pulls?.length, 2, 'for the index, and for the task')
  for (const { Resource } of [...puts!, ...pulls!]) assert.equal(asText(Resource), `<${logicalId}.Arn>`)
})

test('a tag that is a token is indexed, and ends in -soci when the stack is deployed', () => {
  const stack = newStack()
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'team/app')
  const tag = new CfnParameter(stack, 'Tag').valueAsString
  const { image, id, index } = synthesize(stack, SociContainerImage.fromEcrRepository(repository, tag))
  assert.equal(image, `<AWS::AccountId>.dkr.ecr.<AWS::Region>.<AWS::URLSuffix>/team/app@<${id}.imageDigest>`)
  assert.deepEqual([asText(index.InputTag), asText(index.OutputTag)], ['<Tag>', '<Tag>-soci'])
})

test('a digest is indexed under a tag that holds it', () => {
  const stack = newStack()
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  const { index } = synthesize(stack, SociContainerImage.fromEcrRepository(repository, DIGEST))
  assert.deepEqual([index.InputTag, index.OutputTag], [DIGEST, `${DIGEST.replace(':', '-')}-soci`])
})

test('an image is indexed once in a stack, however it is named, and once more with other options', () => {
  const stack = newStack(newApp(), 'Stack', { env: { account: ACCOUNT, region: REGION } })
  const task = taskOf(stack)
  const arn = `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/app`
  const byName = ecr.Repository.fromRepositoryName(stack, 'ByName', 'app')
  const byArn = ecr.Repository.fromRepositoryArn(stack, 'ByArn', arn)
  const asset = new DockerImageAsset(stack, 'Asset', { directory: IMAGE })
  const images = {
    a: SociContainerImage.fromEcrRepository(byName, '1'),
    b: SociContainerImage.fromEcrRepository(byArn, '1', { compute: SociCompute.lambdaFunction({}) }),
    c: SociContainerImage.fromAsset(IMAGE),
    d: SociContainerImage.fromDockerImageAsset(asset),
    e: SociContainerImage.fromEcrRepository(byName, '1', { minLayerSize: 0 }),
    f: SociContainerImage.fromAsset(OTHER_IMAGE),
    g: SociContainerImage.fromAsset(IMAGE, { compute: SociCompute.lambdaFunction({ memorySize: 1769 }) }),
  }
  for (const [name, image] of Object.entries(images)) task.addContainer(name, { image })
  const resources = resourcesOf(stack)
  const names = imagesOf(resources)
  const digestOf = (name: string) => names[name]?.split('@')[1]
  assert.equal(digestOf('a'), digestOf('b'))
  assert.equal(digestOf('c'), digestOf('d'))
  assert.equal(Object.keys(indexesOf(resources)).length, 5)
  assert.equal(new Set(Object.keys(images).map(digestOf)).size, 5)
  assert.equal(Object.keys(ofType(resources, 'AWS::Lambda::Function')).length, 2 * 2) // each with one that answers if it is killed
})

test('two stacks index an image each', () => {
  const app = newApp()
  const stacks = ['A', 'B'].map((id) => newStack(app, id))
  for (const stack of stacks) taskOf(stack).addContainer('web', { image: SociContainerImage.fromAsset(IMAGE) })
  for (const stack of stacks) only(indexesOf(resourcesOf(stack)))
})

test('the logical id of the index stays when the image changes: CloudFormation updates it', () => {
  const [one, other] = [IMAGE, OTHER_IMAGE].map((folder) =>
    synthesize(newStack(), SociContainerImage.fromAsset(folder)),
  )
  assert.equal(one?.id, other?.id)
  assert.notEqual(one?.index.InputTag, other?.index.InputTag)
})

test('a nested stack has its own', () => {
  const nested = new NestedStack(newStack(), 'Nested')
  const { image, id } = synthesize(nested, SociContainerImage.fromAsset(IMAGE))
  assert.equal(image, `${ASSETS}@<${id}.imageDigest>`)
})

test('a repository of another stack is exported by that, and imported by the stack of the index', () => {
  const app = newApp()
  const owner = newStack(app, 'Owner')
  const repository = new ecr.Repository(owner, 'Repository')
  const stack = newStack(app, 'User')
  taskOf(stack).addContainer('web', { image: SociContainerImage.fromEcrRepository(repository, '1') })
  const resources = resourcesOf(stack)
  const repositoryText = JSON.stringify(only(indexesOf(resources)).Repository)
  assert.match(repositoryText, /Fn::ImportValue/)
  const own = new Set([...Object.keys(resources), 'AWS::URLSuffix', 'AWS::AccountId', 'AWS::Region', 'AWS::Partition'])
  for (const [, id] of JSON.stringify(resources).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"([^"]+)"/g))
    assert.ok(own.has(id!), id)
})

test('an image can go to another repository, which the task may pull from', () => {
  const stack = newStack()
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  const outputRepository = new ecr.Repository(stack, 'Output')
  const options = { outputRepository, outputImageTag: '1' } // the same tag: it is another repository
  const { image, id, index, resources } = synthesize(
    stack,
    SociContainerImage.fromEcrRepository(repository, '1', options),
  )
  const [output] = Object.keys(ofType(resources, 'AWS::ECR::Repository'))
  assert.ok(image.endsWith(`/<${output}>@<${id}.imageDigest>`), image)
  assert.ok(asText(index.OutputRepository).endsWith(`/<${output}>`))
  const put = only(statementsWith(resources, 'ecr:PutImage'))
  assert.equal(asText(put.Resource), `<${output}.Arn>`)
  const pulls = statementsWith(resources, 'ecr:BatchGetImage').map(({ Resource }) => asText(Resource))
  assert.equal(pulls.filter((resource) => resource === `<${output}.Arn>`).length, 2, 'for the index, and for the task')
})

test('two images that would have one output tag are refused', () => {
  const stack = newStack()
  const outputRepository = ecr.Repository.fromRepositoryName(stack, 'Output', 'lazy')
  const task = taskOf(stack)
  const add = (name: string, options: SociContainerImageOptions) => {
    const repository = ecr.Repository.fromRepositoryName(stack, `${name}Repository`, name)
    task.addContainer(name, { image: SociContainerImage.fromEcrRepository(repository, '1', options) })
  }
  add('a', { outputRepository })
  assert.throws(
    () => add('b', { outputRepository }),
    /\/a:1 and .*\/b:1 would both become .*\/lazy:1-soci: give each an/,
  )
  add('c', { outputRepository, outputImageTag: 'c-1' })
  add('d', { outputImageTag: 'c-1' })
  const spans = (spanSize: number) => ({ outputImageTag: 'mine', spanSize })
  add('e', spans(1 << 20))
  const same = ecr.Repository.fromRepositoryName(stack, 'Same', 'e')
  const other = SociContainerImage.fromEcrRepository(same, '1', spans(2 << 20))
  assert.throws(() => task.addContainer('f', { image: other }), /would both become .*\/e:mine/)
  const required = SociContainerImage.fromEcrRepository(same, '1', { ...spans(1 << 20), requireIndex: true })
  task.addContainer('g', { image: required }) // the same bytes
})

test('an image in another region and account is indexed there, and its owner is told what to allow', () => {
  const stack = newStack(newApp(), 'Stack', { env: { account: ACCOUNT, region: REGION } })
  const arn = `arn:aws:ecr:us-east-1:${OTHER_ACCOUNT}:repository/team/app`
  const repository = ecr.Repository.fromRepositoryArn(stack, 'Repository', arn)
  const { image, id, index, resources } = synthesize(stack, SociContainerImage.fromEcrRepository(repository, '1'))
  const place = `${OTHER_ACCOUNT}.dkr.ecr.us-east-1.<AWS::URLSuffix>/team/app`
  assert.equal(image, `${place}@<${id}.imageDigest>`)
  assert.equal(asText(index.Repository), place)
  assert.equal(only(statementsWith(resources, 'ecr:PutImage')).Resource, arn)
  const told = toldOf(stack, 'info').join()
  assert.match(told, new RegExp(`team/app is account ${OTHER_ACCOUNT}`))
  assert.match(told, /"ecr:PutImage"/)
})

test('the repository of another account in the same app is given its policy', () => {
  const app = newApp()
  const owner = newStack(app, 'Owner', { env: { account: OTHER_ACCOUNT, region: REGION } })
  const repository = new ecr.Repository(owner, 'Repository', { repositoryName: 'app' })
  const stack = newStack(app, 'User', { env: { account: ACCOUNT, region: REGION } })
  const { image, id } = synthesize(stack, SociContainerImage.fromEcrRepository(repository, '1'))
  assert.ok(image.includes(OTHER_ACCOUNT) && image.endsWith(`/app@<${id}.imageDigest>`), image)
  const { Properties } = only(ofType(resourcesOf(owner), 'AWS::ECR::Repository'))
  assert.match(JSON.stringify(Properties.RepositoryPolicyText), /ecr:PutImage/)
})

test('permissions boundaries and tags of the app reach the role that indexes', () => {
  const app = newApp()
  const stack = newStack(app)
  const policy = iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', `arn:aws:iam::${ACCOUNT}:policy/boundary`)
  iam.PermissionsBoundary.of(app).apply(policy)
  Tags.of(app).add('team', 'web')
  const { resources } = synthesize(stack, SociContainerImage.fromAsset(IMAGE))
  const roles = Object.entries(ofType(resources, 'AWS::IAM::Role'))
  assert.equal(roles.length, 3, 'of the task, of its execution, and of the index')
  for (const [id, { Properties }] of roles) {
    assert.equal(Properties.PermissionsBoundary, policy.managedPolicyArn, id)
    assert.deepEqual(Properties.Tags, [{ Key: 'team', Value: 'web' }], id)
  }
})

test('what cannot be lazy is refused with the value and the fix', () => {
  const windows = () => {
    const stack = newStack()
    const task = new ecs.FargateTaskDefinition(stack, 'Task', {
      cpu: 1024,
      memoryLimitMiB: 2048,
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.X86_64,
        operatingSystemFamily: ecs.OperatingSystemFamily.WINDOWS_SERVER_2022_CORE,
      },
    })
    task.addContainer('web', { image: SociContainerImage.fromAsset(IMAGE) })
  }
  assert.throws(windows, /Stack\/Task\/web is a container of Windows.*use ContainerImage/)
  const zstd = { outputs: ['type=image,compression=zstd'] }
  assert.throws(() => SociContainerImage.fromAsset(IMAGE, zstd), /compression=zstd.*use compression=gzip/)
  const platform = Platform.custom('windows/amd64')
  assert.throws(
    () => SociContainerImage.fromAsset(IMAGE, { platform }),
    /platform "windows\/amd64".*use ContainerImage/,
  )
  const stack = newStack()
  const asset = new DockerImageAsset(stack, 'Asset', { directory: IMAGE, ...zstd })
  if ('dockerOutputs' in asset)
    // the CDK has had it since 2.50
    assert.throws(() => SociContainerImage.fromDockerImageAsset(asset), /compression=zstd/)
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  const refused =
    (tag: string, options: { outputImageTag?: string; spanSize?: number; removalPolicy?: RemovalPolicy }) => () =>
      taskOf(newStack()).addContainer('web', { image: SociContainerImage.fromEcrRepository(repository, tag, options) })
  assert.throws(refused('a tag', {}), /"a tag".*is not a tag/)
  assert.throws(refused('1', { outputImageTag: '1' }), /outputImageTag is "1", the tag of the image/)
  assert.throws(refused('1', { spanSize: -1 }), /spanSize is -1/)
  assert.throws(refused('x'.repeat(125), {}), /130 characters/)
  assert.throws(refused('x'.repeat(110), { removalPolicy: RemovalPolicy.DESTROY }), /115 characters.*109/)
  assert.doesNotThrow(refused(Token.asString({ Ref: 'Anything' }), {}))
})

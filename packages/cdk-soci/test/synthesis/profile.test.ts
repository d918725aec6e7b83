import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import {
  LazyLoading,
  SociBackfill,
  SociCompute,
  SociContainerImage,
  SociIndexBuild,
  SociIndexOnPush,
  SociIndexV2Build,
  SociMode,
  SociProfile,
} from 'cdk-soci'
import { IMAGE, type Statement } from './support.js'
import { asText, indexesOf, newApp, newStack, ofType, only, resourcesOf, temporaryFile } from './templates.js'

const PROFILE = JSON.stringify({ version: 1, files: [{ path: '/app/server.js' }] })
const ASSET_BUCKET = 'cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>'

const computes = [SociCompute.lambdaFunction(), SociCompute.codeBuild(), SociCompute.stepFunctions()]

test('the profile is an asset that the indexing role may read, and part of the default tag', (t) => {
  const profile = SociProfile.fromFile(temporaryFile(t, 'start.json', PROFILE))
  for (const compute of computes) {
    const stack = newStack()
    const task = new ecs.FargateTaskDefinition(stack, 'Task')
    task.addContainer('web', { image: SociContainerImage.fromAsset(IMAGE, { profile, compute }) })
    const resources = resourcesOf(stack)
    const index = only(indexesOf(resources))
    const [, key] = new RegExp(`^s3://${ASSET_BUCKET}/([0-9a-f]{64}\\.json)$`).exec(asText(index.Profile))!
    assert.match(index.OutputTag as string, new RegExp(`^${index.InputTag}-soci-[0-9a-f]{8}$`))
    const reads = Object.values(ofType(resources, 'AWS::IAM::Policy'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
      .filter(({ Action }) => [Action].flat().includes('s3:GetObject'))
      .map(({ Resource }) => asText(Resource))
    assert.ok(
      reads.includes(`arn:<AWS::Partition>:s3:::${ASSET_BUCKET}/${key}`),
      `${reads.join()} does not have the object`,
    )
  }
})

test('another profile is another tag; the same profile is one asset and one index', (t) => {
  const file = temporaryFile(t, 'start.json', PROFILE)
  const other = temporaryFile(t, 'other.json', PROFILE.replace('server', 'client'))
  const stack = newStack()
  const task = new ecs.FargateTaskDefinition(stack, 'Task')
  for (const [name, path] of [
    ['a', file],
    ['b', file],
    ['c', other],
  ] as const)
    task.addContainer(name, { image: SociContainerImage.fromAsset(IMAGE, { profile: SociProfile.fromFile(path) }) })
  const indexes = Object.values(indexesOf(resourcesOf(stack)))
  assert.equal(indexes.length, 2)
  assert.equal(new Set(indexes.map(({ OutputTag }) => OutputTag)).size, 2)
})

test('every construct and LazyLoading take it', (t) => {
  const profile = SociProfile.fromFile(temporaryFile(t, 'start.json', PROFILE))
  const app = newApp()
  LazyLoading.enable(app, { profile })
  const stack = newStack(app)
  new ecs.FargateTaskDefinition(stack, 'Task').addContainer('web', { image: ecs.ContainerImage.fromAsset(IMAGE) })
  const repository = ecr.Repository.fromRepositoryName(stack, 'Repository', 'app')
  new SociIndexV2Build(stack, 'V2', { repository, inputImageTag: '1', profile })
  new SociIndexBuild(stack, 'V1', { repository, imageTag: '1', profile })
  const indexes = Object.values(indexesOf(resourcesOf(stack)))
  assert.equal(indexes.length, 3)
  for (const index of indexes) assert.match(asText(index.Profile), /^s3:\/\//)
})

test('pushes and backfills use it, and their functions may read it', (t) => {
  const profile = SociProfile.fromFile(temporaryFile(t, 'start.json', PROFILE))
  const stack = newStack()
  new SociIndexOnPush(stack, 'OnPush', { profile, spanSize: 65536 })
  new SociBackfill(stack, 'Backfill', { profile })
  const resources = resourcesOf(stack)
  const functions = Object.values(ofType(resources, 'AWS::Lambda::Function'))
  const options = functions.flatMap(({ Properties }) => {
    const text = asText((Properties.Environment as { Variables: Record<string, unknown> }).Variables.SOCI_OPTIONS)
    return text === 'undefined' ? [] : [JSON.parse(text) as Record<string, string>]
  })
  assert.deepEqual(options.map(({ SpanSize }) => SpanSize).sort(), ['65536', undefined])
  for (const { Profile } of options) assert.match(Profile!, /^s3:\/\/.*\/[0-9a-f]{64}\.json$/)
  const policies = Object.values(ofType(resources, 'AWS::IAM::Policy')).map(({ Properties }) => asText(Properties))
  const key = options[0]!.Profile!.split('/').at(-1)!
  assert.equal(policies.filter((text) => text.includes('s3:GetObject') && text.includes(key)).length, 2)
})

test('what is not a profile is refused at once', (t) => {
  const from = (text: string) => () => SociProfile.fromFile(temporaryFile(t, 'start.json', text))
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{', /start\.json is not JSON: make it with `sociable profile LOG --output/],
    ['["/a"]', /start\.json is not a profile: it has no list of files/],
    ['{"files":[]}', /start\.json is a profile of version undefined, not 1/],
    ['{"version":1,"files":[{"path":"/a"},{"name":"/b"}]}', /has a file without a path \(number 2\)/],
  ]
  for (const [text, message] of cases) assert.throws(from(text), message)
  assert.throws(() => SociProfile.fromFile('/nowhere/start.json'), /ENOENT/)
  const profile = SociProfile.fromFile(temporaryFile(t, 'start.json', PROFILE))
  assert.throws(
    () => LazyLoading.enable(newApp(), { profile, mode: SociMode.PUBLISH }),
    /profile, .* have no effect with SociMode\.PUBLISH/,
  )
})

// What the constructs make for CodeBuild, played with the function and the source as they ship: what CloudFormation would have received.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'sociable'
import type { CloudFormationEvent } from '../src/event.js'
import { type Cloud, ECR_HOST, startCloud, URL_SECRET } from './support/cloud.js'
import { type CodeBuild, type Fate, startCodeBuild } from './support/code-build.js'
import { pushApp, SMALL, tagsOf } from './support/images.js'
import { failureRecord, type Lambda, startLambda } from './support/lambda.js'
import { ensureNode } from './support/nodes.js'
import { allows, FUNCTION_NAME, synthesize, type Template } from './support/template.js'

const APP = `${ECR_HOST}/app`
const REPOSITORY = 'arn:aws:ecr:eu-west-1:123456789012:repository/app'
const PROPERTIES = { Format: 'v2', Repository: APP, InputTag: 'one', OutputTag: 'one-soci', ...SMALL }

interface World extends Cloud {
  readonly template: Template
  readonly codeBuild: CodeBuild
  readonly lambda: Lambda
  /** Sends CloudFormation's event, then what EventBridge tells of the build. */
  ask(...event: Parameters<Cloud['cloudFormation']['event']>): Promise<ReturnType<Cloud['cloudFormation']['answerTo']>>
  /** Lets EventBridge tell of the build that ends next. */
  end(): Promise<object>
}

async function start(t: TestContext, options = ''): Promise<World | undefined> {
  const node = await ensureNode(t, '22')
  const template = await synthesize(t, 'SociCompute.codeBuild()', options)
  if (node === undefined || template === undefined) return undefined
  const cloud = await startCloud(t)
  const { environment } = cloud
  const project = template.resource('AWS::CodeBuild::Project')
  const codeBuild = await startCodeBuild(t, { project, source: template.asset, node, environment })
  const lambda = startLambda(t, {
    node,
    environment: { ...environment, AWS_ENDPOINT_URL_CODEBUILD: codeBuild.url },
    asset: template.asset,
    handler: template.resources('AWS::Lambda::Function')[0]!.Properties.Handler,
  })
  t.after(() => assert.doesNotMatch(`${lambda.log()}${codeBuild.log()}`, new RegExp(`${URL_SECRET}|x-secret`)))
  const end = async (): Promise<object> => {
    const event = await codeBuild.nextEnd()
    await lambda.invokeAsync(event)
    return event
  }
  return {
    ...cloud,
    template,
    codeBuild,
    lambda,
    end,
    async ask(...args) {
      const event = cloud.cloudFormation.event(...args)
      await lambda.invokeAsync(event)
      if (args[0] !== 'Delete') await end()
      return cloud.cloudFormation.answerTo(event)
    },
  }
}

test('create, update and delete, with what the template allows and nothing more', async (t) => {
  const world = await start(t, 'removalPolicy: cdk.RemovalPolicy.DESTROY,')
  if (world === undefined) return
  const { ask, store, template, ecr, codeBuild, cloudFormation, lambda, end } = world
  const statements = template.statements('codebuild.amazonaws.com')
  assert.deepEqual(template.statements('lambda.amazonaws.com'), statements, 'function and builds have one role')
  ecr.setPolicy((action, repository) =>
    allows(statements, action, repository === undefined ? '*' : REPOSITORY.replace(/app$/, repository)),
  )
  const app = await store('app')
  const input = await pushApp(app, 'one')
  const properties = { ...PROPERTIES, Removal: 'destroy' }
  const created = await ask('Create', properties)
  assert.equal(created.Status, 'SUCCESS', created.Reason)
  const { digest } = await app.resolve('one-soci')
  assert.deepEqual(created.Data, {
    imageDigest: digest,
    imageUri: `${APP}@${digest}`,
    outputImageTag: 'one-soci',
    indexed: 'true',
    indexReason: '',
  })
  assert.ok((await inspect({ store: app, reference: 'one-soci' })).sociEnabled)

  await pushApp(app, 'two')
  const newer = { ...properties, InputTag: 'two', OutputTag: 'two-soci' }
  const PhysicalResourceId = created.PhysicalResourceId
  const updated = await ask('Update', newer, { PhysicalResourceId, OldResourceProperties: properties })
  assert.equal(updated.Status, 'SUCCESS', updated.Reason)
  assert.match(codeBuild.log(), /"bytesIndexed":3\d{4},/, 'the common layer has its zTOC from before')
  const wider = { ...newer, SpanSize: '8192' }
  const physical = { PhysicalResourceId: updated.PhysicalResourceId }
  const replaced = await ask('Update', wider, { ...physical, OldResourceProperties: newer })
  assert.notEqual(replaced.Data!.imageDigest, updated.Data!.imageDigest)
  for (const [id, asked] of [
    [PhysicalResourceId, properties],
    [updated.PhysicalResourceId, wider],
  ] as const) {
    const deleted = await ask('Delete', asked, { PhysicalResourceId: id })
    assert.equal(deleted.Status, 'SUCCESS', deleted.Reason)
  }
  assert.deepEqual(await tagsOf(app), ['one', 'two'])
  assert.equal((await app.resolve('one')).digest, input.digest)

  // The same event twice, as Lambda and EventBridge may deliver it
  const event = cloudFormation.event('Create', properties)
  const builds = codeBuild.builds.size
  await lambda.invokeAsync(event)
  await lambda.invokeAsync(event)
  assert.equal(codeBuild.builds.size, builds + 1)
  const ended = await end()
  await lambda.invokeAsync(ended)
  const answers = cloudFormation.answers.filter(({ requestId }) => requestId === event.RequestId)
  assert.equal(answers.length, 2)
  assert.deepEqual(answers[0]!.body, answers[1]!.body)

  const calls = [
    ...codeBuild.calls,
    ...ecr.calls.map(({ action, repository }) => ({
      action,
      resource: repository === undefined ? '*' : REPOSITORY.replace(/app$/, repository),
    })),
  ]
  for (const { action, resource } of calls) assert.ok(allows(statements, action, resource), `${action} on ${resource}`)
  const used = new Set(calls.map(({ action }) => action))
  const granted = statements.flatMap(({ actions }) => actions).filter((action) => /^(ecr|codebuild):/.test(action))
  assert.deepEqual(
    granted.filter((action) => !used.has(action)),
    [],
    'all that is allowed is used',
  )
  for (const { resources } of statements)
    for (const resource of resources) assert.ok(resource !== '*' || resources.length === 1)
})

const FATES: Readonly<Record<Exclude<Fate, 'run' | 'refuse' | 'role'>, RegExp>> = {
  never:
    /^the build never started: it waited 10 minutes for a machine.* \(build indexer:[0-9a-f-]+, log group \S+, stream [0-9a-f-]+\)$/,
  stop: /^the build was stopped by somebody \(build .*stream [0-9a-f-]+\)$/,
  timeout: /^the build did not finish within its 40 minutes: give it more time.*\(build .*stream [0-9a-f-]+\)$/,
  fault: /^CodeBuild failed by itself, deploy again: CodeBuild is experiencing an issue \(build /,
  kill: /^the build ran out of memory: give it a larger computeType \(build /,
}

test('a build that ends by itself is answered for', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, codeBuild } = world
  const app = await store('app')
  await pushApp(app, 'one')
  for (const [fate, reason] of Object.entries(FATES)) {
    codeBuild.fate = fate as Fate
    const answer = await ask('Create', PROPERTIES)
    assert.equal(answer.Status, 'FAILED')
    assert.match(answer.Reason!, reason)
    assert.deepEqual(await tagsOf(app), ['one'])
  }
})

test('a build that fails tells why, and one that cannot be started is answered at once', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, codeBuild, lambda, cloudFormation } = world
  await store('app')
  const missing = await ask('Create', PROPERTIES)
  assert.equal(missing.Status, 'FAILED')
  assert.match(missing.Reason!, /app:one is not in the registry.*\(build indexer:.*log group .*stream/)
  assert.deepEqual(
    [...codeBuild.builds.values()].map(({ buildStatus }) => buildStatus),
    ['FAILED'],
  )

  const refused = async (event: CloudFormationEvent): Promise<string> => {
    await lambda.invokeAsync(event)
    const { Status, Reason = '' } = cloudFormation.answerTo(event)
    assert.equal(Status, 'FAILED')
    return Reason
  }
  const many = Array.from({ length: 400 }, (_, i) => `srv/${i}/${(i * 7919).toString(36)}/model-${i ** 5}.bin`)
  assert.match(
    await refused(cloudFormation.event('Create', { ...PROPERTIES, PrefetchFiles: many })),
    /too long for CodeBuild: .* take \d+ characters.* may have 5000; give fewer/,
  )
  assert.match(await refused(cloudFormation.event('Create', { ...PROPERTIES, OutputTag: 'a b' })), /OutputTag is "a b"/)
  codeBuild.fate = 'refuse'
  assert.match(
    await refused(cloudFormation.event('Create', PROPERTIES)),
    /AccountLimitExceededException: Cannot have more than 1 builds.*\(log group \/aws\/lambda\/indexer, stream/,
  )
  assert.equal(codeBuild.builds.size, 1, 'nothing was started')
})

test('a role that is too new is waited for, and a function that died is answered for', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, codeBuild, lambda, cloudFormation } = world
  await pushApp(await store('app'), 'one')
  codeBuild.fate = 'role'
  const answer = await ask('Create', PROPERTIES)
  assert.equal(answer.Status, 'SUCCESS', answer.Reason)

  const event = cloudFormation.event('Create', PROPERTIES)
  await lambda.invoke(failureRecord(event, { errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' }))
  assert.match(cloudFormation.answerTo(event).Reason!, /ran out of memory.*\(log group/)
  // It died while it had an end to tell: Lambda's record of that is taken for the end itself
  codeBuild.fate = 'run'
  const other = cloudFormation.event('Create', PROPERTIES)
  await lambda.invokeAsync(other)
  await lambda.invoke(failureRecord(await codeBuild.nextEnd(), { errorType: 'Runtime.ExitError', errorMessage: 'x' }))
  assert.equal(cloudFormation.answerTo(other).Status, 'SUCCESS')
})

test('events that are nobody’s are left alone', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { lambda, cloudFormation, codeBuild } = world
  const detail = { 'build-id': `arn:aws:codebuild:eu-west-1:123456789012:build/${FUNCTION_NAME}:by-hand` }
  const byHand = { source: 'aws.codebuild', detail }
  const [unknown] = await lambda.invokeAsync(byHand)
  assert.match(unknown!.failure!.errorMessage, /CodeBuild does not know the build/)
  for (const event of [{}, null, 'x', [], { source: 'aws.codebuild' }, { source: 'aws.codebuild', detail: {} }])
    assert.equal((await lambda.invokeAsync(event))[0]!.failure, undefined)
  assert.deepEqual([cloudFormation.answers.length, codeBuild.builds.size], [0, 0])
})

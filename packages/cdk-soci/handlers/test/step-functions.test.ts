// What the constructs make for Step Functions: the state machine interpreted, with the function as it ships behind each of its steps.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import { createMemoryStore, memoryRepositories, serveRegistry } from '@sociable/oci'
import { type ConversionPlan, convert, inspect } from 'sociable'
import { checkPayload, PAYLOAD_LIMIT, RESULT_SIZE } from '../src/step-functions/payload.js'
import { type Cloud, doubles, ECR_HOST, OTHER_HOST, startCloud, URL_SECRET } from './support/cloud.js'
import { pushApp, SMALL, tagsOf } from './support/images.js'
import { failureRecord } from './support/lambda.js'
import { ensureNode } from './support/nodes.js'
import { MACHINE_ARN, type StepFunctions, startStepFunctions } from './support/step-functions.js'
import { allows, synthesize, type Template } from './support/template.js'

const APP = `${ECR_HOST}/app`
const REPOSITORY = 'arn:aws:ecr:eu-west-1:123456789012:repository/app'
const PROPERTIES = { Format: 'v2', Repository: APP, InputTag: 'one', OutputTag: 'one-soci', ...SMALL }

interface World extends Cloud {
  readonly template: Template
  readonly steps: StepFunctions
  /** Sends CloudFormation's event, then what EventBridge tells of the execution. */
  ask(...event: Parameters<Cloud['cloudFormation']['event']>): Promise<ReturnType<Cloud['cloudFormation']['answerTo']>>
}

async function start(t: TestContext, options = ''): Promise<World | undefined> {
  const node = await ensureNode(t, '24')
  const template = await synthesize(t, 'SociCompute.stepFunctions({ maxConcurrency: 3 })', options)
  if (node === undefined || template === undefined) return undefined
  const cloud = await startCloud(t)
  const steps = await startStepFunctions(t, template.resource('AWS::StepFunctions::StateMachine'), {
    node,
    environment: { ...cloud.environment },
    asset: template.asset,
    handler: template.resources('AWS::Lambda::Function')[0]!.Properties.Handler,
  })
  if (steps === undefined) return undefined
  t.after(() => assert.doesNotMatch(steps.log(), new RegExp(`${URL_SECRET}|x-secret`)))
  return {
    ...cloud,
    template,
    steps,
    async ask(...args) {
      const event = cloud.cloudFormation.event(...args)
      await steps.invokeAsync(event)
      if (args[0] !== 'Delete') await steps.invokeAsync(await steps.end(event.RequestId))
      return cloud.cloudFormation.answerTo(event)
    },
  }
}

test('the definition is one of Amazon States Language', async (t) => {
  const template = await synthesize(t, 'SociCompute.stepFunctions({ maxConcurrency: 3 })')
  if (template === undefined) return
  const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
    readonly isValid: boolean
    readonly errorsText: () => string
  }
  const definition = JSON.parse(template.resource('AWS::StepFunctions::StateMachine').Properties.DefinitionString)
  const { isValid, errorsText } = validate(definition)
  assert.ok(isValid, errorsText())
  assert.equal(validate({ ...definition, StartAt: 'Nowhere' }).isValid, false)
})

test('create, update and delete, with what the template allows and nothing more', async (t) => {
  const world = await start(t, 'removalPolicy: cdk.RemovalPolicy.DESTROY,')
  if (world === undefined) return
  const { ask, store, template, ecr, steps, cloudFormation } = world
  const statements = template.statements('lambda.amazonaws.com')
  ecr.setPolicy((action, repository) =>
    allows(statements, action, repository === undefined ? '*' : REPOSITORY.replace(/app$/, repository)),
  )
  const app = await store('app')
  const input = await pushApp(app, 'one')
  const properties = { ...PROPERTIES, Removal: 'destroy' }
  const created = await ask('Create', properties)
  assert.equal(created.Status, 'SUCCESS', created.Reason)
  assert.deepEqual(
    steps.invocations.map(({ step }) => step),
    ['plan', 'layer', 'layer', 'assemble'],
  )
  const { digest } = await app.resolve('one-soci')
  assert.deepEqual(created.Data, {
    imageDigest: digest,
    imageUri: `${APP}@${digest}`,
    outputImageTag: 'one-soci',
    indexed: 'true',
    indexReason: '',
  })
  const other = await store('other')
  const inOneGo = await convert(
    { store: app, reference: 'one' },
    { store: other, reference: 'v' },
    { spanSize: 4096, minLayerSize: 0 },
  )
  assert.equal(digest, inOneGo.digest)
  assert.deepEqual((await inspect({ store: app, reference: 'one-soci' })).images[0]!.problems, [])

  await pushApp(app, 'two')
  const newer = { ...properties, InputTag: 'two', OutputTag: 'two-soci' }
  const { PhysicalResourceId } = created
  const before = steps.invocations.length
  const updated = await ask('Update', newer, { PhysicalResourceId, OldResourceProperties: properties })
  assert.equal(updated.Status, 'SUCCESS', updated.Reason)
  assert.deepEqual(
    steps.invocations.slice(before).map(({ step }) => step),
    ['plan', 'layer', 'assemble'],
    'the common layer has its zTOC from before',
  )
  const again = steps.invocations.length
  const repeated = await ask('Create', properties)
  assert.deepEqual(repeated.Data, created.Data)
  assert.deepEqual(
    steps.invocations.slice(again).map(({ step }) => step),
    ['plan'],
    'there is nothing left to do',
  )
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

  // The same event twice, as Lambda may deliver it: while it runs, and when it has ended
  const event = cloudFormation.event('Create', properties)
  await steps.invokeAsync(event)
  await steps.invokeAsync(event)
  await steps.end(event.RequestId)
  assert.equal(cloudFormation.answers.filter(({ requestId }) => requestId === event.RequestId).length, 0)
  await steps.invokeAsync(event)
  assert.equal(cloudFormation.answerTo(event).Status, 'SUCCESS')

  const calls = [
    ...steps.calls.filter(({ action }) => action.startsWith('states:')),
    ...ecr.calls.map(({ action, repository }) => ({
      action,
      resource: repository === undefined ? '*' : REPOSITORY.replace(/app$/, repository),
    })),
  ]
  for (const { action, resource } of calls) assert.ok(allows(statements, action, resource), `${action} on ${resource}`)
  const used = new Set(calls.map(({ action }) => action))
  const granted = statements.flatMap(({ actions }) => actions).filter((action) => /^(ecr|states):/.test(action))
  assert.deepEqual(
    granted.filter((action) => !used.has(action)),
    [],
    'all that is allowed is used',
  )
  const machine = template.statements('states.amazonaws.com')
  for (const { action, resource } of steps.calls.filter(({ action }) => action.startsWith('lambda:')))
    assert.ok(allows(machine, action, resource), action)
  // The map's own calls, which moto makes none of: those of the developer guide, on this state machine
  assert.ok(allows(machine, 'states:StartExecution', MACHINE_ARN))
  assert.ok(!allows(machine, 'states:StartExecution', `${MACHINE_ARN}-other`))
  for (const action of ['states:DescribeExecution', 'states:StopExecution'])
    assert.ok(allows(machine, action, `${MACHINE_ARN.replace(':stateMachine:', ':execution:')}:a`))
})

test('layers are indexed at the same time, each by a function of its own', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, steps } = world
  await pushApp(await store('app'), 'one')
  await ask('Create', PROPERTIES)
  const layers = steps.invocations.filter(({ step }) => step === 'layer')
  assert.equal(new Set(layers.map((one) => one.function)).size, 2)
  for (const { size } of layers) assert.ok(size! > 200 && size! < RESULT_SIZE, `a result has ${size} bytes`)
})

test('an image of another registry is copied by the first step, and what its tag names by then is indexed', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, steps, names, tls } = world
  const { startFaultProxy } = await doubles()
  const source = createMemoryStore()
  const server = await serveRegistry({
    repositories: memoryRepositories(new Map([['team/app', source]])),
    allowedHosts: ['registry.example.com'],
  })
  const registry = await startFaultProxy({ target: server.url, tls })
  t.after(async () => {
    await registry.close()
    await server.close()
  })
  names.set(OTHER_HOST, registry.host)
  const other = await pushApp(source, 'other')
  const input = await pushApp(source, 'seven')
  let requests: number | undefined
  steps.instead = ({ step }) => {
    if (step === 'layer' && requests === undefined) {
      requests = registry.requests.length
      void source.tag(other, 'seven') // it moves while layers are indexed
    }
    return undefined
  }
  const mirrored = { Source: `${OTHER_HOST}/team/app:seven`, InputTag: 'seven', OutputTag: 'seven-soci' }
  const { Status, Reason, Data } = await ask('Create', { ...PROPERTIES, ...mirrored })
  assert.equal(Status, 'SUCCESS', Reason)
  const app = await store('app')
  assert.equal((await app.resolve('seven')).digest, input.digest)
  const expected = await convert(
    { store: app, reference: input.digest },
    { store: await store('other'), reference: 'v' },
    { spanSize: 4096, minLayerSize: 0 },
  )
  assert.equal(Data!.imageDigest, expected.digest)
  assert.equal(registry.requests.length, requests, 'nothing is asked there later')
})

test('what goes wrong in a step is told with the layer and the log', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, steps } = world
  const app = await store('app')
  const missing = await ask('Create', PROPERTIES)
  assert.equal(missing.Status, 'FAILED')
  assert.match(
    missing.Reason!,
    /^\S+app:one is not in the registry.*\(log group \/aws\/lambda\/indexer, stream \S+\) \(execution arn:aws:states:.*\)$/,
  )

  await pushApp(app, 'one')
  const reason = async (failure: object, step = 'layer'): Promise<string> => {
    let times = 1
    steps.instead = (event) =>
      event.step === step && times-- > 0 ? { errorType: 'Sandbox.Timedout', errorMessage: '', ...failure } : undefined
    const { Status, Reason = '' } = await ask('Create', PROPERTIES)
    assert.equal(Status, 'FAILED')
    assert.match(
      Reason,
      /\(execution arn:aws:states:eu-west-1:123456789012:execution:indexer:[0-9a-f-]{36}, log group \/aws\/lambda\/indexer\)$/,
    )
    assert.deepEqual(await tagsOf(app), ['one'])
    return Reason
  }
  const layer = /^layer sha256:[0-9a-f]{64} could not be indexed: /
  const killed = await reason({
    errorType: 'Runtime.ExitError',
    errorMessage: 'RequestId: x Error: Runtime exited with error: signal: killed',
  })
  assert.match(killed, layer)
  assert.match(killed, /ran out of memory/)
  const late = await reason({ errorMessage: '2026-11-24T11:00:00Z x Task timed out after 900.00 seconds' })
  assert.match(late, layer)
  assert.match(late, /did not finish within its 900.00 seconds/)
  const own = await reason({ errorType: 'StepError', errorMessage: 'gzip: corrupt (log group g, stream s)' })
  assert.match(own, /could not be indexed: gzip: corrupt \(log group g, stream s\) /)
  assert.match(
    await reason({ errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' }, 'plan'),
    /^the function ran out of memory/,
  )
  assert.match(await reason({ errorType: 'StepError', errorMessage: 'no way' }, 'assemble'), /^no way \(/)
  steps.instead = undefined
  const healed = await ask('Create', PROPERTIES)
  assert.equal(healed.Status, 'SUCCESS', healed.Reason)
})

test('an execution that was stopped, or cannot be started, is answered for', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { store, steps, cloudFormation } = world
  await pushApp(await store('app'), 'one')
  const event = cloudFormation.event('Create', PROPERTIES)
  let stopped: Promise<unknown> | undefined
  const executionArn = `${MACHINE_ARN.replace(':stateMachine:', ':execution:')}:${event.RequestId}`
  steps.instead = ({ step }) => {
    if (step === 'plan') stopped = steps.call('StopExecution', { executionArn })
    return undefined
  }
  await steps.invokeAsync(event)
  const end = await steps.end(event.RequestId)
  await stopped
  await steps.invokeAsync(end)
  assert.match(cloudFormation.answerTo(event).Reason!, /^the execution was stopped by somebody \(execution arn:/)

  const died = cloudFormation.event('Create', PROPERTIES)
  await steps.invokeAsync(
    failureRecord(died, { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 3 seconds' }),
  )
  assert.match(cloudFormation.answerTo(died).Reason!, /did not finish within its 3 seconds/)

  await steps.call('DeleteStateMachine', { stateMachineArn: MACHINE_ARN })
  const none = cloudFormation.event('Create', PROPERTIES)
  await steps.invokeAsync(none)
  const { Status, Reason } = cloudFormation.answerTo(none)
  assert.equal(Status, 'FAILED')
  assert.match(Reason!, /StateMachineDoesNotExist: .*\(log group \/aws\/lambda\/indexer, stream/)
})

test('what states cannot carry is refused before a layer is indexed', async (t) => {
  const { cloudFormation } = await startCloud(t)
  const event = cloudFormation.event('Create', PROPERTIES)
  const digest = `sha256:${'0'.repeat(64)}`
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest,
    size: 1e9,
    platforms: ['linux/amd64'],
  }
  const plan = (layers: number, reused = 0): ConversionPlan => ({
    digest,
    layers: Array.from({ length: layers }, () => layer),
    reused: Array.from({ length: reused }, () => ({ ...layer, state: 'reused' as const })),
  })
  checkPayload(event, plan(600))
  checkPayload(event, plan(300, 300))
  for (const [layers, reused] of [
    [640, 0],
    [0, 640],
    [320, 320],
  ] as const)
    assert.throws(() => checkPayload(event, plan(layers, reused)), {
      message: new RegExp(
        `has 640 layers to index: .* up to \\d+ bytes, Step Functions carries ${PAYLOAD_LIMIT} .*codeBuild`,
      ),
    })
  const many = Array.from({ length: 3000 }, (_, i) => `usr/lib/python3/site-packages/package-${i}/__init__.py`)
  const long = cloudFormation.event('Create', { ...PROPERTIES, PrefetchFiles: many })
  assert.throws(() => checkPayload(long, plan(300)), /300 layers/)
})

test('a step that is none is refused, and an index beside its image (v1) is made in one', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { ask, store, steps, cloudFormation } = world
  const app = await store('app')
  await pushApp(app, 'one')
  const event = cloudFormation.event('Create', PROPERTIES)
  const layer = { mediaType: 'x', digest: '../x', size: -1, platforms: [] }
  for (const [step, message] of [
    [{ step: 'layer', layer }, /is not a layer/],
    [{ step: 'layer' }, /is not a layer/],
    [{ step: 'assemble', plan: { digest: 'x', reused: [], layers: [] } }, /the plan has no valid image digest/],
    [{ step: 'assemble' }, /./],
    [{ step: 'other' }, /there is no step "other"/],
  ] as const) {
    const { failure } = await steps.invoke({ ...step, event })
    assert.equal(failure?.errorType, 'StepError')
    assert.match(failure!.errorMessage, message)
  }
  const { Status, Reason, Data } = await ask('Create', { Format: 'v1', Repository: APP, InputTag: 'one', ...SMALL })
  assert.equal(Status, 'SUCCESS', Reason)
  assert.equal(Data!.imageDigest, (await app.resolve('one')).digest)
  assert.equal((await inspect({ store: app, reference: 'one' })).images[0]!.version, 'v1')
  assert.deepEqual(
    steps.invocations.map(({ step }) => step),
    ['plan'],
  )
})

// What CloudFormation would have received where something is wrong: always an answer, soon, with a reason that helps.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { EcrOptions } from '../../../oci/dist/test/doubles/ecr.js'
import type { CloudFormationEvent } from '../src/event.js'
import { type Cloud, doubles, ECR_HOST, STORAGE_HOST, startCloud, URL_SECRET } from './support/cloud.js'
import { pushApp, SMALL, tagsOf } from './support/images.js'
import { failureRecord, type Invocation, type Lambda, type LambdaOptions, startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'
import { startSilence } from './support/silence.js'

const APP = `${ECR_HOST}/app`
const ARN = 'arn:aws:ecr:eu-west-1:123456789012:repository/app'
const PROPERTIES = { Format: 'v2', Repository: APP, InputTag: 'one', OutputTag: 'one-soci', ...SMALL }
const LOG = /\(log group \/aws\/lambda\/indexer, stream 2026\/11\/24\/\[\$LATEST\]0123\)$/

interface World extends Cloud {
  readonly lambda: Lambda
  send(event: CloudFormationEvent): Promise<readonly Invocation[]>
  /** Reason of the FAILED answer to a Create with these properties, without where the log is. */
  reason(properties: Readonly<Record<string, unknown>>): Promise<string>
}

interface Options extends EcrOptions {
  readonly lambda?: Partial<LambdaOptions>
  /** Added to the cloud's. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Undefined, the test skipped, where there is no such Node. */
async function start(t: TestContext, { lambda: lambdaOptions, environment, ...options }: Options = {}) {
  const node = await ensureNode(t, LAMBDA_NODES[0])
  if (node === undefined) return undefined
  const cloud = await startCloud(t, options)
  const lambda = startLambda(t, { node, environment: { ...cloud.environment, ...environment }, ...lambdaOptions })
  t.after(() => assert.doesNotMatch(lambda.log(), new RegExp(`${URL_SECRET}|x-secret|AWS:|QVdT`)))
  const world: World = {
    ...cloud,
    lambda,
    send: (event) => lambda.invokeAsync(event),
    async reason(properties) {
      const event = cloud.cloudFormation.event('Create', properties)
      const invocations = await lambda.invokeAsync(event)
      assert.equal(invocations.length, 1)
      const { Status, Reason = '' } = cloud.cloudFormation.answerTo(event)
      assert.equal(Status, 'FAILED')
      assert.match(Reason, LOG)
      return Reason.replace(LOG, '').trim()
    },
  }
  return world
}

/** Asks with so little time that permissions are not waited for; with more where the machine is too slow for that. */
async function askBriefly({ cloudFormation, lambda }: World, ...args: Parameters<Cloud['cloudFormation']['event']>) {
  for (let time = 2_000; ; time *= 2) {
    const event = cloudFormation.event(...args)
    await lambda.invoke(event, time)
    const answer = cloudFormation.answerTo(event)
    if (time > 30_000 || !/did not end in the/.test(answer.Reason ?? '')) return answer
  }
}

// They mostly wait
describe('failures', { concurrency: 3 }, () => {
  test('what is not there, and what is not an image', async (t) => {
    const world = await start(t)
    if (world === undefined) return
    const { reason, store, cloudFormation, send } = world
    const app = await store('app')
    await pushApp(app, 'one')
    assert.equal(await reason({ ...PROPERTIES, InputTag: 'gone' }), `${APP}:gone is not in the registry; there are one`)
    assert.match(
      await reason({ ...PROPERTIES, Repository: `${ECR_HOST}/nothing` }),
      /nothing:one is not in the registry; nor is there such a repository/,
    )
    assert.match(
      await reason({ ...PROPERTIES, Platforms: ['linux/s390x'] }),
      /app:one has no linux\/s390x, only linux\/amd64/,
    )
    const { artifact } = await doubles()
    const { descriptor, bytes } = artifact(await app.resolve('one'))
    await app.push(
      { mediaType: '', digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', size: 2 },
      Buffer.from('{}'),
    )
    await app.push(descriptor, bytes)
    await app.tag(descriptor, 'artifact')
    assert.match(
      await reason({ ...PROPERTIES, InputTag: 'artifact' }),
      /app:artifact is an artifact whose config is of type application\/vnd.test.config, no image/,
    )
    assert.deepEqual(await tagsOf(app), ['artifact', 'one'])
    // What was never made is no trouble to delete, and a repository that is gone is none either
    for (const Repository of [APP, `${ECR_HOST}/nothing`]) {
      const properties = { ...PROPERTIES, Repository, Removal: 'destroy' }
      const event = cloudFormation.event('Delete', properties, { PhysicalResourceId: `${Repository}:one-soci` })
      await send(event)
      assert.equal(cloudFormation.answerTo(event).Status, 'SUCCESS')
    }
  })

  test('properties that are none, whose resource can be deleted all the same', async (t) => {
    const world = await start(t)
    if (world === undefined) return
    const { reason, cloudFormation, send, ecr, store } = world
    await pushApp(await store('app'), 'one')
    assert.equal(
      await reason({ ...PROPERTIES, SpanSize: '4 MiB' }),
      'the property SpanSize is "4 MiB": it must be a whole number of bytes',
    )
    assert.match(
      await reason({ ...PROPERTIES, Repository: 'docker.io/library/nginx' }),
      /the property Repository is "docker.io\/library\/nginx": it must be a private ECR repository/,
    )
    assert.match(await reason({ ...PROPERTIES, OutputTag: 'one' }), /OutputTag is the same as InputTag \("one"\)/)
    assert.equal(await reason({ ...PROPERTIES, OutputTag: undefined }), 'the property OutputTag is missing')
    const cut = await reason({ ...PROPERTIES, Platforms: ['x'.repeat(9000)] })
    assert.match(cut, /^"x{1999}…$/)
    const failed = cloudFormation.event('Create', { ...PROPERTIES, Format: 'v3' })
    await send(failed)
    const { PhysicalResourceId } = cloudFormation.answerTo(failed)
    const requests = ecr.requests.length
    const deleted = cloudFormation.event('Delete', { ...PROPERTIES, Format: 'v3' }, { PhysicalResourceId })
    await send(deleted)
    assert.deepEqual(
      [cloudFormation.answerTo(deleted).Status, cloudFormation.answerTo(deleted).PhysicalResourceId],
      ['SUCCESS', PhysicalResourceId],
    )
    assert.equal(ecr.requests.length, requests)
  })

  test('an update that fails keeps what there is', async (t) => {
    const world = await start(t)
    if (world === undefined) return
    const { store, cloudFormation, send } = world
    await pushApp(await store('app'), 'one')
    const PhysicalResourceId = `${APP}:one-soci`
    const newer = { ...PROPERTIES, InputTag: 'gone', OutputTag: 'gone-soci' }
    const event = cloudFormation.event('Update', newer, { PhysicalResourceId, OldResourceProperties: PROPERTIES })
    await send(event)
    const answer = cloudFormation.answerTo(event)
    assert.deepEqual([answer.Status, answer.PhysicalResourceId], ['FAILED', PhysicalResourceId])
  })

  test('permissions that are not everywhere yet are waited for', async (t) => {
    const world = await start(t, { policy: () => false })
    if (world === undefined) return
    const { store, cloudFormation, send, ecr } = world
    await pushApp(await store('app'), 'one')
    const event = cloudFormation.event('Create', PROPERTIES)
    let ended = false
    const sent = send(event).finally(() => {
      ended = true
    })
    for (const policy of [
      (action: string) => action === 'ecr:GetAuthorizationToken',
      (action: string) => action !== 'ecr:PutImage',
      undefined,
    ]) {
      const refused = () => ecr.calls.filter(({ allowed }) => !allowed).length
      const before = refused()
      while (refused() === before && !ended) await new Promise((resolve) => setTimeout(resolve, 20))
      ecr.setPolicy(policy)
    }
    await sent
    assert.equal(cloudFormation.answerTo(event).Status, 'SUCCESS')
  })

  const REFUSALS = [
    ['ecr:GetAuthorizationToken', /is not authorized to perform: ecr:GetAuthorizationToken on resource: \*/],
    ['ecr:BatchGetImage', new RegExp(`not authorized to perform: ecr:BatchGetImage on resource: ${ARN}`)],
    [
      'ecr:GetDownloadUrlForLayer',
      new RegExp(`not authorized to perform: ecr:GetDownloadUrlForLayer on resource: ${ARN}`),
    ],
    ['ecr:BatchCheckLayerAvailability', new RegExp(`not allowed: ecr:BatchCheckLayerAvailability on ${ARN} `)],
    ['ecr:InitiateLayerUpload', new RegExp(`not authorized to perform: ecr:InitiateLayerUpload on resource: ${ARN}`)],
    ['ecr:CompleteLayerUpload', new RegExp(`not authorized to perform: ecr:CompleteLayerUpload on resource: ${ARN}`)],
    ['ecr:PutImage', new RegExp(`not authorized to perform: ecr:PutImage on resource: ${ARN}`)],
  ] as const

  test('without a permission: which action, on what', async (t) => {
    const world = await start(t)
    if (world === undefined) return
    const { store, ecr } = world
    const app = await store('app')
    await pushApp(app, 'one')
    for (const [action, message] of REFUSALS) {
      ecr.setPolicy((asked) => asked !== action)
      const { Status, Reason = '' } = await askBriefly(world, 'Create', PROPERTIES)
      assert.equal(Status, 'FAILED')
      assert.match(Reason, message)
      assert.deepEqual(await tagsOf(app), ['one'])
    }
  })

  test('without ecr:BatchDeleteImage', async (t) => {
    const world = await start(t, { policy: (asked) => asked !== 'ecr:BatchDeleteImage' })
    if (world === undefined) return
    const { store, cloudFormation, send } = world
    await pushApp(await store('app'), 'one')
    const properties = { ...PROPERTIES, Removal: 'destroy' }
    await send(cloudFormation.event('Create', properties))
    const id = `${APP}:one-soci`
    const answer = await askBriefly(world, 'Delete', properties, { PhysicalResourceId: id })
    const { Status, Reason = '', PhysicalResourceId } = answer
    assert.deepEqual([Status, PhysicalResourceId], ['FAILED', id])
    assert.ok(Reason.includes(`not authorized to perform: ecr:BatchDeleteImage on resource: ${ARN}`), Reason)
  })

  for (const [name, endpoint] of [
    ['a proxy that does not let it through', 'https://api.ecr.eu-west-1.amazonaws.com'],
    ['nothing that takes a connection', 'http://127.0.0.1:1'],
  ] as const)
    test(`without a way to ECR's API, by ${name}: told at once, with the endpoint that is missing`, async (t) => {
      const world = await start(t, { environment: { AWS_ENDPOINT_URL_ECR: endpoint } })
      if (world === undefined) return
      const { reason, store } = world
      await pushApp(await store('app'), 'one')
      const started = performance.now()
      const told = await reason(PROPERTIES)
      assert.match(
        told,
        /^the API of ECR in eu-west-1 cannot be reached \(.*\): in a VPC .* com\.amazonaws\.eu-west-1\.ecr\.api, /,
      )
      assert.doesNotMatch(told, /docker login|not allowed/)
      assert.ok(performance.now() - started < 20_000)
    })

  test('work that does not end is answered for before the function’s time is up', async (t) => {
    const world = await start(t, { lambda: { timeout: 4_000 } })
    if (world === undefined) return
    const { store, reason, names } = world
    names.set(STORAGE_HOST, await startSilence(t))
    const app = await store('app')
    await pushApp(app, 'one')
    assert.match(
      await reason(PROPERTIES),
      /^the work did not end in the 4 seconds that the function has: give it more time/,
    )
    assert.deepEqual(await tagsOf(app), ['one'])
  })

  test('a function that is killed by its time is answered for by the next', async (t) => {
    const world = await start(t, { lambda: { timeout: 900_000, killAfter: 1_500 } })
    if (world === undefined) return
    const { store, send, cloudFormation, names } = world
    names.set(STORAGE_HOST, await startSilence(t))
    await pushApp(await store('app'), 'one')
    const event = cloudFormation.event('Create', PROPERTIES)
    const invocations = await send(event)
    assert.deepEqual(
      invocations.map(({ failure }) => failure?.errorType),
      ['Sandbox.Timedout', undefined],
    )
    const { Status, Reason, PhysicalResourceId } = cloudFormation.answerTo(event)
    assert.deepEqual([Status, PhysicalResourceId], ['FAILED', `${APP}:one-soci`])
    assert.match(
      Reason!,
      /^the function did not finish within its 900.00 seconds: .*SociCompute.codeBuild\(\).*\(log group \/aws\/lambda\/indexer\)$/,
    )
  })

  for (const [where, path] of [
    ['before anything is made', /^HEAD .*\/manifests\/one$/],
    ['in the middle', /^(PUT|POST) .*\/blobs\/uploads\//],
    ['when the image is made and not yet owned', /^PUT .*\/manifests\/one-soci\.owner/],
  ] as const)
    test(`a function that is killed ${where} is answered for by the next, and the stack rolls back`, async (t) => {
      const state: { kill?: () => void } = {}
      const policy: EcrOptions['policy'] = () => {
        const last = world?.ecr.requests.at(-1)
        if (last !== undefined && path.test(`${last.method} ${last.path}`)) state.kill?.()
        return true
      }
      const world = await start(t, { policy })
      if (world === undefined) return
      const { store, send, cloudFormation, lambda } = world
      const app = await store('app')
      await pushApp(app, 'one')
      state.kill = () => {
        lambda.kill()
        delete state.kill
      }
      const properties = { ...PROPERTIES, Removal: 'destroy' }
      const event = cloudFormation.event('Create', properties)
      const invocations = await send(event)
      assert.equal(invocations.length, 2)
      const { Status, Reason, PhysicalResourceId } = cloudFormation.answerTo(event)
      assert.deepEqual([Status, PhysicalResourceId], ['FAILED', `${APP}:one-soci`])
      assert.match(Reason!, /^the function ran out of memory: give it more/)
      const deleted = cloudFormation.event('Delete', properties, { PhysicalResourceId })
      await send(deleted)
      assert.equal(cloudFormation.answerTo(deleted).Status, 'SUCCESS')
      const left = await tagsOf(app)
      assert.ok(left.includes('one'))
      assert.deepEqual(
        left.filter((tag) => tag.includes('owner')),
        [],
      )
    })

  test('records of failures: of what is no event, and of one that cannot be answered', async (t) => {
    const world = await start(t)
    if (world === undefined) return
    const { cloudFormation, lambda } = world
    const event = cloudFormation.event('Create', PROPERTIES)
    const failure = {
      errorType: 'Runtime.ExitError',
      errorMessage: 'RequestId: 1 Error: Runtime exited with error: signal: killed',
    }
    for (const unanswerable of [
      undefined,
      'x',
      {},
      { ...event, ResponseURL: undefined },
      failureRecord(event, failure),
    ]) {
      assert.deepEqual((await lambda.invoke(failureRecord(unanswerable, failure))).failure, undefined)
      assert.deepEqual((await lambda.invoke(unanswerable)).failure, undefined)
    }
    cloudFormation.statuses.push(403)
    assert.equal((await lambda.invoke(failureRecord(event, failure))).failure, undefined)
    const aged = cloudFormation.event('Create', PROPERTIES)
    await lambda.invoke(failureRecord(aged, {}, 'EventAgeExceeded'))
    assert.match(cloudFormation.answerTo(aged).Reason!, /^the function could not be started in time/)
  })

  test('an answer that is not taken is sent again, and what is never taken goes to the next invocation', async (t) => {
    const world = await start(t)
    if (world === undefined) return
    const { store, cloudFormation, send } = world
    await pushApp(await store('app'), 'one')
    const event = cloudFormation.event('Create', PROPERTIES)
    cloudFormation.statuses.push(503, 500)
    assert.equal((await send(event)).length, 1)
    assert.equal(cloudFormation.answerTo(event).Status, 'SUCCESS')

    const refused = cloudFormation.event('Create', PROPERTIES)
    cloudFormation.statuses.push(403, 403)
    const invocations = await send(refused)
    assert.equal(invocations.length, 2)
    assert.match(
      invocations[0]!.failure!.errorMessage,
      /^CloudFormation could not be answered: the response URL's host answered 403$/,
    )
    assert.equal(invocations[1]!.failure, undefined)
  })
})

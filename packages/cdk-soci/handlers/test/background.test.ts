// Images that no deployment waits for: the function as it ships answers first, and indexes then.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'sociable'
import { ECR_HOST, startCloud } from './support/cloud.js'
import { pushApp, SMALL, tagsOf } from './support/images.js'
import { startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

const APP = `${ECR_HOST}/app`
const PROPERTIES = {
  Format: 'v2',
  Repository: APP,
  InputTag: 'one',
  OutputTag: 'one-soci',
  Background: 'true',
  Refresh: '1',
  ...SMALL,
}

async function start(t: TestContext) {
  const node = await ensureNode(t, LAMBDA_NODES[0])
  if (node === undefined) return undefined
  const cloud = await startCloud(t)
  return { ...cloud, lambda: startLambda(t, { node, environment: cloud.environment }) }
}

test('the image as it was pushed first, with its index the next time', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { store, cloudFormation, lambda, ecr } = world
  const app = await store('app')
  const input = await pushApp(app, 'one')
  // The answer comes before anything is written
  ecr.setPolicy((action) => {
    if (action === 'ecr:PutImage') assert.equal(cloudFormation.answers.length, 1)
    return true
  })
  const created = cloudFormation.event('Create', PROPERTIES)
  assert.deepEqual(
    (await lambda.invokeAsync(created)).map(({ failure }) => failure),
    [undefined],
  )
  const first = cloudFormation.answerTo(created)
  assert.equal(first.Status, 'SUCCESS', first.Reason)
  assert.deepEqual([first.Data!.imageDigest, first.Data!.indexed], [input.digest, 'false'])
  assert.match(first.Data!.indexReason!, /indexed in the background, and used when it is deployed the next time/)
  assert.ok((await inspect({ store: app, reference: 'one-soci' })).sociEnabled)

  ecr.setPolicy(undefined)
  const before = ecr.requests.length
  const next = cloudFormation.event(
    'Update',
    { ...PROPERTIES, Refresh: '2' },
    { PhysicalResourceId: first.PhysicalResourceId, OldResourceProperties: PROPERTIES },
  )
  await lambda.invokeAsync(next)
  const { Data, PhysicalResourceId } = cloudFormation.answerTo(next)
  assert.equal(PhysicalResourceId, first.PhysicalResourceId)
  assert.deepEqual(
    [Data!.imageDigest, Data!.indexed, Data!.indexReason],
    [(await app.resolve('one-soci')).digest, 'true', ''],
  )
  const writes = ecr.requests.slice(before).filter(({ method }) => /^(PUT|PATCH)$/.test(method))
  assert.deepEqual(writes, [])
})

test('what fails after the answer is Lambda’s error, and no rollback', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { store, cloudFormation, lambda, ecr } = world
  const app = await store('app')
  const input = await pushApp(app, 'one')
  const event = cloudFormation.event('Create', { ...PROPERTIES, Platforms: ['linux/s390x'] })
  const [failed, told] = await lambda.invokeAsync(event)
  assert.match(failed!.failure!.errorMessage, /has no linux\/s390x, only linux\/amd64/)
  assert.equal(told!.failure, undefined)
  const answers = cloudFormation.answers.map(({ body }) => JSON.parse(body.toString()))
  for (const { Status, Data } of answers)
    assert.deepEqual([Status, Data.imageDigest, Data.indexed], ['SUCCESS', input.digest, 'false'])
  assert.deepEqual(await tagsOf(app), ['one'])

  // Killed before it could answer
  let kill = true
  ecr.setPolicy(() => {
    if (kill) lambda.kill()
    kill = false
    return true
  })
  const killed = cloudFormation.event('Create', PROPERTIES)
  assert.equal((await lambda.invokeAsync(killed)).length, 2)
  const { Status, Data } = cloudFormation.answerTo(killed)
  assert.deepEqual([Status, Data!.imageDigest], ['SUCCESS', input.digest])
})

test('an image that is not there fails the deployment, as it would the task', async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const { store, cloudFormation, lambda } = world
  await pushApp(await store('app'), 'one')
  const event = cloudFormation.event('Create', { ...PROPERTIES, InputTag: 'gone' })
  await lambda.invokeAsync(event)
  const { Status, Reason } = cloudFormation.answerTo(event)
  assert.equal(Status, 'FAILED')
  assert.match(Reason!, /app:gone is not in the registry/)
})

// Images that were published with their index: the function as it ships checks them, and writes nothing.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { convert } from 'sociable'
import { ECR_HOST, startCloud } from './support/cloud.js'
import { pushApp, tagsOf } from './support/images.js'
import { startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

const file = new URL('../../../iam-actions.json', import.meta.url)
const { anywhere, read } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, readonly string[]>
const APP = `${ECR_HOST}/app`
const PROPERTIES = { Format: 'v2', Repository: APP, InputTag: 'one', OutputTag: 'one-soci', Published: 'true' }

test('an image that was published is found, whatever it was made with; one that was not fails with the reason', async (t) => {
  const node = await ensureNode(t, LAMBDA_NODES[0])
  if (node === undefined) return
  const { ecr, store, cloudFormation, environment } = await startCloud(t, {
    policy: (action, repository) => (repository === undefined ? anywhere! : read!).includes(action),
  })
  const lambda = startLambda(t, { node, environment })
  const ask = async (...args: Parameters<typeof cloudFormation.event>) => {
    const event = cloudFormation.event(...args)
    await lambda.invokeAsync(event)
    return cloudFormation.answerTo(event)
  }
  const app = await store('app')
  await pushApp(app, 'one')
  const absent = await ask('Create', PROPERTIES)
  assert.equal(absent.Status, 'FAILED')
  assert.match(
    absent.Reason!,
    /app:one-soci, the SOCI-enabled image of one, does not exist: publish it before the deployment, with `sociable publish`/,
  )
  const publish = (tag: string) =>
    convert(
      { store: app, reference: tag },
      { store: app, reference: 'one-soci' },
      { spanSize: 9_000, minLayerSize: 0, buildTool: 'another' },
    )
  const { digest } = await publish('one')
  const tags = await tagsOf(app)
  const found = await ask('Create', PROPERTIES)
  assert.equal(found.Status, 'SUCCESS', found.Reason)
  assert.deepEqual(
    [found.Data!.imageDigest, found.Data!.imageUri, found.Data!.indexed],
    [digest, `${APP}@${digest}`, 'true'],
  )
  const gone = await ask('Delete', PROPERTIES, { PhysicalResourceId: found.PhysicalResourceId })
  assert.equal(gone.Status, 'SUCCESS', gone.Reason)
  assert.deepEqual(await tagsOf(app), tags)

  await pushApp(app, 'two')
  await publish('two')
  const other = await ask('Create', PROPERTIES)
  assert.equal(other.Status, 'FAILED')
  assert.match(other.Reason!, /app:one-soci is not the SOCI-enabled image of one \(.*\): publish it before/)
  // By default its layers are too small to be indexed
  await convert({ store: app, reference: 'one' }, { store: app, reference: 'one-soci' })
  const without = await ask('Create', PROPERTIES)
  assert.deepEqual([without.Status, without.Data?.indexed], ['SUCCESS', 'false'])
  const required = await ask('Create', { ...PROPERTIES, RequireIndex: 'true' })
  assert.equal(required.Status, 'FAILED')
  assert.match(required.Reason!, /layer/)
  assert.deepEqual(
    ecr.calls.filter(({ allowed }) => !allowed),
    [],
  )
})

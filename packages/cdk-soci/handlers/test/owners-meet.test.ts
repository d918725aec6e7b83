// One stack comes to own an image in the moment in which another takes it away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'sociable'
import type { EcrPolicy } from '../../../oci/dist/test/doubles/ecr-iam.js'
import { ECR_HOST, startCloud } from './support/cloud.js'
import { pushApp, SMALL, tagsOf } from './support/images.js'
import { startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

const PROPERTIES = {
  Format: 'v2',
  Repository: `${ECR_HOST}/app`,
  InputTag: 'one',
  OutputTag: 'soci',
  Removal: 'destroy',
  ...SMALL,
}
const OTHER_OWNER = 'soci.owner-0123456789ab'

test('who deletes gives the tag back to whoever came to own the image meanwhile', async (t) => {
  const node = await ensureNode(t, LAMBDA_NODES[1])
  if (node === undefined) return
  const { ecr, store, cloudFormation, environment } = await startCloud(t)
  const lambda = startLambda(t, { node, environment })
  const app = await store('app')
  await pushApp(app, 'one')
  const created = cloudFormation.event('Create', PROPERTIES)
  await lambda.invokeAsync(created)
  const { digest } = await app.resolve('soci')
  let owned: Promise<void> | undefined
  const policy: EcrPolicy = (action) => {
    if (action === 'ecr:BatchDeleteImage') owned ??= app.resolve('soci').then((image) => app.tag(image, OTHER_OWNER))
    return true
  }
  ecr.setPolicy(policy)
  const deleted = cloudFormation.event('Delete', PROPERTIES, { PhysicalResourceId: `${ECR_HOST}/app:soci` })
  await lambda.invokeAsync(deleted)
  assert.equal(cloudFormation.answerTo(deleted).Status, 'SUCCESS')
  await owned
  assert.deepEqual(await tagsOf(app), ['one', 'soci', OTHER_OWNER])
  assert.equal((await app.resolve('soci')).digest, digest)
  assert.ok((await inspect({ store: app, reference: 'soci' })).sociEnabled)
  assert.match(lambda.log(), /others came to own the result meanwhile/)
})

test('who creates gives the image its tag again that another took away meanwhile', async (t) => {
  const node = await ensureNode(t, LAMBDA_NODES[1])
  if (node === undefined) return
  let removed: Promise<void> | undefined
  const { ecr, store, cloudFormation, environment } = await startCloud(t, {
    policy(action) {
      const { path = '' } = ecr.requests.at(-1) ?? {}
      if (action === 'ecr:PutImage' && path.includes('.owner-')) removed ??= app.untag!('soci')
      return true
    },
  })
  const lambda = startLambda(t, { node, environment })
  const app = await store('app')
  await pushApp(app, 'one')
  const created = cloudFormation.event('Create', PROPERTIES)
  await lambda.invokeAsync(created)
  const { Status, Data } = cloudFormation.answerTo(created)
  assert.equal(Status, 'SUCCESS')
  assert.ok(removed !== undefined)
  assert.equal((await app.resolve('soci')).digest, Data!.imageDigest)
})

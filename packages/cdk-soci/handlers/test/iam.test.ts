// What the constructs grant (iam-actions.json) is what the handler needs, and no more.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ECR_HOST, startCloud } from './support/cloud.js'
import { pushApp, SMALL } from './support/images.js'
import { startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

interface Actions {
  readonly anywhere: readonly string[]
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly remove: readonly string[]
}

const file = new URL('../../../iam-actions.json', import.meta.url)
const { anywhere, read, write, remove } = JSON.parse(readFileSync(file, 'utf8')) as Actions

for (const removal of ['retain', 'destroy'] as const)
  test(`all that is done with Removal ${removal} is granted, and all that is granted is used`, async (t) => {
    const node = await ensureNode(t, LAMBDA_NODES[0])
    if (node === undefined) return
    const granted = new Map([
      ['app', [...read]],
      ['other', [...read, ...write, ...(removal === 'destroy' ? remove : [])]],
    ])
    const { ecr, store, cloudFormation, environment } = await startCloud(t, {
      policy: (action, repository) => (repository === undefined ? anywhere : granted.get(repository)!).includes(action),
    })
    const lambda = startLambda(t, { node, environment })
    const properties = {
      Format: 'v2',
      Repository: `${ECR_HOST}/app`,
      InputTag: 'one',
      OutputRepository: `${ECR_HOST}/other`,
      OutputTag: 'soci',
      Removal: removal,
      ...SMALL,
    }
    const v1 = { Format: 'v1', Repository: `${ECR_HOST}/other`, InputTag: 'two', Removal: removal, ...SMALL }
    const ask = async (...args: Parameters<typeof cloudFormation.event>) => {
      const event = cloudFormation.event(...args)
      await lambda.invokeAsync(event)
      const { Status, Reason } = cloudFormation.answerTo(event)
      assert.equal(Status, 'SUCCESS', Reason)
    }
    await pushApp(await store('app'), 'one')
    await pushApp(await store('other'), 'two')
    const wider = { ...properties, SpanSize: '8192' }
    const id = { PhysicalResourceId: `${ECR_HOST}/other:soci` }
    await ask('Create', properties)
    await ask('Create', properties, { LogicalResourceId: 'Another' })
    await ask('Update', wider, { ...id, OldResourceProperties: properties })
    await (await store('app')).tag(await pushApp(await store('app'), 'three'), 'one')
    await ask('Create', properties, { LogicalResourceId: 'Replaced' }) // after its input has become another
    await ask('Create', v1)
    await ask('Delete', v1, { PhysicalResourceId: `${ECR_HOST}/other@v1:two` })
    for (const LogicalResourceId of ['AppSociIndex', 'Another', 'Replaced'])
      await ask('Delete', wider, { ...id, LogicalResourceId })

    const used = (repository: string | undefined) =>
      [...new Set(ecr.calls.filter((call) => call.repository === repository).map(({ action }) => action))].sort()
    assert.deepEqual(used(undefined), anywhere)
    assert.deepEqual(used('app'), read)
    assert.deepEqual(used('other'), granted.get('other')!.sort())
    assert.deepEqual(
      ecr.calls.filter(({ allowed }) => !allowed),
      [],
    )
  })

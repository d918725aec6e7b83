// What `SociIndexOnPush` grants for images is what the function calls, and no more.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pushApp } from '../support/images.js'
import { pushed, startOnPush } from '../support/on-push.js'

interface Statement {
  readonly Action: string | string[]
}

const SNAPSHOTS = new URL('../../../../../test/fixtures/templates/', import.meta.url)

/** ECR's actions in the policy of a snapshot, which a test holds to the construct. */
function granted(name: string): string[] {
  const resources = JSON.parse(readFileSync(new URL(`${name}.json`, SNAPSHOTS), 'utf8')) as Record<
    string,
    { readonly Type: string; readonly Properties: { readonly PolicyDocument: { readonly Statement: Statement[] } } }
  >
  const policies = Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Policy')
  const actions = policies.flatMap(({ Properties }) =>
    Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action),
  )
  return [...new Set(actions.filter((action) => action.startsWith('ecr:')))].sort()
}

for (const [name, version, reconcile] of [
  ['OnPushPlain', 'V2', true],
  ['OnPushV1', 'V1', false],
] as const)
  test(`${version}: all that is done for a push is granted, and all that is granted is used`, async (t) => {
    const allowed = granted(name)
    const world = await startOnPush(t, {
      policy: (action) => allowed.includes(action),
      environment: { SOCI_INDEX_VERSION: version },
    })
    if (world === undefined) return
    const { deliver, ecr, lambda, queue, store } = world
    const app = await store('app')
    const image = await pushApp(app, 'one')
    await deliver(pushed(image, 'one'))
    await deliver(pushed(image, 'one')) // again
    const other = await pushApp(app, 'two')
    await app.tag(other, 'one')
    await deliver(pushed(other, 'one')) // a tag that has moved
    if (reconcile) assert.equal((await lambda.invoke({ reconcile: true })).failure, undefined)
    assert.equal(lambda.log().includes('AccessDenied'), false, lambda.log())
    assert.ok(queue.events.length >= 2 && queue.events.every(({ type }) => type === 'SOCI Index Ready'))
    assert.deepEqual(
      ecr.calls.filter(({ allowed: isAllowed }) => !isAllowed),
      [],
    )
    assert.deepEqual([...new Set(ecr.calls.map(({ action }) => action))].sort(), allowed)
  })

// The function as it ships, on each Node that Lambda has, against ECR: what CloudFormation would have received.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'sociable'
import type { EcrOptions } from '../../../oci/dist/test/doubles/ecr.js'
import { ownerOf } from '../src/index-request.js'
import { type Cloud, ECR_HOST, startCloud, URL_SECRET } from './support/cloud.js'
import { childrenOf, pushApp, SMALL, tagsOf, wrap } from './support/images.js'
import { type Lambda, startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

const APP = `${ECR_HOST}/app`
const PROPERTIES = { Format: 'v2', Repository: APP, InputTag: 'one', OutputTag: 'one-soci', ...SMALL }
const DESTROY = { ...PROPERTIES, Removal: 'destroy' }
const OTHER_STACK = { StackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/two/0', LogicalResourceId: 'Other' }

interface World extends Cloud {
  readonly lambda: Lambda
  /** Sends the event, and gives what CloudFormation got. */
  ask(...event: Parameters<Cloud['cloudFormation']['event']>): Promise<ReturnType<Cloud['cloudFormation']['answerTo']>>
}

async function start(t: TestContext, node: string, options: EcrOptions = {}): Promise<World> {
  const cloud = await startCloud(t, options)
  const lambda = startLambda(t, { node, environment: cloud.environment })
  return {
    ...cloud,
    lambda,
    async ask(...args) {
      const event = cloud.cloudFormation.event(...args)
      await lambda.invokeAsync(event)
      return cloud.cloudFormation.answerTo(event)
    },
  }
}

for (const major of LAMBDA_NODES) {
  const each = (name: string, run: (t: TestContext, node: string) => Promise<void>) =>
    test(`Node ${major}: ${name}`, async (t) => {
      const node = await ensureNode(t, major)
      if (node !== undefined) await run(t, node)
    })

  each('create, the same again, update, roll back, delete', async (t, node) => {
    const { ask, store, lambda, ecr } = await start(t, node)
    const app = await store('app')
    const input = await pushApp(app, 'one')
    const created = await ask('Create', PROPERTIES)
    assert.equal(created.Status, 'SUCCESS', created.Reason)
    const { digest } = await app.resolve('one-soci')
    assert.equal(created.PhysicalResourceId, `${APP}:one-soci`)
    assert.deepEqual(created.Data, {
      imageDigest: digest,
      imageUri: `${APP}@${digest}`,
      outputImageTag: 'one-soci',
      indexed: 'true',
      indexReason: '',
    })
    const { sociEnabled, images } = await inspect({ store: app, reference: 'one-soci' })
    assert.ok(sociEnabled)
    assert.ok(images[0]!.layers.every(({ lazy }) => lazy))
    assert.equal((await app.resolve('one')).digest, input.digest)

    const writes = () => ecr.requests.filter(({ method, path }) => !/^(GET|HEAD)$/.test(method) && path !== '/').length
    const before = writes()
    const again = await ask('Create', PROPERTIES)
    assert.deepEqual(again.Data, created.Data)
    assert.equal(writes(), before)

    await pushApp(app, 'two')
    const newer = { ...PROPERTIES, InputTag: 'two', OutputTag: 'two-soci' }
    const physical = { PhysicalResourceId: created.PhysicalResourceId }
    const updated = await ask('Update', newer, { ...physical, OldResourceProperties: PROPERTIES })
    assert.equal(updated.Status, 'SUCCESS', updated.Reason)
    assert.equal(updated.PhysicalResourceId, `${APP}:two-soci`)
    assert.match(lambda.log().split('"asked"').at(-1)!, /"bytesIndexed":3\d{4},/) // the common layer's zTOC is the former's

    const back = await ask('Update', PROPERTIES, {
      PhysicalResourceId: updated.PhysicalResourceId,
      OldResourceProperties: newer,
    })
    assert.deepEqual([back.PhysicalResourceId, back.Data], [created.PhysicalResourceId, created.Data])
    for (const [properties, id] of [
      [newer, updated.PhysicalResourceId],
      [PROPERTIES, created.PhysicalResourceId],
    ] as const) {
      const gone = await ask('Delete', properties, { PhysicalResourceId: id })
      assert.deepEqual([gone.Status, gone.PhysicalResourceId], ['SUCCESS', id])
    }
    assert.deepEqual(await tagsOf(app), ['one', 'one-soci', 'two', 'two-soci']) // RETAIN is the default
    assert.doesNotMatch(lambda.log(), new RegExp(`${URL_SECRET}|x-secret|AWS:|QVdT`))
  })

  each('options that change under the same tag', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    await pushApp(app, 'one')
    const created = await ask('Create', PROPERTIES)
    const wider = { ...PROPERTIES, SpanSize: '8192' }
    const physical = { PhysicalResourceId: created.PhysicalResourceId }
    const updated = await ask('Update', wider, { ...physical, OldResourceProperties: PROPERTIES })
    assert.equal(updated.Status, 'SUCCESS', updated.Reason)
    assert.equal(updated.PhysicalResourceId, created.PhysicalResourceId)
    assert.notEqual(updated.Data!.imageDigest, created.Data!.imageDigest)
    assert.equal((await app.resolve('one-soci')).digest, updated.Data!.imageDigest)
    const back = await ask('Update', PROPERTIES, { ...physical, OldResourceProperties: wider })
    assert.deepEqual(back.Data, created.Data)
  })

  each('two stacks share an image: the last one takes it away, and never the input', async (t, node) => {
    const { ask, store, cloudFormation, lambda } = await start(t, node)
    const app = await store('app')
    const input = await pushApp(app, 'one')
    const first = cloudFormation.event('Create', DESTROY)
    const second = cloudFormation.event('Create', DESTROY, OTHER_STACK)
    for (const event of [first, second]) {
      await lambda.invokeAsync(event)
      assert.equal(cloudFormation.answerTo(event).Status, 'SUCCESS')
    }
    const owners = [first, second].map((event) => `one-soci.owner-${ownerOf(event)}`).sort()
    assert.deepEqual(await tagsOf(app), ['one', 'one-soci', ...owners])
    const parts = await childrenOf(app, 'one-soci')
    assert.equal(parts.length, 2)

    const id = { PhysicalResourceId: `${APP}:one-soci` }
    for (const _ of ['first', 'a replay']) {
      assert.equal((await ask('Delete', DESTROY, id)).Status, 'SUCCESS')
      assert.deepEqual(await tagsOf(app), ['one', 'one-soci', `one-soci.owner-${ownerOf(second)}`])
    }
    assert.ok((await inspect({ store: app, reference: 'one-soci' })).sociEnabled)
    assert.equal((await ask('Delete', DESTROY, { ...OTHER_STACK, ...id })).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one'])
    for (const part of parts) assert.equal(await app.exists(part), false)
    assert.equal((await app.resolve('one')).digest, input.digest)
    assert.doesNotMatch(lambda.log(), /meanwhile/) // the tag was never away
  })

  each('what belongs to nobody stays: an output that was there before, or that another retains', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    await pushApp(app, 'one')
    const id = { PhysicalResourceId: `${APP}:one-soci` }
    assert.equal((await ask('Create', PROPERTIES, OTHER_STACK)).Status, 'SUCCESS')
    assert.equal((await ask('Create', DESTROY)).Status, 'SUCCESS')
    assert.equal((await ask('Delete', DESTROY, id)).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one', 'one-soci'])

    await pushApp(app, 'two')
    const two = { InputTag: 'two', OutputTag: 'two-soci' }
    assert.equal((await ask('Create', { ...DESTROY, ...two })).Status, 'SUCCESS')
    assert.equal((await ask('Create', { ...PROPERTIES, ...two }, OTHER_STACK)).Status, 'SUCCESS')
    assert.equal(
      (await ask('Delete', { ...DESTROY, ...two }, { PhysicalResourceId: `${APP}:two-soci` })).Status,
      'SUCCESS',
    )
    assert.ok((await inspect({ store: app, reference: 'two-soci' })).sociEnabled)
  })

  each('another removal policy for a result that is there', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    await pushApp(app, 'one')
    const id = { PhysicalResourceId: `${APP}:one-soci` }
    assert.equal((await ask('Create', PROPERTIES)).Status, 'SUCCESS')
    assert.equal((await ask('Update', DESTROY, { ...id, OldResourceProperties: PROPERTIES })).Status, 'SUCCESS')
    assert.equal((await tagsOf(app)).length, 3)
    assert.equal((await ask('Update', PROPERTIES, { ...id, OldResourceProperties: DESTROY })).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one', 'one-soci']) // nobody is to delete it, so it has no owner
    assert.equal((await ask('Delete', PROPERTIES, id)).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one', 'one-soci'])

    // It rolls back to DESTROY, and goes
    assert.equal((await ask('Update', DESTROY, { ...id, OldResourceProperties: PROPERTIES })).Status, 'SUCCESS')
    // With another owner it is kept from that one's Delete
    assert.equal((await ask('Create', DESTROY, OTHER_STACK)).Status, 'SUCCESS')
    assert.equal((await ask('Update', PROPERTIES, { ...id, OldResourceProperties: DESTROY })).Status, 'SUCCESS')
    assert.equal((await tagsOf(app)).length, 4)
    assert.equal((await ask('Delete', DESTROY, { ...OTHER_STACK, ...id })).Status, 'SUCCESS')
    assert.ok((await inspect({ store: app, reference: 'one-soci' })).sociEnabled)

    assert.equal((await ask('Delete', DESTROY, id)).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one'])
  })

  each('another removal policy where the permission to delete is gone already', async (t, node) => {
    const { ask, store, ecr } = await start(t, node)
    const app = await store('app')
    await pushApp(app, 'one')
    assert.equal((await ask('Create', DESTROY)).Status, 'SUCCESS')
    ecr.setPolicy((action) => action !== 'ecr:BatchDeleteImage')
    const id = { PhysicalResourceId: `${APP}:one-soci` }
    const updated = await ask('Update', PROPERTIES, { ...id, OldResourceProperties: DESTROY })
    assert.equal(updated.Status, 'SUCCESS', updated.Reason)
    assert.equal((await tagsOf(app)).length, 3)
  })

  each('immutable tags: the same image again, another tool’s image, and another image', async (t, node) => {
    const { ask, store } = await start(t, node, { immutable: ['app'] })
    const app = await store('app')
    await pushApp(app, 'one')
    const created = await ask('Create', DESTROY)
    assert.equal(created.Status, 'SUCCESS', created.Reason)
    assert.deepEqual((await ask('Create', DESTROY)).Data, created.Data)
    // The default options are met by whatever options the image was made with
    const { SpanSize: _, ...plain } = PROPERTIES
    const adopted = await ask('Create', plain, OTHER_STACK)
    assert.deepEqual(adopted.Data, created.Data)
    const refused = await ask('Create', { ...PROPERTIES, SpanSize: '8192' })
    assert.equal(refused.Status, 'FAILED')
    assert.match(
      refused.Reason!,
      /app:one-soci exists with other content \(layer sha256:\w+ of linux\/amd64 has spans of 4096 bytes, not 8192\), and tags of this repository are immutable: choose another output tag/,
    )
    await pushApp(app, 'two')
    const other = await ask('Create', { ...plain, InputTag: 'two' })
    assert.match(
      other.Reason!,
      /app:one-soci exists with other content \(.*does not have the linux\/amd64 image of .*app:two\)/,
    )
    assert.equal((await app.resolve('one-soci')).digest, created.Data!.imageDigest)
    const gone = await ask('Delete', DESTROY, { PhysicalResourceId: created.PhysicalResourceId })
    assert.equal(gone.Status, 'SUCCESS')
  })

  each('an output tag with something else is replaced where it can be', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    await pushApp(app, 'one')
    await app.tag(await pushApp(app, 'two'), 'one-soci')
    const created = await ask('Create', PROPERTIES)
    assert.equal(created.Status, 'SUCCESS', created.Reason)
    assert.ok((await inspect({ store: app, reference: 'one-soci' })).sociEnabled)
  })

  each('by digest, to another repository; an index of one platform', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    const { digest } = await wrap(app, await pushApp(app, 'one'), 'multi')
    const properties = {
      ...DESTROY,
      InputTag: digest,
      OutputRepository: `${ECR_HOST}/other`,
      OutputTag: 'soci',
      Platforms: ['linux/amd64'],
    }
    const created = await ask('Create', properties)
    assert.equal(created.Status, 'SUCCESS', created.Reason)
    const other = await store('other')
    assert.equal(created.Data!.imageUri, `${ECR_HOST}/other@${(await other.resolve('soci')).digest}`)
    assert.equal(
      (await ask('Delete', properties, { PhysicalResourceId: created.PhysicalResourceId })).Status,
      'SUCCESS',
    )
    assert.deepEqual(await tagsOf(other), [])
    assert.deepEqual(await tagsOf(app), ['multi', 'one'])
  })

  each('nothing to index: told, or refused where an index is required', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    await pushApp(app, 'one')
    const { MinLayerSize: _, ...large } = DESTROY
    const created = await ask('Create', large)
    assert.equal(created.Status, 'SUCCESS', created.Reason)
    assert.equal(created.Data!.indexed, 'false')
    assert.equal(created.Data!.indexReason, '2 layers: smaller than 10 MiB')
    assert.equal(created.Data!.imageDigest, (await app.resolve('one-soci')).digest)
    assert.deepEqual((await ask('Create', large)).Data, created.Data)
    assert.equal((await ask('Delete', large, { PhysicalResourceId: created.PhysicalResourceId })).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one'])
    const refused = await ask('Create', { ...large, RequireIndex: 'true' })
    assert.equal(refused.Status, 'FAILED')
    assert.match(
      refused.Reason!,
      /no layer of .*app:one can be indexed: 2 layers: smaller than 10 MiB .*log group \/aws\/lambda\/indexer, stream /,
    )
    assert.deepEqual(await tagsOf(app), ['one'])
  })

  each('an input without a tag that is its own result is never taken away', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    const { digest } = await wrap(app, await pushApp(app, 'one'), 'multi')
    for (const tag of ['one', 'multi']) await app.untag!(tag)
    const { MinLayerSize: _, ...properties } = { ...DESTROY, InputTag: digest }
    const created = await ask('Create', properties)
    assert.equal(created.Data!.imageDigest, digest) // nothing to index, and an OCI index already
    assert.equal(
      (await ask('Delete', properties, { PhysicalResourceId: created.PhysicalResourceId })).Status,
      'SUCCESS',
    )
    assert.equal((await app.resolve(digest)).digest, digest)
  })

  each('v1: an index beside the image, tagged or not, and taken away', async (t, node) => {
    const { ask, store } = await start(t, node)
    const app = await store('app')
    const input = await pushApp(app, 'one')
    const properties = {
      Format: 'v1',
      Repository: APP,
      InputTag: 'one',
      IndexTag: 'one-index',
      Removal: 'destroy',
      ...SMALL,
    }
    const created = await ask('Create', properties)
    assert.equal(created.Status, 'SUCCESS', created.Reason)
    assert.equal(created.PhysicalResourceId, `${APP}@v1:one`)
    assert.deepEqual(created.Data, {
      imageDigest: input.digest,
      imageUri: `${APP}@${input.digest}`,
      outputImageTag: 'one',
      indexed: 'true',
      indexReason: '',
    })
    const [platform] = (await inspect({ store: app, reference: 'one' })).images
    assert.equal(platform!.version, 'v1')
    assert.equal((await app.resolve('one-index')).digest, platform!.index!.digest)
    assert.deepEqual((await ask('Create', properties)).Data, created.Data)
    assert.equal((await ask('Create', properties, OTHER_STACK)).Status, 'SUCCESS')
    const id = { PhysicalResourceId: created.PhysicalResourceId }
    assert.equal((await ask('Delete', properties, id)).Status, 'SUCCESS')
    assert.equal((await inspect({ store: app, reference: 'one' })).sociEnabled, true)
    assert.equal((await ask('Delete', properties, { ...OTHER_STACK, ...id })).Status, 'SUCCESS')
    assert.deepEqual(await tagsOf(app), ['one'])
    assert.equal((await inspect({ store: app, reference: 'one' })).sociEnabled, false)
    // What another retains stays
    const { Removal: _, ...retained } = properties
    assert.equal((await ask('Create', retained, OTHER_STACK)).Status, 'SUCCESS')
    assert.equal((await ask('Create', properties)).Status, 'SUCCESS')
    assert.equal((await ask('Delete', properties, id)).Status, 'SUCCESS')
    assert.equal((await inspect({ store: app, reference: 'one' })).sociEnabled, true)
    assert.equal((await app.resolve('one')).digest, input.digest)
  })
}

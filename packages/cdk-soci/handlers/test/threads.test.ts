// Large layers are indexed by threads, whose code is a file of the asset: without it all would still be done, by one core.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { doubles, ECR_HOST, startCloud } from './support/cloud.js'
import { ASSETS, startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

for (const major of LAMBDA_NODES)
  test(`Node ${major}: the asset's threads start where it lies`, async (t) => {
    const node = await ensureNode(t, major)
    if (node === undefined) return
    const asset = mkdtempSync(join(tmpdir(), 'asset-'))
    t.after(() => rmSync(asset, { recursive: true }))
    cpSync(join(ASSETS, 'handler'), asset, { recursive: true })
    const worker = join(asset, 'layer-worker.js')
    writeFileSync(worker, `${readFileSync(worker, 'utf8')}\nconsole.log('a thread is up')\n`)
    const { cloudFormation, environment, store } = await startCloud(t)
    const lambda = startLambda(t, { node, environment, asset })
    const { noise, pushImage, smallImage } = await doubles()
    const image = smallImage([{ name: 'large', data: noise(12 << 20) }])
    const app = await store('app')
    await pushImage(app, image)
    await app.tag(image.manifest, 'one')
    const properties = { Format: 'v2', Repository: `${ECR_HOST}/app`, InputTag: 'one', OutputTag: 'soci' }
    const event = cloudFormation.event('Create', properties)
    await lambda.invokeAsync(event)
    const { Status, Data } = cloudFormation.answerTo(event)
    assert.deepEqual([Status, Data!.indexed], ['SUCCESS', 'true'])
    assert.match(lambda.log(), /a thread is up/)
  })

// Counts what the handler, as it ships, asks of Amazon ECR for an image, and what it adds: `node packages/cdk-soci/scripts/costs.mjs oci:DIR:TAG`, after
// `npm run build`. The registry is the ECR double. For docs/costs.md.
import { test } from 'node:test'
import { copyImage, inspect } from 'sociable'
import { ensureNode } from '../../../scripts/tools.mjs'
import { ECR_HOST, startCloud } from '../handlers/dist/handlers/test/support/cloud.js'
import { startLambda } from '../handlers/dist/handlers/test/support/lambda.js'

const IMAGE = process.argv[2]
if (IMAGE === undefined) throw new Error('name an image, such as oci:DIR:TAG')

test('costs', async (t) => {
  const cloud = await startCloud(t)
  const store = await cloud.store('app')
  await copyImage(IMAGE, { store, reference: 'one' })
  const { images } = await inspect({ store, reference: 'one' })
  const compressed = images.flatMap(({ layers }) => layers).reduce((sum, { size }) => sum + size, 0)
  const lambda = startLambda(t, {
    node: ensureNode('24'),
    environment: cloud.environment,
    memory: 2048,
    timeout: 900_000,
  })
  for (const what of ['first', 'again']) {
    const [from, storage, started] = [cloud.ecr.requests.length, cloud.ecr.storage.requests.length, performance.now()]
    const properties = { Format: 'v2', Repository: `${ECR_HOST}/app`, InputTag: 'one', OutputTag: 'one-soci' }
    const event = cloud.cloudFormation.event('Create', properties)
    await lambda.invoke(event)
    const answer = cloud.cloudFormation.answerTo(event)
    if (answer.Status !== 'SUCCESS') throw new Error(answer.Reason)
    const counts = {}
    for (const { method, path } of cloud.ecr.requests.slice(from)) {
      const kind = /\/(manifests|blobs\/uploads|blobs|referrers)\b/.exec(path)?.[1] ?? 'API'
      counts[`${method} ${kind}`] = (counts[`${method} ${kind}`] ?? 0) + 1
    }
    console.log(
      JSON.stringify({
        run: what,
        compressed,
        seconds: Math.round(performance.now() - started) / 1000,
        requests: cloud.ecr.requests.length - from,
        storageRequests: cloud.ecr.storage.requests.length - storage,
        counts,
      }),
    )
  }
  const made = await inspect({ store, reference: 'one-soci' })
  const ztocs = new Map(
    made.images.flatMap(({ layers }) => layers.flatMap(({ ztoc }) => (ztoc ? [[ztoc.digest, ztoc.size]] : []))),
  )
  const bytes = [...ztocs.values()].reduce((sum, size) => sum + size, 0)
  console.log(JSON.stringify({ ztocs: ztocs.size, bytes, perGB: Math.round((bytes / compressed) * 1e9) }))
})

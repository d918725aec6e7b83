// Measures the handler as it ships against the program, side by side: `node packages/cdk-soci/scripts/measure.mjs [rounds]`, after `npm run build`. Both are
// started anew each time, on the same Node, against the same ECR double. Only ratios mean something, as other work slows both.
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ensureNode } from '../../../scripts/tools.mjs'
import { doubles, ECR_HOST, startCloud } from '../handlers/dist/handlers/test/support/cloud.js'
import { startLambda } from '../handlers/dist/handlers/test/support/lambda.js'

const ROUNDS = Number(process.argv[2] ?? 5)
const LAYERS = 3
const LAYER_SIZE = 32 << 20 // bytes of each layer's file
const PROGRAM = fileURLToPath(new URL('../../sociable/dist/bin/cli/sociable.js', import.meta.url))

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]

for (const major of ['22', '24'])
  test(`Node ${major}`, async (t) => {
    const cloud = await startCloud(t)
    const node = ensureNode(major)
    const { noise, pushImage, smallImage } = await doubles()
    const layers = Array.from({ length: LAYERS }, (_, i) => [{ name: `f${i}`, data: noise(LAYER_SIZE, `layer ${i}`) }])
    const store = await cloud.store('app')
    const image = smallImage(...layers)
    await pushImage(store, image)
    await store.tag(image.manifest, 'one')
    const times = { load: [], first: [], handler: [], program: [] }
    for (let round = 0; round < ROUNDS; round++) {
      const lambda = startLambda(t, { node, environment: cloud.environment, memory: 2048 })
      const properties = { Format: 'v2', Repository: `${ECR_HOST}/app`, InputTag: 'one', OutputTag: `handler-${round}` }
      // Another build tool each time, as zTOCs of before would be reused
      const event = cloud.cloudFormation.event('Create', { ...properties, BuildTool: `handler ${round}` })
      const requests = cloud.ecr.requests.length
      let first
      const watch = setInterval(() => {
        if (cloud.ecr.requests.length > requests) first ??= performance.now()
      }, 1)
      let from = performance.now()
      await lambda.invoke(event)
      times.handler.push(performance.now() - from)
      times.load.push(lambda.loadTime())
      times.first.push(first - from)
      clearInterval(watch)
      if (cloud.cloudFormation.answerTo(event).Status !== 'SUCCESS') throw new Error(lambda.log())
      lambda.kill()
      from = performance.now()
      await convert(node, `program-${round}`, cloud.environment)
      times.program.push(performance.now() - from)
    }
    const { load, first, handler, program } = Object.fromEntries(
      Object.entries(times).map(([name, values]) => [name, Math.round(median(values))]),
    )
    console.log(
      `Node ${major}: handler loaded in ${load} ms, first request ${first} ms after the process was asked for; event to answer ${handler} ms, ` +
        `program ${program} ms, ratio ${(handler / program).toFixed(2)}`,
    )
  })

function convert(node, tag, environment) {
  const name = `${ECR_HOST}/app`
  const args = [PROGRAM, 'convert', `${name}:one`, `${name}:${tag}`, '--build-tool', tag, '--quiet']
  const child = spawn(node, args, {
    env: { ...environment, AWS_REGION: 'eu-west-1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the program ended with ${code}`))))
  })
}

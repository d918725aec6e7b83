// The folder that ships: what is in it, and that nothing else is needed.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ASSETS, startLambda } from './support/lambda.js'
import { ensureNode, LAMBDA_NODES } from './support/nodes.js'

const HANDLER = join(ASSETS, 'handler')
const LIMIT = 5_000_000 // bytes

test('the handler’s asset is small, whole, and without traces of where it was made', () => {
  const files = readdirSync(HANDLER, { recursive: true }) as string[]
  const size = files.reduce((sum, file) => sum + statSync(join(HANDLER, file)).size, 0)
  assert.ok(size < LIMIT && size > 500_000, `${size} bytes`)
  for (const file of ['index.js', 'layer-worker.js', 'zstd-worker.js', 'package.json', 'LICENSES'])
    assert.ok(files.includes(file), file)
  assert.deepEqual(JSON.parse(readFileSync(join(HANDLER, 'package.json'), 'utf8')), { type: 'module' })
  const known = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)])
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(join(HANDLER, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/(?:^|[;}])(?:import|export)\b[^;'"]*?\bfrom\s*["']([^"']+)["']/g))
      assert.ok(known.has(name) || (name.startsWith('./') && files.includes(name.slice(2))), `${file} imports ${name}`)
    assert.ok(!text.includes(process.cwd()), file)
  }
  const licenses = readFileSync(join(HANDLER, 'LICENSES'), 'utf8')
  for (const name of [
    '@aws-sdk/client-ecr ',
    '@aws-sdk/client-secrets-manager ',
    'undici ',

    'p-retry ',
  ])
    assert.ok(licenses.includes(`\n${name}`) || licenses.startsWith(name), name)
  assert.doesNotMatch(licenses, /undefined/)
})

for (const major of LAMBDA_NODES)
  test(`Node ${major}: what the tests run it in is bare`, async (t) => {
    const node = await ensureNode(t, major)
    if (node === undefined) return
    const asset = mkdtempSync(join(tmpdir(), 'prober-'))
    t.after(() => rmSync(asset, { recursive: true }))
    copyFileSync(fileURLToPath(new URL('./support/prober.js', import.meta.url)), join(asset, 'index.js'))
    writeFileSync(join(asset, 'package.json'), '{"type":"module"}')
    const lambda = startLambda(t, { node, asset, environment: {} })
    const { value } = await lambda.invoke({ elsewhere: join(HANDLER, 'package.json') })
    const denied = 'ERR_ACCESS_DENIED'
    assert.deepEqual(value, {
      writesTask: denied,
      writesTmp: denied,
      reads: denied,
      starts: denied,
      environment: 'AWS_LAMBDA_FUNCTION_NAME,AWS_REGION,LAMBDA_TASK_ROOT',
    })
  })

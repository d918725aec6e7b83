// OCI's own conformance suite (github.com/opencontainers/distribution-spec/conformance) against the registry, in memory and on disk.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { layoutRepositories } from '../../src/server/layout-repositories.js'
import { serveRegistry } from '../../src/server/registry-server.js'
import { memoryRepositories, type Repositories } from '../../src/server/repositories.js'
import { temporaryFolder, tool } from '../tools.js'

for (const [name, make] of [
  ['in memory', async () => memoryRepositories()],
  ['layouts on disk', (t: TestContext) => layoutRepositories(temporaryFolder(t), { write: true })],
] as const satisfies readonly (readonly [string, (t: TestContext) => Promise<Repositories>])[])
  test(`OCI distribution conformance: ${name}`, async (t) => {
    const suite = await tool(t, 'conformance')
    if (suite === undefined) return
    const failures: unknown[] = []
    const server = await serveRegistry({ repositories: await make(t), onError: (error) => failures.push(error) })
    t.after(() => server.close())
    const { status, output } = await run(suite, temporaryFolder(t), {
      OCI_REGISTRY: server.host,
      OCI_TLS: 'disabled',
      OCI_VERSION: '1.1',
      OCI_RESULTS_DIR: 'results',
      // What is optional, and done here.
      OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
      OCI_API_BLOBS_DIGEST_HEADER: 'true',
      OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
    })
    assert.equal(status, 0, output)
    const count = (what: string) => Number(new RegExp(`^ *${what}\\.+: +(\\d+)$`, 'm').exec(output)?.[1])
    t.diagnostic(`${count('Pass')} passed, ${count('Skip')} skipped, ${count('FAIL')} failed`)
    assert.deepEqual([count('Skip'), count('FAIL'), count('Error')], [0, 0, 0], output)
    assert.ok(count('Pass') > 800, output)
    assert.deepEqual(failures, [])
  })

async function run(
  command: string,
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ status: number | null; output: string }> {
  const child = spawn(command, { cwd, env: { PATH: process.env.PATH, ...environment } })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk
  })
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  return { status, output }
}

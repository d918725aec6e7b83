import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { hasAddressSpace, indexLayer, LOW_ADDRESS_SPACE_FLAG } from '../src/index.js'
import { chunks } from './chunks.js'
import { entry, tar } from './tar-build.js'

const LAYER = gzipSync(tar(entry({ name: 'a', size: 3 }, 'abc')))
const index = new URL('../src/index.js', import.meta.url)

/** Runs a script with 4 GB of address space: too little for V8's guard regions, enough for Node. */
const limited = (script: string, ...flags: string[]): string =>
  execFileSync(
    'bash',
    ['-c', 'ulimit -v 4000000 && exec "$0" "$@"', process.execPath, ...flags, '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    },
  ).trim()

const script = (call: string): string => `
  import { hasAddressSpace, indexLayer, LayerIndexer } from ${JSON.stringify(index.href)}
  const layer = Buffer.from('${LAYER.toString('base64')}', 'base64')
  const source = (async function* () { yield layer })()
  ${call}`

const skip = process.platform === 'linux' ? false : 'ulimit -v is tried on Linux only'

test('where the address space is limited the error says what to do', { skip }, async () => {
  assert.equal(hasAddressSpace(), true)
  const { digest } = await indexLayer(chunks(LAYER, 100))
  const call = 'indexLayer(source).then((layer) => layer.digest, (error) => error.message)'
  const answer = limited(script(`console.log(hasAddressSpace(), await ${call})`))
  // Newer versions of Node do without the guard regions by themselves
  if (answer !== `true ${digest}`) assert.match(answer, /^false no address space .*--disable-wasm-trap-handler$/)
})

test('with the flag a pool does the same work there', { skip }, async () => {
  const { digest } = await indexLayer(chunks(LAYER, 100))
  const run = script(
    'const pool = new LayerIndexer(); console.log((await pool.index(source)).digest); await pool.close()',
  )
  assert.equal(limited(run, LOW_ADDRESS_SPACE_FLAG), digest)
})

test('where threads cannot be had a pool works in this one', async () => {
  const { digest } = await indexLayer(chunks(LAYER, 100))
  const call = 'const pool = new LayerIndexer(); console.log((await pool.index(source)).digest); await pool.close()'
  // As a runtime without them: the constructor is there and throws
  const without = `
    import { syncBuiltinESMExports } from 'node:module'
    import threads from 'node:worker_threads'
    threads.Worker = class { constructor() { throw new Error('no threads here') } }
    syncBuiltinESMExports()
    const { LayerIndexer } = await import(${JSON.stringify(index.href)})
    const layer = Buffer.from('${LAYER.toString('base64')}', 'base64')
    const source = (async function* () { yield layer })()
    ${call}`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', without], { encoding: 'utf8' }).trim()
  assert.equal(out, digest)
})

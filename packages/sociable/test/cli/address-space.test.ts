import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const main = fileURLToPath(new URL('../../bin/cli/sociable.js', import.meta.url))
const skip = process.platform === 'linux' ? false : 'ulimit -v is tried on Linux only'

/** The program with this much address space in KiB; 4 GB are too little for what V8 reserves around a WebAssembly memory. */
const run = (limit: string, args: readonly string[], input: Buffer) =>
  spawnSync('bash', ['-c', `ulimit -v ${limit} && exec "$0" "$@"`, process.execPath, main, ...args], {
    input,
    encoding: 'utf8',
  })

test('with little address space the program does the same, with the same exit status', { skip }, () => {
  const layer = gzipSync(Buffer.alloc(1024))
  const free = run('unlimited', ['ztoc', '-', '--quiet'], layer)
  assert.match(free.stdout, /^sha256:[0-9a-f]{64}\n$/)
  for (const limit of ['12000000', '4000000', '3000000', '2000000']) {
    const limited = run(limit, ['ztoc', '-', '--quiet'], layer)
    assert.deepEqual([limited.status, limited.stdout, limited.stderr], [free.status, free.stdout, free.stderr], limit)
  }
  const damaged = run('4000000', ['ztoc', '-', '--quiet'], layer.subarray(0, 20))
  assert.equal(damaged.status, 1)
  assert.match(damaged.stderr, /the layer ends at byte 20/)
})

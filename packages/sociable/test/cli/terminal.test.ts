import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { startRegistry } from '../support/registries.js'
import { digestOf, makeLayout, noise, tar, temporaryFolder } from './layout.js'
import { onTerminal, skipWithoutPty } from './pty.js'
import { finished, run, start } from './run.js'

const ESCAPE = '\u001b'
const options = { skip: skipWithoutPty }
const SIGINT = 2

/** A tar in gzip that is small, but long to read: members of zeros, 64 MiB each. */
async function slowLayer(members: number): Promise<Buffer> {
  const zeros = gzipSync(Buffer.alloc(64 << 20))
  const size = members * (64 << 20)
  const header = (await tar({ zeros: '' })).subarray(0, 512)
  header.write(`${size.toString(8).padStart(11, '0')} `, 124, 'latin1')
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const end = gzipSync(Buffer.alloc(1024))
  return Buffer.concat([gzipSync(header), ...Array.from({ length: members }, () => zeros), end])
}

test('a bar while a layer comes in, gone when it is done', options, async () => {
  const bytes = gzipSync(await tar({ a: noise(2_000_000) }))
  const half = bytes.length >> 1
  const session = await onTerminal(['ztoc', '-'], { columns: 100 })
  session.stdin.write(bytes.subarray(0, half))
  await session.shows(/stdin .* \d\.\d MB +/)
  session.stdin.write(bytes.subarray(half))
  assert.equal(await session.ended(), 0)
  const last = session.screen().split(`${ESCAPE}[0J`).at(-1)!
  assert.match(last, new RegExp(`^${digestOf(bytes).slice(7, 19)}  indexed  .*\\r\\nsha256:[0-9a-f]{64}\\r\\n$`))
})

test('an image: bars for layers in work, then the summary', options, async (t) => {
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  await layout.add('app', [{ a: noise(200_000) }, { b: noise(100_000) }])
  const session = await onTerminal(['convert', 'oci:image:app', '--min-layer-size', '0'], { cwd: folder })
  assert.equal(await session.ended(), 0)
  assert.match(session.screen(), /2 layers indexed; 300\.\d kB read in \d+\.\d s.*\r\noci:image:app-soci@sha256:/)
})

test('colours on a terminal, but not with NO_COLOR', options, async () => {
  const coloured = await onTerminal(['inspect', 'oci:/no/such/layout'])
  assert.equal(await coloured.ended(), 1)
  assert.ok(coloured.screen().startsWith(`${ESCAPE}[31merror:${ESCAPE}[39m `), coloured.screen())
  const plain = await onTerminal(['inspect', 'oci:/no/such/layout'], { env: { NO_COLOR: '1' } })
  await plain.ended()
  assert.ok(plain.screen().startsWith('error: '), plain.screen())
  const piped = await run(['inspect', 'oci:/no/such/layout'], { env: { TERM: 'xterm-256color' } })
  assert.ok(!piped.err.includes(ESCAPE))
})

test('no bars on a terminal that cannot move its cursor, nor in CI', options, async (t) => {
  const layer = join(await temporaryFolder(t), 'layer.tar.gz')
  await writeFile(layer, await slowLayer(4))
  const environments: Record<string, string>[] = [{ TERM: 'dumb' }, { CI: 'true', NO_COLOR: '1' }]
  for (const env of environments) {
    const session = await onTerminal(['ztoc', layer], { env })
    assert.equal(await session.ended(), 0)
    assert.ok(!session.screen().includes(ESCAPE), session.screen())
  }
})

test('a layer cannot be typed in', options, async () => {
  const session = await onTerminal(['ztoc', '-'], { typed: true })
  assert.equal(await session.ended(), 2)
  assert.match(session.screen(), /standard input is a terminal/)
})

test('an image cannot be typed in', options, async () => {
  for (const args of [
    ['inspect', '-'],
    ['convert', '-', 'oci:out:app'],
  ]) {
    const session = await onTerminal(args, { typed: true })
    assert.equal(await session.ended(), 2)
    assert.match(session.screen(), /standard input is a terminal: pipe an archive or a layer in/)
  }
})

test('control characters of an image do not reach a terminal', options, async (t) => {
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  await layout.add('app', [{ [`evil${ESCAPE}[2J`]: 'x' }])
  await run(['convert', 'oci:image:app', '--min-layer-size', '0'], { cwd: folder })
  const session = await onTerminal(['ls', 'oci:image:app-soci', '-p', 'linux/amd64'], { cwd: folder })
  assert.equal(await session.ended(), 0)
  assert.equal(session.screen(), '"evil\\033[2J"\r\n')
  const piped = await run(['ls', 'oci:image:app-soci', '-p', 'linux/amd64'], { cwd: folder })
  assert.equal(piped.out, '"evil\\033[2J"\n')
  const read = await run(['cat', 'oci:image:app-soci', '"evil\\033[2J"', '-p', 'linux/amd64'], { cwd: folder })
  assert.equal(read.out, 'x', read.err)
})

test('Ctrl-C while a layer is indexed: gone at once, nothing half-made', options, async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'layer.tar.gz'), await slowLayer(500))
  const session = await onTerminal(['ztoc', 'layer.tar.gz', '-o', 'made.ztoc'], { cwd: folder })
  await session.shows(/layer\.tar\.gz .*%/)
  const interrupted = performance.now()
  session.kill('SIGINT')
  assert.equal(await session.ended(), -SIGINT)
  assert.ok(performance.now() - interrupted < 5000, 'it should take less than a second on an idle machine')
  assert.match(session.screen(), /interrupted/)
  assert.deepEqual(await readdir(folder), ['layer.tar.gz'])
})

test('Ctrl-C while an image is converted: the layout is what it was', options, async (t) => {
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  await layout.add('app', [await slowLayer(500)])
  const before = await listing(layout.folder)
  const session = await onTerminal(['convert', 'oci:image:app', '--min-layer-size', '0'], { cwd: folder })
  await session.shows(/%/)
  session.kill('SIGINT')
  assert.equal(await session.ended(), -SIGINT)
  assert.deepEqual(await listing(layout.folder), before)
})

test('interrupted twice while an archive is written: not even its beginning is left', async (t) => {
  const registry = await startRegistry(t, 'our own')
  assert.ok(registry)
  const folder = await temporaryFolder(t)
  const layout = await makeLayout(join(folder, 'image'))
  await layout.add('app', [{ a: noise(100_000) }])
  const image = `${registry.host}/app:1`
  await run(['copy', 'oci:image:app', image], { cwd: folder })
  const made = await temporaryFolder(t)
  // The registry sends half of a layer, and no more
  registry.proxy.setFault(({ method, path }) =>
    method === 'GET' && path.includes('/blobs/') ? { kind: 'stall', after: 50_000 } : undefined,
  )
  const child = start(['convert', image, 'oci-archive:app.tar:v', '--min-layer-size', '0'], { cwd: made })
  const ended = finished(child)
  while ((await readdir(made)).length === 0) await Promise.race([setTimeout(20), ended])
  child.kill('SIGINT')
  child.kill('SIGTERM')
  assert.ok(['SIGINT', 'SIGTERM'].includes((await ended).signal ?? ''))
  assert.deepEqual(await readdir(made), [])
})

test('interrupted while waiting for input', async () => {
  const layer = gzipSync(await tar({ a: noise(1_000_000) }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = start(['ztoc', '-'])
    const ended = finished(child)
    child.stdin.on('error', () => {})
    // More than a pipe holds: once it is through, the program is up and reads.
    const through = new Promise((resolve) => child.stdin.write(layer.subarray(0, 900_000), resolve))
    await Promise.race([through, ended])
    child.kill(signal)
    assert.equal((await ended).signal, signal)
  }
})

async function listing(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const index = await readFile(join(folder, 'index.json'), 'utf8')
  return [...names.sort(), index]
}

// What an image may cost: small layers that name much, and a signal in the middle of the work.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pack } from 'tar-stream'
import { LayoutBuilder, OCI_GZIP } from '../support/layout.js'
import { AMD64, NAMED_APP } from '../support/samples.js'
import { gzip } from '../support/tar.js'
import { finished, run, start } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'sociable-cost-'))
after(() => rmSync(folder, { recursive: true }))

/** A layout `oci:NAME:app` with one layer of empty files of these names. */
async function layoutOf(name: string, names: Iterable<string>): Promise<string> {
  const tar = pack()
  const chunks: Buffer[] = []
  const reading = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Buffer)
  })()
  for (const name of names) tar.entry({ name, size: 0 }, '')
  tar.finalize()
  await reading
  const layout = new LayoutBuilder()
  const layer = layout.blob(gzip(Buffer.concat(chunks)), OCI_GZIP)
  layout.top(layout.imageIndex([layout.manifest([layer], AMD64, { platform: AMD64 })], {}, NAMED_APP))
  layout.write(join(folder, name))
  return `oci:${join(folder, name)}:app`
}

const READING = [['ls', '-R'], ['ls', '-lR'], ['inspect'], ['verify'], ['convert']] as const

test('one name of 2,040 folders: every command ends, and what it prints is all that grows', {
  timeout: 120_000,
}, async () => {
  const image = await layoutOf('deep', [`${'a/'.repeat(2040)}f`])
  for (const [command, ...flags] of READING) {
    const platform = command === 'convert' ? [] : ['-p', 'linux/amd64']
    const { status, out, err } = await run([command!, ...flags, image, ...platform], {
      env: { NODE_OPTIONS: '--max-old-space-size=256' },
    })
    assert.equal(status, 0, `${command}: ${err}`)
    if (command === 'ls' && flags[0] === '-R') assert.equal(out.split('\n').length - 1, 2041)
  }
  const found = await run(['cat', image, `${'a/'.repeat(2040)}f`, '-p', 'linux/amd64'])
  assert.deepEqual([found.status, found.out], [0, ''])
})

test('a signal in the middle ends every command', { timeout: 120_000 }, async () => {
  const image = await layoutOf(
    'wide',
    Array.from({ length: 60_000 }, (_, i) => `d${i % 300}/e${i % 7}/file-with-a-name-of-some-length-${i}`),
  )
  for (const [i, args] of [
    ['ls', '-R', image],
    ['ls', '-lR', '--json', image],
    ['extract', image, '/', join(folder, 'out')],
    ['convert', image, '--min-layer-size', '0'],
    ['verify', image, '--deep'],
  ].entries()) {
    for (const delay of [150, 400 + 100 * i]) {
      const child = start(args)
      child.stdin.end()
      const ended = finished(child)
      await sleep(delay)
      child.kill('SIGINT')
      const { status, signal } = await ended
      assert.ok(signal === 'SIGINT' || status === 0, `${args[0]} after ${delay} ms: status ${status}, signal ${signal}`)
      rmSync(join(folder, 'out'), { recursive: true, force: true })
    }
  }
})

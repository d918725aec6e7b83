// What is shown while layers are read whole.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Terminal } from '../../src/cli/terminal.js'
import { reportWholeLayers } from '../../src/cli/whole-layers.js'

const MEGABYTE = 1_000_000
const layer = (letter: string, size: number) => ({ mediaType: '', digest: `sha256:${letter.repeat(64)}`, size })
const [large, small, start] = [layer('a', 40 * MEGABYTE), layer('b', MEGABYTE), layer('c', 20 * MEGABYTE)]

/** A terminal whose output is kept: a screen, or streams as in CI. */
function terminalOf(isScreen: boolean) {
  const texts: string[] = []
  const stream = {
    isTTY: isScreen,
    columns: 100,
    rows: 24,
    hasColors: () => false,
    write: (text: string) => texts.push(text) > 0,
  }
  const io = { stdout: stream, stderr: stream, env: isScreen ? {} : { CI: 'true' } }
  const terminal = new Terminal(io as unknown as NodeJS.Process, new AbortController().signal)
  /** All that was written since the last call. */
  return { terminal, take: () => texts.splice(0).join('') }
}

test('in CI: one warning with the bytes to read, and a line for each layer', () => {
  const { terminal, take } = terminalOf(false)
  const { onWholeLayer, end } = reportWholeLayers(terminal)
  for (const each of [small, large, start])
    for (const bytes of [0, each.size / 2, each.size]) onWholeLayer(each, bytes, [large, small])
  end()
  const [warning, ...lines] = take().trim().split('\n')
  assert.equal(
    warning,
    'warning: 2 layers without a SOCI index: up to 41.0 MB are read whole. To read only what is needed, create an indexed image with `sociable convert`',
  )
  assert.equal(lines.length, 2)
  assert.match(lines[0]!, /^a{12} {2}read {2}40\.0 MB {2}0\.0 s {2}[\d.]+ [A-Z]B\/s$/)
  assert.match(lines[1]!, /^c{12} {2}read {2}20\.0 MB /)
})

test('a start layer alone is read without a warning', () => {
  const { terminal, take } = terminalOf(false)
  const { onWholeLayer } = reportWholeLayers(terminal)
  onWholeLayer(start, 0, [])
  assert.equal(take(), '')
})

test('on a screen: a bar, which ends before output is written to the same screen', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { terminal, take } = terminalOf(true)
  const { onWholeLayer, end } = reportWholeLayers(terminal)
  onWholeLayer(large, 0, [large])
  onWholeLayer(large, large.size / 4, [large])
  take()
  t.mock.timers.tick(100)
  assert.match(take(), /^a{12} {2}.* 25% {6}10\.0 MB\/40\.0 MB .*\n$/)
  void terminal.write('the file')
  assert.equal(take(), '\u001b[1A\u001b[0Jthe file')
  onWholeLayer(large, large.size / 2, [large])
  t.mock.timers.tick(1000)
  end()
  assert.equal(take(), '')
})

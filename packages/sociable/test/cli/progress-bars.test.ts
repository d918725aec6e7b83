import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasUnicode, progressFrame } from '../../src/cli/progress-bars.js'
import { ProgressBoard } from '../../src/cli/progress-board.js'

const digest = (n: number) => `sha256:${n.toString(16).padStart(64, '0').split('').reverse().join('')}`
const screen = { columns: 120, rows: 24, unicode: false }

function boardOf(sizes: readonly number[], started = 0): ProgressBoard {
  const board = new ProgressBoard()
  const layers = sizes.map((size, i) => ({ digest: digest(i + 1), size, platforms: ['linux/amd64'] }))
  board.apply({ type: 'plan', layers, blobs: 5, blobBytes: 1 }, started)
  return board
}

function progress(board: ProgressBoard, n: number, bytes: number, now: number, size = 0): void {
  board.apply({ type: 'progress', digest: digest(n), bytes, size }, now)
}

function finish(board: ProgressBoard, n: number, now: number): void {
  const layer = { digest: digest(n), mediaType: '', size: 0, state: 'indexed' } as const
  board.apply({ type: 'layer', layer }, now)
}

test('nothing is shown before the plan', () => {
  assert.deepEqual(progressFrame(new ProgressBoard(), 1, screen), [])
})

test('a bar has bytes, rate and time left', () => {
  const board = boardOf([80_000_000])
  progress(board, 1, 0, 10)
  progress(board, 1, 20_000_000, 12)
  const bar = `${'#'.repeat(10)}${'.'.repeat(30)}`
  assert.deepEqual(progressFrame(board, 12, screen), [
    `100000000000  ${bar}   25%      20.0 MB/80.0 MB     10.0 MB/s     0:06`,
  ])
})

test('block characters where they can be shown', () => {
  const board = boardOf([100])
  progress(board, 1, 50, 0)
  assert.match(progressFrame(board, 0, { ...screen, unicode: true })[0]!, / █{20}░{20} /)
  assert.equal(hasUnicode('linux', { LANG: 'de_DE.UTF-8' }), true)
  assert.equal(hasUnicode('linux', { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }), false)
  assert.equal(hasUnicode('darwin', {}), true)
})

test('several layers: bars of those in work, and the whole', () => {
  const board = boardOf([100, 200, 300, 400])
  progress(board, 1, 10, 1)
  finish(board, 1, 2)
  progress(board, 2, 50, 3)
  progress(board, 3, 100, 3)
  const lines = progressFrame(board, 4, screen)
  assert.deepEqual(
    lines.map((line) => line.slice(0, 12)),
    ['200000000000', '300000000000', '1 of 4 layer'],
  )
  assert.equal(lines[2], '1 of 4 layers  250 B/1.0 kB  63 B/s  0:12 left')
})

test('after the layers, the blobs', () => {
  const board = boardOf([100, 100])
  finish(board, 1, 1)
  finish(board, 2, 1)
  board.apply({ type: 'blob', digest: digest(1), size: 100, present: false }, 2)
  assert.deepEqual(progressFrame(board, 3, screen), ['writing the image, 1 of 5 blobs'])
})

test('a size that is not known beforehand: no bar, no time left', () => {
  const board = boardOf([0])
  progress(board, 1, 5_000_000, 0)
  assert.deepEqual(progressFrame(board, 1, screen), ['100000000000               5.0 MB      5.0 MB/s'])
})

test('more bytes than the layer was said to have', () => {
  const board = boardOf([100])
  progress(board, 1, 150, 0)
  assert.match(progressFrame(board, 2, screen)[0]!, / {2}#{40} {2}100%/)
})

test('no line is wider and no frame higher than the screen', () => {
  const board = boardOf(Array.from({ length: 50 }, (_, i) => 1e9 + i))
  for (let n = 1; n <= 50; n++) progress(board, n, 123_456_789, n / 10)
  for (const columns of [1, 2, 10, 40, 79, 80, 81, 200])
    for (const rows of [1, 2, 3, 10, 24]) {
      const lines = progressFrame(board, 20, { columns, rows, unicode: true })
      assert.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines on ${rows} rows`)
      for (const line of lines) assert.ok(line.length < columns, `${line.length} columns of ${columns}`)
    }
})

test('events of layers that no plan named change nothing', () => {
  const board = boardOf([100])
  progress(board, 9, 50, 0)
  finish(board, 9, 0)
  assert.deepEqual(board.total, { layers: 1, finished: 0, bytes: 0, size: 100 })
})

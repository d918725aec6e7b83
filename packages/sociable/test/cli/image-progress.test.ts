import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImageProgress } from '../../src/cli/image-progress.js'
import { progressFrame } from '../../src/cli/progress-bars.js'
import { type BoardEvent, ProgressBoard } from '../../src/cli/progress-board.js'
import type { ProgressEvent } from '../../src/progress.js'

test('each image has one bar for all its layers, and the last line counts images', () => {
  const board = new ProgressBoard('image')
  const warnings: string[] = []
  const report = {
    onProgress: (event: BoardEvent) => board.apply(event, 0),
    warn: (message: string) => void warnings.push(message),
    end: () => {},
  }
  const progress = new ImageProgress(report)
  const plan = (sizes: readonly number[]): ProgressEvent => ({
    type: 'plan',
    layers: sizes.map((size, i) => ({ digest: `sha256:${i}`, size, platforms: ['linux/amd64'] })),
    blobs: 1,
    blobBytes: 10,
  })
  progress.apply('Web', plan([60, 40]))
  progress.apply('Worker', plan([200]))
  progress.apply('Tiny', plan([]))
  // The same digests are layers of different images
  for (const [image, digest, bytes] of [
    ['Web', 'sha256:0', 30],
    ['Web', 'sha256:1', 20],
    ['Worker', 'sha256:0', 20],
  ] as const)
    progress.apply(image, { type: 'progress', digest, bytes, size: 0 })
  progress.apply('Web', { type: 'warning', message: 'a warning' })
  const frame = progressFrame(board, 0, { columns: 120, rows: 10, unicode: false })
  assert.equal(frame.length, 3)
  assert.match(frame[0]!, /^Web +#+\.+ +50% +50 B\/100 B/)
  assert.match(frame[1]!, /^Worker +#+\.+ +10% +20 B\/200 B/)
  assert.match(frame[2]!, /^0 of 2 images {2}70 B\/300 B/)
  assert.deepEqual(warnings, ['Web: a warning'])
  progress.end('Web', 1, undefined)
  progress.end('Tiny', 1, 'copied without an index')
  assert.deepEqual([board.active.length, board.total.finished], [1, 1])
})

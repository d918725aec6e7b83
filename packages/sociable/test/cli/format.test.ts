import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatBinarySize,
  formatClock,
  formatCount,
  formatRate,
  formatSeconds,
  formatSize,
  plural,
  shortDigest,
} from '../../src/cli/format.js'
import { printable } from '../../src/printable.js'

test('sizes are decimal, and never show 1000 of a unit', () => {
  const expected: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [27_100_000, '27.1 MB'],
    [2_090_000_000, '2.1 GB'],
    [Number.MAX_SAFE_INTEGER, '9.0 PB'],
  ]
  for (const [bytes, text] of expected) assert.equal(formatSize(bytes), text)
})

test('span sizes are binary', () => {
  assert.equal(formatBinarySize(4 << 20), '4 MiB')
  assert.equal(formatBinarySize(1536), '1.5 KiB')
  assert.equal(formatBinarySize(1), '1 B')
})

test('times, rates and counts', () => {
  assert.equal(formatSeconds(0.04), '0.0 s')
  assert.equal(formatSeconds(59.94), '59.9 s')
  assert.equal(formatSeconds(59.96), '1 min 0 s')
  assert.equal(formatSeconds(125.4), '2 min 5 s')
  assert.equal(formatClock(4.4), '0:04')
  assert.equal(formatClock(3723), '1:02:03')
  assert.equal(formatClock(-1), '0:00')
  assert.equal(formatRate(10_000_000, 2), '5.0 MB/s')
  assert.equal(formatRate(10, 0), '')
  assert.equal(formatCount(1234567), '1,234,567')
  assert.equal(formatCount(321), '321')
  assert.equal(plural(1, 'layer'), '1 layer')
  assert.equal(plural(0, 'layer'), '0 layers')
})

test('digests are cut as docker cuts them, other text is not', () => {
  assert.equal(shortDigest(`sha256:${'ab'.repeat(32)}`), 'abababababab')
  assert.equal(shortDigest('layer.tar.gz'), 'layer.tar.gz')
})

test('control characters and marks that turn the direction cannot reach a terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\n\u0085\u202ec\u007f'), 'a?[2Jb????c?')
  assert.equal(printable('naïve 名前'), 'naïve 名前')
})

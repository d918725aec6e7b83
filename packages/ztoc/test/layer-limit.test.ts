import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkEntries, checkOutput } from '../src/layer/layer-limit.js'

const GIB = 2 ** 30
const refused = (check: () => void): boolean => {
  try {
    check()
    return false
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'LIMIT_EXCEEDED')
    return true
  }
}

test('without a limit: 16 GiB, or 100 times the compressed bytes', () => {
  assert.ok(!refused(() => checkOutput(16 * GIB, 1, undefined)))
  assert.ok(refused(() => checkOutput(16 * GIB + 1, 1, undefined)))
  assert.ok(!refused(() => checkOutput(200 * GIB, 2 * GIB, undefined)))
  assert.ok(refused(() => checkOutput(200 * GIB + 1, 2 * GIB, undefined)))
})

test('a limit of the caller counts alone, whatever the ratio', () => {
  assert.ok(!refused(() => checkOutput(900 * GIB, 1, 900 * GIB)))
  assert.ok(refused(() => checkOutput(11, 10, 10)))
})

test('entries: 128 MiB of a zTOC, or the compressed bytes', () => {
  assert.ok(!refused(() => checkEntries(2 ** 27, 1000, undefined)))
  assert.ok(refused(() => checkEntries(2 ** 27 + 1, 1000, undefined)))
  assert.ok(!refused(() => checkEntries(2 ** 28, 2 ** 28, undefined)))
  assert.ok(!refused(() => checkEntries(2 ** 29, 1000, 5000)))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTime, MAX_TIME_LENGTH } from '../src/ztoc/mod-time.js'
import { Random } from './random.js'

function text(seconds: number, nanoseconds = 0): string {
  const bytes = new Uint8Array(MAX_TIME_LENGTH)
  return Buffer.from(bytes.subarray(0, formatTime(seconds, nanoseconds, bytes))).toString()
}

test('times: fractions without trailing zeros', () => {
  assert.equal(text(1700000000), '2023-11-14T22:13:20Z')
  assert.equal(text(1700000000, 500_000_000), '2023-11-14T22:13:20.5Z')
  assert.equal(text(1700000000, 1), '2023-11-14T22:13:20.000000001Z')
  assert.equal(text(-1, 999_999_990), '1969-12-31T23:59:59.99999999Z')
})

test('times: the years 0 to 9999 and no others', () => {
  assert.equal(text(-62167219200), '0000-01-01T00:00:00Z')
  assert.equal(text(-62167219201, 999_999_999), '')
  assert.equal(text(253402300799, 999_999_999), '9999-12-31T23:59:59.999999999Z')
  assert.equal(text(253402300800), '')
  assert.equal(text(2 ** 63), '')
  assert.equal(text(-(2 ** 63)), '')
})

test('times: every day that Date knows differently would show', () => {
  const random = new Random(1)
  for (let day = -719528; day < 2932897; day += 1 + random.below(40)) {
    const seconds = day * 86400 + random.below(86400)
    assert.equal(text(seconds), new Date(seconds * 1000).toISOString().replace('.000Z', 'Z').replace(/^\+0/, ''))
  }
})

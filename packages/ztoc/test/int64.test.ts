import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBits, highBits, type Int64, int64, lowBits, parseInt64 } from '../src/tar/int64.js'

const EDGES = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 32n - 1n,
  -(2n ** 32n),
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  10n ** 15n,
  10n ** 15n - 1n,
  -(10n ** 18n),
]

const parse = (text: string): Int64 => {
  const bytes = Buffer.from(`x${text}x`)
  return parseInt64(bytes, 1, bytes.length - 1)
}

test('64-bit integers: exact through bits and text, bigints only where needed', () => {
  for (const edge of EDGES) {
    const value = int64(edge)
    assert.equal(typeof value === 'number', Number.isSafeInteger(Number(edge)))
    assert.equal(fromBits(lowBits(value), highBits(value)), value)
    assert.equal(parse(String(edge)), value)
    assert.equal(parse(`${edge < 0n ? '-' : '+'}000${String(edge).replace('-', '')}`), value)
  }
  assert.ok(Object.is(parse('-0'), 0))
})

test('64-bit integers: what strconv.ParseInt refuses', () => {
  for (const text of [
    '',
    '+',
    '-',
    ' 1',
    '1 ',
    '0x1',
    '1e3',
    '1_0',
    '--1',
    '1.0',
    '9223372036854775808',
    '-9223372036854775809',
    '9'.repeat(100_000),
  ]) {
    assert.ok(Number.isNaN(parse(text)), text)
  }
})

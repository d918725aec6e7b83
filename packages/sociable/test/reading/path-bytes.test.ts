import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparePaths, decodePath, encodePath, isRaw } from '../../src/reading/path-bytes.js'

test('every sequence of bytes has a text of its own, and comes back from it', () => {
  const seen = new Map<string, string>()
  const all = Array.from({ length: 256 }, (_, i) => i)
  for (const first of all)
    for (const second of all)
      for (const bytes of [Buffer.of(first, second), Buffer.of(0x61, first, second, 0x62)]) {
        const text = decodePath(bytes)
        assert.deepEqual(encodePath(text), bytes, bytes.toString('hex'))
        assert.equal(seen.get(text), undefined, `${bytes.toString('hex')} and ${seen.get(text)}`)
        seen.set(text, bytes.toString('hex'))
      }
})

test('UTF-8 stays what it is, what only looks like it does not', () => {
  for (const text of ['a/b', 'é', '日本', '🎉', '\ufffd', '\u0000', '\ufeffx']) {
    assert.equal(decodePath(Buffer.from(text)), text)
    assert.equal(isRaw(text), false)
  }
  for (const hex of ['c080', 'eda080', 'edb2bf', 'f4908080', 'c3', 'e282', '80', 'fe', 'f0809fae']) {
    const bytes = Buffer.from(hex, 'hex')
    const text = decodePath(bytes)
    assert.equal(isRaw(text), true, hex)
    assert.deepEqual(encodePath(text), bytes, hex)
  }
})

test('paths are ordered by their bytes', () => {
  const bytes = ['00', '61', 'c3a9', 'e697a5', 'ed', 'efbfbd', 'f09f8e89', 'fe'].map((hex) => Buffer.from(hex, 'hex'))
  const texts = bytes.map(decodePath)
  assert.deepEqual([...texts].reverse().sort(comparePaths), texts)
})

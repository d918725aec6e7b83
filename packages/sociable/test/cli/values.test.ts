import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkPlatform,
  parseCount,
  parseOptimizations,
  parsePaths,
  parsePlatforms,
  parsePositiveSize,
  parseSize,
  parseText,
} from '../../src/cli/values.js'

test('sizes', () => {
  const expected: [string, number][] = [
    ['0', 0],
    ['4194304', 4194304],
    ['4MiB', 4 << 20],
    ['4mib', 4 << 20],
    ['4 MiB', 4 << 20],
    ['4M', 4 << 20],
    ['4MB', 4_000_000],
    ['512KB', 512_000],
    ['512k', 512 << 10],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['1TiB', 2 ** 40],
    ['100B', 100],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ]
  for (const [text, bytes] of expected) assert.equal(parseSize(text), bytes, text)
})

test('sizes that are none', () => {
  for (const text of ['', 'x', '-1', '4MX', '1e6', '0x10', '4 M i B', 'MiB', '٤', '1,000', 'NaN', 'Infinity'])
    assert.throws(() => parseSize(text), /Write bytes or a size such as 4194304, 4MiB/, text)
  assert.throws(() => parseSize('0.3'), /0\.3 bytes, which is not a whole number/)
  assert.throws(() => parseSize('9007199254740992'), /over the limit of 9007199254740991/)
  assert.throws(() => parseSize('99999TiB'), /over the limit/)
  assert.throws(() => parsePositiveSize('0'), /at least 1 byte/)
})

test('counts', () => {
  assert.equal(parseCount('16'), 16)
  for (const text of ['0', '-1', '1.5', '', 'two', '9007199254740993'])
    assert.throws(() => parseCount(text), /whole number of at least 1/, text)
})

test('platforms come one by one or between commas', () => {
  assert.deepEqual(parsePlatforms('linux/arm64', ['linux/amd64']), ['linux/amd64', 'linux/arm64'])
  assert.deepEqual(parsePlatforms('linux/amd64, linux/arm/v7'), ['linux/amd64', 'linux/arm/v7'])
  assert.equal(checkPlatform('windows(10.0.17763+win32k)/amd64'), 'windows(10.0.17763+win32k)/amd64')
  for (const text of ['', ',', 'linux', 'linux/', 'linux/a/b/c', 'linux/amd64,'])
    assert.throws(() => parsePlatforms(text), /linux\/arm64|empty item/, text)
  assert.throws(() => checkPlatform('linux/amd64,linux/arm64'), /os\/architecture/)
})

test('optimizations', () => {
  assert.deepEqual(parseOptimizations('xattr', ['xattr']), ['xattr'])
  assert.throws(() => parseOptimizations('xattr,speed'), /The one there is: xattr/)
})

test('paths keep their commas and spaces', () => {
  assert.deepEqual(parsePaths('/a,b c', ['/x']), ['/x', '/a,b c'])
  assert.deepEqual(parsePaths('/a\n/b\n'), ['/a', '/b'])
  assert.throws(() => parsePaths(' '), /Write a path/)
})

test('text must say something', () => {
  assert.equal(parseText(' a '), ' a ')
  assert.throws(() => parseText(' '), /must not be empty/)
})

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { LayerFormatError } from '@sociable/ztoc'
import { describeFailure, UsageError } from '../../src/cli/failure.js'
import { ImageError } from '../../src/error.js'

test('what was given is wrong: its message, and what the causes add', () => {
  const cause = new LayerFormatError('GZIP_TRUNCATED', 'gzip stream ends at 100, within a member')
  const error = new ImageError('NOT_AN_IMAGE', 'oci:./image: layer sha256:12 cannot be indexed', { cause })
  const { status, code, lines, stack } = describeFailure(error)
  assert.deepEqual([status, code], [1, 'NOT_AN_IMAGE'])
  assert.deepEqual(lines, [error.message, cause.message])
  assert.match(stack!, /failure\.test\.js[\s\S]*caused by: LayerFormatError/)
})

test('a cause that the message quotes is not said again', () => {
  const cause = new Error('no space')
  assert.deepEqual(describeFailure(new ImageError('NOT_AN_IMAGE', 'x: no space', { cause })).lines, ['x: no space'])
})

test('never more than three lines: the message, then what its causes add', () => {
  const chain = ['four', 'three', 'two'].reduce<Error | undefined>(
    (cause, text) => new Error(text, { cause }),
    undefined,
  )
  assert.deepEqual(describeFailure(new ImageError('NOT_AN_IMAGE', 'one', { cause: chain })).lines, [
    'one',
    'two',
    'three',
  ])
  assert.equal(describeFailure(new TypeError('1', { cause: chain })).lines.length, 3)
})

test('what looks like the end of a line in a message starts none', () => {
  const cause = new Error('c\nd')
  assert.deepEqual(describeFailure(new ImageError('NOT_AN_IMAGE', 'a\nb', { cause })).lines, ['a\nb', 'c\nd'])
  assert.match(describeFailure(new TypeError('a\n    at forged')).stack!, /^TypeError: a\? {4}at forged\n/)
})

test('wrong usage', () => {
  const { status, code } = describeFailure(new UsageError('x'))
  assert.deepEqual([status, code], [2, 'USAGE'])
})

test('a fault of ours says so', () => {
  const { status, code, lines } = describeFailure(new TypeError('x is not a function'))
  assert.deepEqual([status, code], [1, 'INTERNAL'])
  assert.match(lines.join('\n'), /x is not a function\nThis is a fault in sociable/)
  assert.deepEqual(describeFailure('text').lines, ['text'])
  assert.deepEqual(describeFailure(new Error('')).lines[0], 'Error')
})

test('errors of the system, in words', async () => {
  const missing = await readFile('/no/such/file').catch((error: unknown) => error)
  const { status, code, lines } = describeFailure(missing)
  assert.deepEqual([status, code, lines], [1, 'ENOENT', ['/no/such/file: no such file or folder']])
})

test('causes that go round in a circle end', () => {
  const error = new ImageError('NOT_AN_IMAGE', 'round')
  error.cause = error
  assert.deepEqual(describeFailure(error).lines, ['round'])
})

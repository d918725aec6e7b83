import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameProblem } from '../../src/reading/file-name.js'

const RESERVED = /reserved for a device on Windows/
const INVALID = /does not allow its name/

for (const [name, problem] of [
  ['con', RESERVED],
  ['NUL.txt', RESERVED],
  ['Com1', RESERVED],
  ['com\u00b9.log', RESERVED],
  ['LPT9.tar.gz', RESERVED],
  ['CONIN$', RESERVED],
  ['aux.', RESERVED],
  ['a:b', INVALID],
  ['back\\slash', INVALID],
  ['what?', INVALID],
  ['tab\t', INVALID],
  ['dot.', INVALID],
  ['space ', INVALID],
  ['x'.repeat(256), /too long/],
] as const)
  test(`Windows cannot have ${JSON.stringify(name.slice(0, 20))}, Linux can`, () => {
    assert.match(nameProblem(name, false, 'win32') ?? '', problem)
    assert.equal(nameProblem(name, false, 'linux'), undefined)
  })

test('names that look like those of devices, and long ones that fit', () => {
  for (const name of ['console', 'com', 'com10', 'lpt', 'nul1', 'null', 'auxiliary', '.con', '...x', 'x'.repeat(255)])
    assert.equal(nameProblem(name, false, 'win32'), undefined, name)
})

test('bytes that are not UTF-8 are for systems whose names are bytes; NUL is for none', () => {
  assert.match(nameProblem('raw', true, 'win32') ?? '', INVALID)
  assert.equal(nameProblem('raw', true, 'linux'), undefined)
  for (const platform of ['win32', 'linux', 'darwin'] as const)
    assert.match(nameProblem('a\0', false, platform) ?? '', INVALID)
})

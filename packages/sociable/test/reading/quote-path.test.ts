import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPrintable } from '../../src/printable.js'
import { decodePath } from '../../src/reading/path-bytes.js'
import { quotePath, unquotePath } from '../../src/reading/quote-path.js'

for (const [path, quoted] of [
  ['etc/os-release', 'etc/os-release'],
  ['a b', 'a b'],
  ['système', 'système'],
  ['back\\slash', 'back\\slash'],
  ['mid"quote', 'mid"quote'],
  ['"quoted"', '"\\"quoted\\""'],
  ['new\nline', '"new\\nline"'],
  ['tab\tand\\slash', '"tab\\tand\\\\slash"'],
  ['\u001b[31mred', '"\\033[31mred"'],
  ['\u009b31m', '"\\302\\23331m"'],
  ['txt.\u202egpj', '"txt.\\342\\200\\256gpj"'],
  ['::error::x', '"::error::x"'],
  [decodePath(Buffer.from('caf\xe9', 'latin1')), '"caf\\351"'],
] as const)
  test(`the name ${JSON.stringify(path)} is printed as ${quoted}, and comes back`, () => {
    assert.equal(quotePath(path), quoted)
    assert.ok(isPrintable(quotePath(path)))
    if (quoted.startsWith('"')) assert.equal(unquotePath(quoted), path)
  })

test('every byte comes back', () => {
  for (let byte = 1; byte < 256; byte++) {
    const path = decodePath(Buffer.of(0x61, byte, 0x0a))
    assert.equal(unquotePath(quotePath(path)), path)
  }
})

test('what is not a quoted name is not unquoted', () => {
  for (const text of ['a', '"', '"a', 'a"', '"a"b"', '"\\"', '"\\x41"', '"\\400"', '"\\8"'])
    assert.equal(unquotePath(text), undefined, text)
})

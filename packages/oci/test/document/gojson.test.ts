import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { foldName, isJsonObject, type JsonValue, member, parseJson, printJson } from '../../src/document/gojson.js'
import { checkDocument, decodeIndex, decodeManifest, encodeIndex, encodeManifest } from '../../src/document/manifest.js'
import { compareUtf8, decodeUtf8 } from '../../src/document/utf8.js'
import { ManifestError } from '../../src/error.js'

interface Vector {
  readonly kind: string
  /** Base64. */
  readonly input: string
  /** Base64; absent where Go refused the input. */
  readonly output?: string
}

// Made by vectors/generate/main.go.
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../../test/vectors/gojson.json', import.meta.url), 'utf8'),
)

/** As Go's maps print: of members of one name the last, in the order of the names' bytes. */
function asGoMaps(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(asGoMaps)
  if (!isJsonObject(value)) return value
  const map = new Map(value.members.map(([name, item]) => [name, asGoMaps(item)]))
  return { members: [...map].sort(([a], [b]) => compareUtf8(a, b)) }
}

function convert(kind: string, input: Uint8Array): Uint8Array {
  if (kind === 'value') return printJson(asGoMaps(parseJson(input, 'it')))
  if (kind === 'manifest') return encodeManifest(decodeManifest(input, 'it'))
  if (kind === 'index') return encodeIndex(decodeIndex(input, 'it'))
  const mediaType = kind.slice('document '.length)
  checkDocument(input, mediaType, 'it')
  if (/manifest\.v[12]\+json$/.test(mediaType)) decodeManifest(input, 'it')
  else decodeIndex(input, 'it')
  return new Uint8Array()
}

for (const kind of ['value', 'manifest', 'index', 'document'])
  test(`what Go makes of ${kind}s`, () => {
    const some = vectors.filter((vector) => vector.kind.split(' ')[0] === kind)
    assert.ok(some.length > 50)
    for (const vector of some) {
      const input = Buffer.from(vector.input, 'base64')
      let output: string | undefined
      try {
        output = Buffer.from(convert(vector.kind, input)).toString()
      } catch (error) {
        assert.ok(error instanceof ManifestError, `${vector.kind} ${input}: ${error}`)
      }
      const expected = vector.output === undefined ? undefined : Buffer.from(vector.output, 'base64').toString()
      assert.equal(output, expected, `${vector.kind} ${input.toString('latin1')}`)
    }
  })

test('nesting costs no stack: 10,000 deep is read and printed, 10,001 refused', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const text = `${open.repeat(9999)}[]${close.repeat(9999)}`
    assert.equal(Buffer.from(printJson(parseJson(Buffer.from(text), 'it'))).toString(), text)
    assert.throws(() => parseJson(Buffer.from(`${open}${text}${close}`), 'it'), {
      code: 'JSON_INVALID',
      message: /deeper than 10000/,
    })
    assert.throws(() => parseJson(Buffer.from(open.repeat(5_000_000)), 'it'), { code: 'JSON_INVALID' })
  }
})

test('errors say what, where, and of how much', () => {
  const message = (text: string) => {
    try {
      parseJson(Buffer.from(text), 'index.json of oci:x')
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.equal(
    message('{"a":tru}'),
    'index.json of oci:x is not valid JSON: unexpected "t" where a value should be, at character 5 of 9',
  )
  assert.match(message('[1,2'), /it ends in an array, at character 4 of 4/)
  assert.throws(() => decodeManifest(Buffer.from('{"layers":[{},{"size":"5"}]}'), 'sha256:1'), {
    code: 'MANIFEST_INVALID',
    message: 'sha256:1 is malformed: layers[1].size is "5", not an integer',
  })
})

test('numbers keep their characters, safe integers are numbers', () => {
  const text = '[9007199254740991,9007199254740992,-0,1.0,1e3]'
  const value = parseJson(Buffer.from(text), 'it') as readonly JsonValue[]
  assert.deepEqual(value[0], 9007199254740991)
  assert.deepEqual(value[1], { literal: '9007199254740992' })
  assert.equal(Buffer.from(printJson(value)).toString(), text)
})

test('members keep their order, whatever they are called', () => {
  const text = '{"b":1,"2":2,"1":3,"__proto__":{"x":1},"b":4}'
  const value = parseJson(Buffer.from(text), 'it')
  assert.ok(isJsonObject(value))
  assert.equal(member(value, 'b'), 4)
  assert.equal(member(value, 'x'), undefined)
  assert.equal(Buffer.from(printJson(value)).toString(), text)
})

test('names match as Go folds them', () => {
  assert.equal(foldName('\u017fIze'), foldName('size'))
  assert.equal(foldName('lin\u212as'), foldName('LINKS')) // a Kelvin sign
  assert.notEqual(foldName('sıze'), foldName('size'))
})

test('sizes beyond 2^53 stay exact until they are changed', () => {
  const text =
    '{"schemaVersion":9007199254740993,"config":{"mediaType":"","digest":"","size":9007199254740993},"layers":null}'
  const manifest = decodeManifest(Buffer.from(text), 'it')
  assert.equal(manifest.schemaVersion, 9007199254740993n)
  assert.equal(manifest.config.size, 9007199254740992)
  assert.equal(Buffer.from(encodeManifest(manifest)).toString(), text)
  const changed = encodeManifest({ ...manifest, config: { ...manifest.config, size: 7 } })
  assert.match(Buffer.from(changed).toString(), /"size":7}/)
})

test('an index of 100,000 descriptors', () => {
  const entry = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:${'0'.repeat(64)}","size":1,"annotations":{"a":"b"},"platform":{"architecture":"amd64","os":"linux"}}`
  const text = `{"schemaVersion":2,"manifests":[${Array(100_000).fill(entry).join(',')}]}`
  const index = decodeIndex(Buffer.from(text), 'it')
  assert.equal(index.manifests?.length, 100_000)
  assert.equal(Buffer.from(encodeIndex(index)).toString(), text)
})

test('a document of tiny values ends before the memory does', () => {
  for (const item of ['[]', '{}', '0', '{"":[0]}'])
    assert.throws(() => parseJson(Buffer.from(`[${Array(3_000_000).fill(item).join(',')}]`), 'it'), {
      code: 'JSON_INVALID',
      message: /more than 2097152 values/,
    })
})

test('a string of millions of escapes is not built piece by piece', () => {
  assert.equal((parseJson(Buffer.from(`"${'\\n'.repeat(10_000_000)}"`), 'it') as string).length, 10_000_000)
  assert.throws(() => parseJson(Buffer.from(`"${'\\"'.repeat(10_000_000)}`), 'it'), { message: /it ends in a string/ })
})

test('broken UTF-8 gives a U+FFFD per byte', () => {
  assert.equal(decodeUtf8(Buffer.from('e28261ff', 'hex')), '\ufffd\ufffda\ufffd')
  assert.equal(decodeUtf8(Buffer.from('efbbbf41', 'hex')), '\ufeffA')
})

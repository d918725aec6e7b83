import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addLayerToConfig, CREATED_BY, removeLayerFromConfig } from '../../src/image/config-edit.js'

const DIFF_ID = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`
const bytes = (text: string): Uint8Array => Buffer.from(text)

const ROUND_TRIPS: Readonly<Record<string, string>> = {
  'as builders write it': `{"architecture":"amd64","config":{"Cmd":["\\u003capp\\u003e"]},"history":[{"created_by":"x"}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${OTHER}"]}}`,
  'indented, with members that nobody knows': `{\n  "moby.x": {"rootfs": [1, {"diff_ids": []}]},\n  "rootfs": {\n    "diff_ids": [\n      "${OTHER}"\n    ],\n    "type": "layers"\n  },\n  "history": [\n    { "comment": "a ] } \\" , b" }\n  ]\n}\n`,
  'without a history': `{"rootfs":{"diff_ids":["${OTHER}"]}}`,
  'a null history, numbers and names that are not ASCII': `{"history":null,"n":-1.5e3,"t":true,"caf\u00e9":"\u2028","rootfs":{"diff_ids" : [ "${OTHER}" ] }}`,
  'a history that is empty': `{"history":[ ],"rootfs":{"diff_ids":["${OTHER}"]}}`,
}

describe('a layer is put into a config and taken out again', () => {
  for (const [name, text] of Object.entries(ROUND_TRIPS))
    test(name, () => {
      const added = addLayerToConfig(bytes(text), DIFF_ID, 1)
      assert.ok(added instanceof Uint8Array, String(added))
      const [before, after] = [JSON.parse(text), JSON.parse(Buffer.from(added).toString())]
      assert.deepEqual(after.rootfs.diff_ids, [OTHER, DIFF_ID])
      if (Array.isArray(before.history)) {
        assert.equal(after.history.length, before.history.length + 1)
        assert.deepEqual(after.history.at(-1), { created: '1970-01-01T00:00:00Z', created_by: CREATED_BY })
      } else assert.deepEqual(after.history, before.history)
      const rest = ({ rootfs: _, history: __, ...others }: Record<string, unknown>) => others
      assert.deepEqual(rest(after), rest(before))
      assert.equal(Buffer.from(removeLayerFromConfig(added, DIFF_ID)!).toString(), text)
      assert.equal(removeLayerFromConfig(added, OTHER), undefined, 'only the layer that is on top')
      assert.equal(removeLayerFromConfig(bytes(text), DIFF_ID), undefined, 'it has none')
    })
})

describe('a config that could be read in two ways, or lists other layers, is left alone', () => {
  const refused: Readonly<Record<string, readonly [text: string, reason: RegExp]>> = {
    'fewer layers than the manifest': ['{"rootfs":{"diff_ids":[]}}', /lists 0 layers, its manifest 1/],
    'no rootfs': ['{}', /no rootfs/],
    'no diff_ids': ['{"rootfs":{}}', /no diff_ids/],
    'rootfs twice': [`{"rootfs":{"diff_ids":["${OTHER}"]},"RootFS":{}}`, /rootfs more than once/],
    'diff_ids in capitals': [`{"rootfs":{"DIFF_IDS":["${OTHER}"]}}`, /diff_ids/],
    'not an object': ['[]', /not an object/],
  }
  for (const [name, [text, reason]] of Object.entries(refused))
    test(name, () => assert.match(String(addLayerToConfig(bytes(text), DIFF_ID, 1)), reason))
})

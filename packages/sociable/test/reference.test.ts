import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { convert, createIndex } from '../src/index.js'
import { IMAGES, type ImageCase } from './support/images.js'
import { LayoutBuilder } from './support/layout.js'
import type { ReferenceResult } from './support/record-reference.js'

const reference: Readonly<Record<string, ReferenceResult>> = JSON.parse(
  readFileSync(new URL('../../test/vectors/reference-images.json', import.meta.url), 'utf8'),
)
const folder = mkdtempSync(join(tmpdir(), 'sociable-reference-'))
after(() => rmSync(folder, { recursive: true }))
const buildTool = 'AWS SOCI CLI v0.2'

let count = 0
function layoutOf({ build }: ImageCase): string {
  const path = join(folder, `image${count++}`)
  const layout = new LayoutBuilder()
  build(layout)
  layout.write(path)
  return path
}

describe("convert makes the reference's image, or refuses it too", () => {
  for (const image of IMAGES)
    test(image.name, async () => {
      const input = layoutOf(image)
      const converting = convert(`oci:${input}`, `oci:${input}-out:v`, { ...image.options, buildTool })
      const { converted } = reference[image.name]!
      if (image.differs !== undefined) assert.notEqual((await converting).digest, converted)
      else if (converted.startsWith('refused'))
        await assert.rejects(converting, { name: /^(Image|Store|LayerFormat)Error$/ })
      else assert.equal((await converting).digest, converted)
    })
})

/** Where v1 differs: the reference gives up as a whole, or names a nested index as its subject. */
const V1_DIFFERS = new Set([
  'an index in an index',
  'a single image asked for another platform',
  'entries whose blobs are missing are dropped, one that is left is unwrapped',
  'entries whose blobs are missing are dropped, two are left',
  'nothing to index for one platform',
  'Windows versions, the newest first', // each version, also those that run on a newer one
])

describe("createIndex makes the reference's v1 indexes", () => {
  for (const image of IMAGES.filter(({ name, differs }) => differs === undefined && !V1_DIFFERS.has(name)))
    test(image.name, async () => {
      const { created } = reference[image.name]!
      if (created === 'refused: not one image') return
      const input = layoutOf(image)
      const creating = createIndex(`oci:${input}`, { ...image.options, buildTool })
      if (typeof created === 'string' || Object.keys(created).length === 0)
        return await assert.rejects(creating, { name: /^(Image|Store|LayerFormat)Error$/ })
      const { images } = await creating
      assert.deepEqual(new Set(images.map(({ index }) => index?.digest)), new Set(Object.values(created)))
    })
})

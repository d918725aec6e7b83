// What a program catches and passes comes from this package alone.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  convert,
  ImageError,
  ImageReferenceError,
  indexOneLayer,
  inspect,
  LayerFormatError,
  openStore,
  type Store,
  StoreError,
} from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { AMD64, layer, NAMED_APP, SMALL } from './support/samples.js'

const folder = new TestFolder()
const image = () =>
  folder.layout((layout) =>
    layout.top(layout.imageIndex([layout.manifest([layer(layout, 'a')], AMD64)], {}, NAMED_APP)),
  )

test('errors can be told apart with the classes that this package exports', async () => {
  await assert.rejects(inspect('oci:'), ImageReferenceError)
  await assert.rejects(inspect(`oci:${image()}:other`), StoreError)
  await assert.rejects(convert(`oci:${image()}:app`, undefined, { platforms: ['linux/s390x'] }), ImageError)
  const broken = `${folder.fresh()}.tar.gz`
  writeFileSync(broken, Buffer.from([0x1f, 0x8b, 8, 0]))
  await assert.rejects(indexOneLayer(broken), LayerFormatError)
})

test('a store that this package opens can be passed to its calls', async () => {
  const store: Store = await openStore(`oci:${image()}`)
  const { digest } = await inspect({ store, reference: 'app' })
  assert.match(digest, /^sha256:[0-9a-f]{64}$/)
  const output = folder.fresh()
  const result = await convert({ store, reference: 'app' }, `oci:${output}:v`, SMALL)
  assert.equal((await inspect(`oci:${output}:v`)).digest, result.digest)
  await store.close()
})

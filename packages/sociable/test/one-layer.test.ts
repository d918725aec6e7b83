import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { decodeZtoc } from '@sociable/ztoc'
import { indexOneLayer } from '../src/index.js'
import { TestFolder } from './support/folder.js'
import { AMD64, layerBytes } from './support/samples.js'
import { tar } from './support/tar.js'

const folder = new TestFolder()
const bytes = layerBytes('a')
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`

test('a file, a stream and a layer of an image give the same zTOC', async () => {
  const file = folder.fresh()
  writeFileSync(file, bytes)
  const progress: (readonly [number, number | undefined])[] = []
  const options = { spanSize: 1000, onProgress: (at: number, size: number | undefined) => progress.push([at, size]) }
  const ofFile = await indexOneLayer(file, options)
  assert.equal(ofFile.layer.digest, digest)
  assert.deepEqual(progress.at(-1), [bytes.length, bytes.length])
  async function* byteByByte() {
    for (const byte of bytes) yield Uint8Array.of(byte)
  }
  assert.equal((await indexOneLayer(byteByByte(), options)).digest, ofFile.digest)
  assert.deepEqual(progress.at(-1), [bytes.length, undefined])
  const layout = folder.layout((layout) => {
    layout.top(
      layout.manifest(
        [
          layout.blob(bytes, 'application/vnd.oci.image.layer.v1.tar+gzip'),
          layout.blob('x', 'application/vnd.oci.image.layer.v1.tar+zstd'),
        ],
        AMD64,
      ),
    )
  })
  assert.equal((await indexOneLayer(`oci:${layout}@${digest}`, options)).digest, ofFile.digest)
  assert.deepEqual(progress.at(-1), [bytes.length, bytes.length])
  const toc = decodeZtoc(Buffer.concat(ofFile.ztoc.pieces))
  assert.deepEqual([toc.spanSize, toc.buildTool, toc.files.length], [1000, 'sociable v1', 2])
})

test('what is not a layer that can be indexed', async () => {
  const layout = folder.layout((layout) => {
    layout.top(
      layout.manifest(
        [
          layout.blob(bytes, 'application/vnd.oci.image.layer.v1.tar'),
          layout.blob('x', 'application/vnd.oci.image.layer.v1.tar+zstd'),
        ],
        AMD64,
      ),
    )
  })
  const zstd = `sha256:${createHash('sha256').update('x').digest('hex')}`
  await assert.rejects(indexOneLayer(`oci:${layout}@${zstd}`), {
    code: 'NOT_AN_IMAGE',
    message: /compressed with zstd/,
  })
  await assert.rejects(indexOneLayer(`oci:${layout}@sha256:${'0'.repeat(64)}`), {
    code: 'NOT_AN_IMAGE',
    message: /has this layer/,
  })
  await assert.rejects(indexOneLayer(`oci:${layout}@${digest}`), {
    name: 'LayerFormatError',
    message: new RegExp(`^oci:.*@${digest}: `),
  })
  await assert.rejects(indexOneLayer(folder.fresh()), { code: 'ENOENT' })
  const text = folder.fresh()
  writeFileSync(text, 'hello')
  await assert.rejects(indexOneLayer(text), { name: 'LayerFormatError', message: new RegExp(`^${text}: `) })
})

test("the reference's zTOC even where a runtime would refuse it", async () => {
  const file = folder.fresh()
  writeFileSync(file, tar([{ name: 'link', type: '2', linkname: 'x', size: 5000 }, { name: 'after' }]))
  const { unloadable, compression } = await indexOneLayer(file)
  assert.match(unloadable!, /the size of "link" reaches/)
  assert.equal(compression, 'uncompressed')
})

// Files of a layer that are written to a file while it is indexed.
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { indexLayer, LayerIndexer } from '../src/index.js'
import { chunks } from './chunks.js'
import { Random } from './random.js'
import { entry, tar } from './tar-build.js'

const folder = mkdtempSync(join(tmpdir(), 'sociable-capture-'))
after(() => rmSync(folder, { recursive: true }))
const random = new Random(3)
const SIZES = [1, 511, 512, 700_000, 3_000_000, 0, 40_000]
const CONTENTS = SIZES.map((size) => Buffer.from(random.bytes(size)))
const LAYER = gzipSync(
  tar(...CONTENTS.map((content, i) => entry({ name: `usr/lib/x/file-${i}`, size: content.length }, content))),
  { level: 1 },
)
const capture = (fd: number, limit = 1 << 30) => ({
  files: [0, 1, 3, 4, 5, 6].map((i) => ({ path: `/usr/lib/x/file-${i}` })),
  rules: [{ upTo: 1 << 30, share: 0 }],
  limit,
  fd,
})
const indexer = new LayerIndexer({ concurrency: 2 })
after(() => indexer.close())
const ways = [
  ['one thread', indexLayer],
  ['two threads', ((source, options) => indexer.index(source, options)) as typeof indexLayer],
] as const

for (const [way, index] of ways) {
  test(`the files' bytes are in the file, in the tar's order: ${way}`, async () => {
    const path = join(folder, 'whole')
    const fd = openSync(path, 'w')
    const { captured } = await index(chunks(LAYER, 100_001), { capture: capture(fd) })
    closeSync(fd)
    const bytes = readFileSync(path)
    const found = captured.map(({ at, size }) => bytes.subarray(at, at + size))
    assert.deepEqual(
      found.map((content) => content.length),
      [1, 511, 700_000, 3_000_000, 40_000],
    )
    assert.ok([0, 1, 3, 4, 6].every((i, at) => CONTENTS[i]!.equals(found[at]!)))
    assert.equal(bytes.length, 3_740_512)
  })

  test(`what does not fit into the limit is left out: ${way}`, async () => {
    const fd = openSync(join(folder, 'limited'), 'w')
    const { captured } = await index(chunks(LAYER, 100_001), { capture: capture(fd, 750_000) })
    closeSync(fd)
    assert.deepEqual(
      captured.map(({ size }) => size),
      [1, 511, 700_000, 40_000],
    )
  })

  test(`a file that cannot be written: nothing is kept, and the zTOC is the same: ${way}`, async () => {
    const path = join(folder, 'read-only')
    writeFileSync(path, '')
    const fd = openSync(path, 'r')
    const { captured, digest } = await index(chunks(LAYER, 100_001), { capture: capture(fd) })
    closeSync(fd)
    assert.deepEqual(captured, [])
    assert.equal(digest, (await index(chunks(LAYER, 100_001))).digest)
  })
}

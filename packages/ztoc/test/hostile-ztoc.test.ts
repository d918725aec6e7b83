// zTOCs come from whoever may push: whatever is in one, reading ends with a file's bytes, a FileError, or a ZtocFormatError.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FileError, ZtocFormatError } from '../src/error.js'
import { fileRange, readFile, readRange } from '../src/read/read-file.js'
import { decodeZtoc } from '../src/ztoc/ztoc-decode.js'
import { COMPRESSIONS, ztocOf } from './layers.js'
import { Random } from './random.js'
import { entry, pax, tar } from './tar-build.js'

const random = new Random(11)
const TAR = tar(
  entry({ name: 'a' }, random.bytes(3000)),
  entry({ name: 'hard', type: '1', linkname: 'a' }),
  pax([['SCHILY.xattr.user.x', 'y']]),
  entry({ name: 'b' }, random.bytes(9000)),
  entry({ name: 'empty' }, ''),
)
const LAYERS = [
  ['gzip', COMPRESSIONS['many small members']!(TAR)],
  ['gzip', COMPRESSIONS['blocks that end within a byte']!(TAR)],
  ['uncompressed', TAR],
] as const
const SPECIAL = [0n, 1n, -1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]

/** Ranges as a store takes them. */
const fetcher = (layer: Uint8Array) =>
  async function* (start: number, end: number) {
    assert.ok(Number.isSafeInteger(start) && Number.isSafeInteger(end), `[${start}, ${end})`)
    assert.ok(start >= 0 && start <= end && end <= layer.length, `[${start}, ${end}) of ${layer.length}`)
    yield layer.subarray(start, end)
  }

async function readAll(ztoc: Uint8Array, layer: Uint8Array): Promise<number> {
  let refused = 0
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ZtocFormatError || error instanceof FileError)) throw error
      refused++
    }
  }
  await attempt(async () => {
    const toc = decodeZtoc(ztoc)
    if (toc.compressedSize !== layer.length) return // refused by whoever has the layer's descriptor
    for (const file of toc.files) {
      await attempt(async () => {
        const { start, end } = fileRange(toc, file)
        for await (const bytes of readRange(toc, start, end, fetcher(layer))) void bytes.length
      })
      await attempt(async () => {
        for await (const bytes of readFile(toc, file, fetcher(layer))) void bytes.length
      })
    }
  })
  return refused
}

for (const [compression, layer] of LAYERS) {
  test(`numbers anywhere in a zTOC are replaced by extreme ones, ${compression}`, async () => {
    const ztoc = await ztocOf(layer, 2000, compression)
    assert.equal(await readAll(ztoc, layer), 0)
    let refused = 0
    // The windows are not looked at before they are used: a few of their bytes stand for all
    const isWindow = (at: number) => ztoc.length > 20_000 && at > 2000 && at < ztoc.length - 4000
    for (let at = 0; at + 8 <= ztoc.length; at += isWindow(at) ? 4999 : 4 * (1 + random.below(15))) {
      const changed = Buffer.from(ztoc)
      const value = SPECIAL[random.below(SPECIAL.length)]!
      if (random.below(2) === 0) changed.writeBigInt64LE(value, at)
      else changed.writeInt32LE(Number(BigInt.asIntN(32, value)), at)
      refused += await readAll(changed, layer)
    }
    assert.ok(refused > 20, `${refused}`)
  })
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { type Compression, indexLayer, LayerFormatError, LayerIndexer } from '../src/index.js'
import { chunks, oddChunks } from './chunks.js'

// Golden vectors: what the reference implementation made of each layer (vectors/README.md tells how they came to be)

interface Vector {
  readonly layer: string
  readonly compression: Compression
  readonly spanSize: number
  readonly buildTool: string
  /** `crashes`: the reference panics, so we refuse. */
  readonly verdict: 'loads' | 'unloadable' | 'refused' | 'crashes'
  readonly digest?: string
  readonly size?: number
  readonly spans?: number
  readonly files?: number
  readonly xattrs?: boolean
}

const folder = new URL('../../test/vectors/', import.meta.url)
const vectors: readonly Vector[] = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'))
const layers = [...new Set(vectors.map(({ layer }) => layer))]

type Outcome = {
  readonly verdict: string
  readonly digest?: string
  readonly size?: number
  readonly spans?: number
  readonly files?: number
  readonly xattrs?: boolean
}

const outcome = async (
  vector: Vector,
  source: AsyncIterable<Uint8Array>,
  index: typeof indexLayer,
): Promise<Outcome> => {
  const { spanSize, buildTool, compression } = vector
  try {
    const {
      digest,
      ztoc,
      spans,
      files,
      hasXattrs: xattrs,
      unloadable,
    } = await index(source, { spanSize, buildTool, compression })
    return { verdict: unloadable === undefined ? 'loads' : 'unloadable', digest, size: ztoc.size, spans, files, xattrs }
  } catch (error) {
    if (error instanceof LayerFormatError || error instanceof RangeError) return { verdict: 'refused' }
    throw error
  }
}

const expected = ({ verdict, digest, size, spans, files, xattrs }: Vector): Outcome =>
  verdict === 'refused' || verdict === 'crashes'
    ? { verdict: 'refused' }
    : { verdict, digest: digest!, size: size!, spans: spans!, files: files!, xattrs: xattrs! }

const indexer = new LayerIndexer({ concurrency: 1 })
after(() => indexer.close())

type Way = readonly [string, (bytes: Uint8Array) => AsyncIterable<Uint8Array>, typeof indexLayer]

const ways: readonly Way[] = [
  ['whole', (bytes) => chunks(bytes, bytes.length || 1), indexLayer],
  ['in odd chunks', oddChunks, indexLayer],
  ['on two threads', oddChunks, (source, options) => indexer.index(source, options)],
  ['on a thread of its own', oddChunks, (source, options) => indexer.index(source, { ...options, threads: 1 })],
]

/** Once for each layer, with its smallest spans: a promise for each byte is slow. */
const byteByByte: Way = ['byte by byte', (bytes) => chunks(bytes, 1), indexLayer]

test('there are vectors', () => assert.ok(vectors.length > 1000))

for (const layer of layers) {
  test(`the reference's zTOC: ${layer}`, async () => {
    const bytes = readFileSync(new URL(layer, folder))
    const ofLayer = vectors.filter((vector) => vector.layer === layer)
    const smallest = ofLayer.reduce((a, b) => (b.spanSize < a.spanSize ? b : a))
    for (const vector of ofLayer) {
      for (const [name, cut, index] of vector === smallest ? [...ways, byteByByte] : ways) {
        const where = `${name}, span size ${vector.spanSize}, build tool ${JSON.stringify(vector.buildTool)}`
        assert.deepEqual(await outcome(vector, cut(bytes), index), expected(vector), where)
      }
    }
  })
}

// `node bench/layer-worker.mjs FILE THREADS BUILD_TOOL`: the whole pipeline of @sociable/ztoc over a layer's file, with one
// thread or two. Prints the zTOC's digest, and the seconds without the start of Node.
import { createReadStream } from 'node:fs'
import { indexLayer, LayerIndexer } from '../packages/ztoc/dist/src/index.js'

const [file, threads, buildTool] = process.argv.slice(2)
const started = performance.now()
const source = createReadStream(file, { highWaterMark: 1 << 20 })
const indexer = threads === '1' ? undefined : new LayerIndexer({ concurrency: 1 })
const { digest } = await (indexer ? indexer.index(source, { buildTool }) : indexLayer(source, { buildTool }))
console.log(JSON.stringify({ digest, seconds: (performance.now() - started) / 1000 }))
await indexer?.close()

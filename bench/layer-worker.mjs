// `node bench/layer-worker.mjs FILE THREADS BUILD_TOOL`: the whole pipeline of @sociable/ztoc over a layer's file, with one
// thread or two. Prints the zTOC's digest.
import { createReadStream } from 'node:fs'
import { indexLayer, LayerIndexer } from '../packages/ztoc/dist/src/index.js'

const [file, threads, buildTool] = process.argv.slice(2)
const source = createReadStream(file, { highWaterMark: 1 << 20 })
if (threads === '1') console.log((await indexLayer(source, { buildTool })).digest)
else {
  const indexer = new LayerIndexer({ concurrency: 1 })
  console.log((await indexer.index(source, { buildTool })).digest)
  await indexer.close()
}

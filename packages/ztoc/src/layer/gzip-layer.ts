import { GzipDecoder } from '../gzip/gzip-decoder.js'
import type { Inflater } from '../inflate/inflater.js'
import type { IndexedLayer } from '../types.js'
import { GzipDigester } from './layer-digester.js'
import type { LayerMemory } from './layer-memory.js'
import { finishLayer, type LayerJob } from './layer-result.js'

/** The whole way of a gzip layer within one thread. */
export class GzipLayer {
  readonly #job: LayerJob
  readonly #digester: GzipDigester
  readonly #decoder: GzipDecoder

  constructor(inflater: Inflater, memory: LayerMemory, job: LayerJob) {
    this.#job = job
    this.#digester = new GzipDigester(inflater.bytes, job)
    this.#decoder = new GzipDecoder(inflater, memory, job, this.#digester)
  }

  /** The layer's next bytes, at [ptr, ptr + length) of the memory. They are used when it returns. */
  push(ptr: number, length: number): void {
    this.#decoder.push(ptr, length)
  }

  /** @throws LayerFormatError where the layer does not end here, or was not the one expected */
  finish(): IndexedLayer {
    this.#decoder.end()
    const { checkpoints } = this.#decoder
    return finishLayer(this.#job, this.#digester.finish(), checkpoints.finish(), checkpoints.count)
  }
}

import type { Compression, IndexedLayer } from '@sociable/ztoc'
import type { CallOptions } from './options.js'

export interface OneLayerOptions extends CallOptions {
  /** @default 4194304 (4 MiB), as the soci CLI */
  readonly spanSize?: number | undefined
  /** @default 'sociable v1' */
  readonly buildTool?: string | undefined
  /** @default told by the layer's first bytes; for a layer of an image, by its media type */
  readonly compression?: Compression | undefined
  /** Compressed bytes read so far, and how many there are where that is known. */
  readonly onProgress?: ((bytes: number, size: number | undefined) => void) | undefined
}

/**
 * The zTOC of one layer, the reference's bytes even where a runtime would refuse them (`unloadable` says so).
 * @param layer a file's path, `IMAGE@sha256:<layer digest>`, or the layer's bytes
 * @example
 * const { digest, ztoc } = await indexOneLayer('layer.tar.gz', { spanSize: 1 << 20 })
 */
export async function indexOneLayer(
  _layer: string | AsyncIterable<Uint8Array>,
  _options: OneLayerOptions = {},
): Promise<IndexedLayer> {
  throw new Error('not built yet')
}

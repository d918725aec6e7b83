import { open } from 'node:fs/promises'
import type { Descriptor } from '@sociable/oci'
import { type Compression, type IndexedLayer, LayerIndexer } from '@sociable/ztoc'
import { ImageError, inContext } from './error.js'
import { readImageTree } from './image-tree.js'
import { layerCompression } from './layer-type.js'
import { openPlace } from './location.js'
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

/** Bytes that are asked of a file at once. */
const READ_SIZE = 1 << 20

/**
 * The zTOC of one layer, the reference's bytes even where a runtime would refuse them (`unloadable` says so).
 * @param layer a file's path, `IMAGE@sha256:<layer digest>` for a layer that the image has (verified), or the layer's bytes
 * @throws LayerFormatError, StoreError; ImageError NOT_AN_IMAGE where the image has no such layer, or it cannot be indexed
 * @example
 * const { digest, ztoc } = await indexOneLayer('layer.tar.gz', { spanSize: 1 << 20 })
 */
export async function indexOneLayer(
  layer: string | AsyncIterable<Uint8Array>,
  options: OneLayerOptions = {},
): Promise<IndexedLayer> {
  if (typeof layer !== 'string') return await indexBytes(layer, options, {})
  const ofImage = /^(?<image>.+)@(?<digest>sha(?:256|512):[0-9a-f]+)$/.exec(layer)?.groups
  try {
    if (ofImage === undefined) return await indexFile(layer, options)
    return await indexLayerOf(ofImage.image!, ofImage.digest!, options)
  } catch (error) {
    throw inContext(error, layer)
  }
}

async function indexFile(path: string, options: OneLayerOptions): Promise<IndexedLayer> {
  // Opened first: a stream would tell that it cannot be opened before anyone listens to it.
  const file = await open(path)
  try {
    const found = await file.stat()
    if (found.isDirectory())
      throw new ImageError('NOT_AN_IMAGE', `a folder is no layer: name a file, or IMAGE@sha256:…`)
    const content = file.createReadStream({ highWaterMark: READ_SIZE, autoClose: false })
    return await indexBytes(content, options, { size: found.isFile() ? found.size : undefined })
  } finally {
    await file.close()
  }
}

async function indexLayerOf(image: string, digest: string, options: OneLayerOptions): Promise<IndexedLayer> {
  const place = await openPlace(image, 'read', options.signal)
  try {
    const { store, reference, name } = place
    const tree = await readImageTree(store, await store.resolve(reference, options), name, options.signal)
    const layers = tree.entries.flatMap(({ kind, manifest }) => (kind === 'image' ? (manifest?.layers ?? []) : []))
    const descriptor = layers.find((candidate) => candidate.digest === digest)
    if (descriptor === undefined) throw new ImageError('NOT_AN_IMAGE', `no image in ${name} has this layer`)
    const compression = options.compression ?? layerCompression(descriptor.mediaType)
    const content = store.fetch(descriptor, { verify: false, signal: options.signal })
    return await indexBytes(content, { ...options, compression }, { size: descriptor.size, expected: descriptor })
  } finally {
    await place.close()
  }
}

async function indexBytes(
  content: AsyncIterable<Uint8Array>,
  { spanSize, buildTool, compression, signal, onProgress }: OneLayerOptions,
  { size, expected }: { readonly size?: number | undefined; readonly expected?: Descriptor },
): Promise<IndexedLayer> {
  const indexer = new LayerIndexer({ concurrency: 1 })
  try {
    return await indexer.index(content, {
      ...(spanSize !== undefined && { spanSize }),
      ...(buildTool !== undefined && { buildTool }),
      ...(compression !== undefined && { compression }),
      ...(expected !== undefined && { expected: { digest: expected.digest, size: expected.size } }),
      ...(onProgress !== undefined && { onProgress: (bytes) => onProgress(bytes, size) }),
      ...(signal !== undefined && { signal }),
    })
  } finally {
    await indexer.close()
  }
}

import { type FileHandle, open } from 'node:fs/promises'
import { type Compression, type IndexedLayer, LayerFormatError, LayerIndexer } from '@sociable/ztoc'
import type { CallOptions, RegistryAccess } from './options.js'

export interface OneLayerOptions extends CallOptions, RegistryAccess {
  /** @default 4194304 (4 MiB), as the soci CLI */
  readonly spanSize?: number | undefined
  /** @default 'sociable v1' */
  readonly buildTool?: string | undefined
  /** @default detected from the layer's first bytes; for a layer of an image, by its media type */
  readonly compression?: Compression | undefined
  /** Bytes that the layer may unpack to. @default 16 GiB, or 100 times the layer's size if that is more */
  readonly layerLimit?: number | undefined
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
  // Images, and errors that name their parts, are loaded when there is one: a layer alone needs none of it, and takes half the time to start.
  try {
    if (ofImage === undefined) return await indexFile(layer, options)
    const { openImageLayer } = await import('./places/image-layer.js')
    const { descriptor, compression, content, close } = await openImageLayer(ofImage.image!, ofImage.digest!, options)
    try {
      return await indexBytes(content, { ...options, compression }, descriptor)
    } finally {
      await close()
    }
  } catch (error) {
    const { inContext } = await import('./error.js')
    throw inContext(error, layer)
  }
}

async function indexFile(path: string, options: OneLayerOptions): Promise<IndexedLayer> {
  // Opened first: a stream would tell that it cannot be opened before anyone listens to it.
  const file = await open(path)
  try {
    const found = await file.stat()
    if (found.isDirectory())
      throw new LayerFormatError('TAR_INVALID', 'a folder is not a layer: name a file, or IMAGE@sha256:…')
    return await indexBytes(readChunks(file), options, { size: found.isFile() ? found.size : undefined })
  } finally {
    await file.close()
  }
}

/** The file's bytes, whole chunks of one buffer used over and over: the indexer is through with a chunk when it asks for the next. */
async function* readChunks(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafe(READ_SIZE)
  while (true) {
    let filled = 0
    while (filled < READ_SIZE) {
      const { bytesRead } = await file.read(buffer, filled, READ_SIZE - filled, null)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    if (filled > 0) yield buffer.subarray(0, filled)
    if (filled < READ_SIZE) return
  }
}

async function indexBytes(
  content: AsyncIterable<Uint8Array>,
  { spanSize, buildTool, compression, layerLimit, signal, onProgress }: OneLayerOptions,
  { digest, size }: { readonly digest?: string; readonly size?: number | undefined },
): Promise<IndexedLayer> {
  const indexer = new LayerIndexer({ concurrency: 1 })
  try {
    const indexed = await indexer.index(content, {
      ...(spanSize !== undefined && { spanSize }),
      ...(buildTool !== undefined && { buildTool }),
      ...(compression !== undefined && { compression }),
      limit: layerLimit,
      ...(digest !== undefined && size !== undefined && { expected: { digest, size } }),
      ...(onProgress !== undefined && { onProgress: (bytes) => onProgress(bytes, size) }),
      ...(signal !== undefined && { signal }),
    })
    if (indexed.layer.size === 0)
      throw new LayerFormatError('TAR_INVALID', 'the input is empty: even an empty tar has 1024 bytes')
    return indexed
  } finally {
    await indexer.close()
  }
}

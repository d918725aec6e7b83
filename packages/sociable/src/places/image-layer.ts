import type { Descriptor } from '@sociable/oci'
import type { Compression } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import { readImageTree } from '../image/image-tree.js'
import { layerCompression } from '../image/layer-type.js'
import type { CallOptions, RegistryAccess } from '../options.js'
import { openOnly } from './location.js'

export interface ImageLayerOptions extends CallOptions, RegistryAccess {
  /** @default by the layer's media type */
  readonly compression?: Compression | undefined
}

/** A layer of an image, open to be read. */
export interface ImageLayer {
  readonly descriptor: Descriptor
  /** As asked for, else as the layer's media type says. */
  readonly compression: Compression
  /** Its bytes, not verified. */
  readonly content: AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** @throws ImageError NOT_AN_IMAGE where the image has no such layer, or it cannot be indexed; StoreError */
export async function openImageLayer(image: string, digest: string, options: ImageLayerOptions): Promise<ImageLayer> {
  const place = await openOnly(image, 'read', options)
  try {
    const { store, reference, name } = place
    const tree = await readImageTree(store, await store.resolve(reference, options), name, options.signal)
    const layers = tree.entries.flatMap(({ kind, manifest }) => (kind === 'image' ? (manifest?.layers ?? []) : []))
    const descriptor = layers.find((candidate) => candidate.digest === digest)
    if (descriptor === undefined)
      throw new ImageError(
        'NOT_AN_IMAGE',
        `no image in ${name} has this layer: \`sociable ztoc ${name}\` lists the layers`,
      )
    return {
      descriptor,
      compression: options.compression ?? layerCompression(descriptor.mediaType),
      content: store.fetch(descriptor, { verify: false, signal: options.signal }),
      close: () => place.close(),
    }
  } catch (error) {
    await place.close()
    throw error
  }
}

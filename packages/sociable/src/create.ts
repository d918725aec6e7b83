import type { CreateOptions, ImageLocation } from './options.js'
import type { CreateResult } from './result.js'

/**
 * Builds a SOCI index (v1) for each platform and puts it beside the image, attached by its `subject`; the image itself stays as it is.
 * @throws ImageError, and with the image and layer named: StoreError, LayerFormatError
 * @example
 * const { images } = await createIndex('oci:./image:app', { platforms: ['linux/amd64'] })
 */
export async function createIndex(_image: ImageLocation, _options: CreateOptions = {}): Promise<CreateResult> {
  throw new Error('not built yet')
}

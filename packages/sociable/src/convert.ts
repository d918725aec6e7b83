import type { ConvertOptions, ImageLocation } from './options.js'
import type { ConvertResult } from './result.js'

/**
 * Makes a SOCI-enabled image (v2) of `source` and names it `destination`: the same layers, each platform's manifest annotated, and the SOCI
 * indexes beside them in one OCI index. Same source and options, same digests. Layers go through once; all that comes from the source is
 * verified; the destination's tag is written last, so a failed or aborted call leaves what had the tag before.
 * @param destination default: the source's tag with `-soci` appended
 * @throws ImageError, and with the image and layer named: StoreError, LayerFormatError
 * @example
 * const { digest, images } = await convert('oci:./image:app', 'oci:./image:app-soci')
 */
export async function convert(
  _source: ImageLocation,
  _destination?: ImageLocation,
  _options: ConvertOptions = {},
): Promise<ConvertResult> {
  throw new Error('not built yet')
}

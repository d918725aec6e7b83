import { type Descriptor, readContent, type Store } from '@sociable/oci'
import { decodeZtoc, type Toc, ZtocFormatError } from '@sociable/ztoc'

/** As large as a zTOC is ever made. */
const MAX_ZTOC_SIZE = 2 ** 30

/**
 * A layer's zTOC, its digest verified.
 * @throws StoreError; ZtocFormatError also where it is of a layer of another size
 */
export async function readZtoc(
  store: Pick<Store, 'name' | 'fetch'>,
  descriptor: Descriptor,
  layer: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Toc> {
  const toc = decodeZtoc(await readContent(store, descriptor, { limit: MAX_ZTOC_SIZE, signal }))
  if (toc.compressedSize !== layer.size)
    throw new ZtocFormatError(
      'ZTOC_INVALID',
      `it is of a layer of ${toc.compressedSize} bytes, this one has ${layer.size}`,
    )
  return toc
}

import type { Descriptor } from './descriptor.js'
import type { CallOptions, Store } from './store.js'

/** The largest manifest, index or config that is read into memory: 32 MiB, some 100,000 descriptors. */
export const DOCUMENT_LIMIT = 32 << 20

/**
 * A small content whole, verified.
 * @throws StoreError, PROTOCOL where its descriptor has more than `limit` bytes
 */
export async function readContent(
  _store: Store,
  _descriptor: Descriptor,
  _options: CallOptions & {
    /** Bytes. @default DOCUMENT_LIMIT */
    readonly limit?: number | undefined
  } = {},
): Promise<Uint8Array> {
  throw new Error('not yet')
}

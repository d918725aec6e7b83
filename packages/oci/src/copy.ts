import type { Descriptor } from './descriptor.js'
import type { CallOptions, Store } from './store.js'

export interface CopyOptions extends CallOptions {
  /** Hash the content; false only where the caller has read and hashed these bytes of the source before. @default true */
  readonly verify?: boolean | undefined
}

/** How a content came to its destination: it was there, it was linked (or copied by the kernel), or its bytes were streamed. */
export type CopyResult = 'present' | 'linked' | 'streamed'

/**
 * Moves a content as it is, the cheapest way that the two stores have: between folders of one file system by a hard link. After it the
 * destination has the content; with `verify` its digest was checked, even where it was there before, if it lies on this machine.
 * @throws StoreError NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH; then the destination does not have it
 */
export async function copyContent(
  _source: Store,
  _descriptor: Descriptor,
  _destination: Store,
  _options: CopyOptions = {},
): Promise<CopyResult> {
  throw new Error('not yet')
}

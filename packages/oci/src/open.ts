import type { ImageReference } from './reference.js'
import type { CallOptions, Store } from './store.js'

export interface OpenOptions extends CallOptions {
  /**
   * `read`: what is there. `write`: a layout is made or added to, an archive is made anew, in place of the one that is there. `update`: as
   * `write`, and an archive keeps what it holds; it may not exist yet. Nothing is made before the first `push`, no archive before `close`.
   * @default 'read'
   */
  readonly mode?: 'read' | 'write' | 'update' | undefined
}

/**
 * Opens the store that a reference is in; which image of it is `referenceWithin(reference)`. To be closed by the caller.
 * @throws ImageReferenceError, StoreError NOT_FOUND, DENIED, PROTOCOL
 * @example
 * const store = await openStore('oci:./image:app')
 * const top = await store.resolve('app')
 */
export async function openStore(_reference: string | ImageReference, _options: OpenOptions = {}): Promise<Store> {
  throw new Error('not yet')
}

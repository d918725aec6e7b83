import type { Descriptor } from './document/descriptor.js'
import type { CallOptions, Store } from './store.js'

export interface CopyOptions extends CallOptions {
  /** Hash the content; false only where the caller has read and hashed these bytes of the source before. @default true */
  readonly verify?: boolean | undefined
}

/**
 * How a content came to its destination: it was there, it was linked (or copied by the kernel), its registry took it over from another repository, or
 * its bytes were streamed.
 */
export type CopyResult = 'present' | 'linked' | 'mounted' | 'streamed'

/**
 * Moves a content as it is, the cheapest way that the two stores have: between folders of one file system by a hard link. After it the
 * destination has the content; with `verify` its digest was checked, even where it was there before, if it lies on this machine.
 * @throws StoreError NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH; then the destination does not have it, unless it had it before
 */
export async function copyContent(
  source: Store,
  descriptor: Descriptor,
  destination: Store,
  { signal, verify = true }: CopyOptions = {},
): Promise<CopyResult> {
  if (await destination.exists(descriptor, { signal })) {
    if (verify && destination.locate !== undefined) await hash(destination, descriptor, signal)
    return 'present'
  }
  if (destination.pushFile !== undefined) {
    const local = await source.locate?.(descriptor, { signal })
    if (local?.offset === 0 && local.size === descriptor.size) {
      if (verify) await hash(source, descriptor, signal)
      if (await destination.pushFile(descriptor, local.path, { signal })) return 'linked'
      verify = false
    }
  }
  if (await destination.mount?.(descriptor, source, { signal })) return 'mounted'
  // The source verifies: its name is the one that the message needs, and once is enough.
  // A content that can be begun again, so that an interrupted upload can be too.
  const content = { [Symbol.asyncIterator]: () => source.fetch(descriptor, { signal, verify })[Symbol.asyncIterator]() }
  await destination.push(descriptor, content, { signal, verify: false })
  return 'streamed'
}

async function hash(store: Store, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<void> {
  for await (const _ of store.fetch(descriptor, { signal }));
}

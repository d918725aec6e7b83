import type { Descriptor } from './descriptor.js'

export type Content = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Where images are: blobs and manifests by digest, names (tags) for some of them. A place that cannot be written refuses `push` and `tag`. */
export interface Store {
  /** For messages: `oci:./image`, never a secret. */
  readonly name: string
  /**
   * The content's bytes [start, end), in order. The whole content (no range) is verified against the descriptor's digest and size: the
   * iteration throws a `StoreError` at its end where they differ. A range is verified for its length only.
   */
  fetch(
    descriptor: Descriptor,
    options?: CallOptions & { readonly start?: number; readonly end?: number },
  ): AsyncIterable<Uint8Array>
  exists(descriptor: Descriptor, options?: CallOptions): Promise<boolean>
  /** Stores the content, verified against the descriptor before it becomes visible. Does nothing where it exists already. */
  push(descriptor: Descriptor, content: Content, options?: CallOptions): Promise<void>
  /** What a tag or digest names; without either, the store's default entry. */
  resolve(reference: string | undefined, options?: CallOptions): Promise<Descriptor>
  /** Names a manifest that was pushed. Replaces what had the name; other names stay. */
  tag(descriptor: Descriptor, reference: string, options?: CallOptions): Promise<void>
  tags(options?: CallOptions): AsyncIterable<string>
  /** Manifests whose `subject` is this one, optionally of one artifact type only. */
  referrers(subject: Descriptor, options?: CallOptions & { readonly artifactType?: string }): AsyncIterable<Descriptor>
  /** Finishes what is pending (an archive gets its index now) and releases files. */
  close(): Promise<void>
}

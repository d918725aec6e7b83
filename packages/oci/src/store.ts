import type { Descriptor } from './document/descriptor.js'

export type Content = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export interface CallOptions {
  /** Ends the call with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface ResolveOptions extends CallOptions {
  /** Whether a NOT_FOUND says what names there are instead, which a registry has to be asked for; false for a caller that can do without. @default true */
  readonly suggest?: boolean | undefined
}

export interface FetchOptions extends CallOptions {
  /** First byte wanted. @default 0 */
  readonly start?: number | undefined
  /** End of the range, exclusive. @default the content's size */
  readonly end?: number | undefined
  /** Hash a whole content while it is read; false for a caller that hashes it anyway (its length is checked all the same). @default true */
  readonly verify?: boolean | undefined
  /** Whether a chunk may be written over once the next one is asked for: fresh memory for each costs more than reading it. @default false */
  readonly reuse?: boolean | undefined
}

export interface PushOptions extends CallOptions {
  /** Hash the content; false for one that throws by itself where it is not what the descriptor says (its length is checked all the same). @default true */
  readonly verify?: boolean | undefined
}

/** Where a content lies on this machine: `size` bytes of the file from `offset` on. The bytes are unverified. */
export interface LocalContent {
  readonly path: string
  readonly offset: number
  readonly size: number
}

/**
 * Where images are: blobs and manifests by digest, names (tags) for some of them. A place that cannot be written refuses `push`, `attach`
 * and `tag` with `DENIED`. All calls may overlap. What a content is, is decided by its descriptor's digest and size.
 */
export interface Store {
  /** For messages: `oci:./image`, never a secret. */
  readonly name: string
  /**
   * The content's bytes [start, end), in order, in chunks of at most 1 MiB that are the caller's to keep, change or transfer (unless `reuse`). The whole content
   * (no range) is verified against the descriptor's digest and size: the iteration throws a `StoreError` at its end where they differ,
   * so nothing may be made of the bytes before. A range is verified for its length only.
   */
  fetch(descriptor: Descriptor, options?: FetchOptions): AsyncIterable<Uint8Array>
  /** Whether a content of that digest and size is there. */
  exists(descriptor: Descriptor, options?: CallOptions): Promise<boolean>
  /** Stores the content, verified against the descriptor before it becomes visible. Does nothing, and reads nothing, where it exists already. */
  push(descriptor: Descriptor, content: Content, options?: PushOptions): Promise<void>
  /** What a tag or digest names; without either, the store's default image. @throws StoreError NOT_FOUND, the names that there are in its message */
  resolve(reference: string | undefined, options?: ResolveOptions): Promise<Descriptor>
  /**
   * Names a manifest that was pushed. Replaces what had the name; other names stay. Without a name it becomes the store's default image, where the store
   * can have one (a registry cannot): it replaces what had none.
   */
  tag(descriptor: Descriptor, reference: string | undefined, options?: CallOptions): Promise<void>
  /**
   * Whether what has this name keeps it for good, so that `tag` would refuse another with TAG_IMMUTABLE. False also where that cannot be asked, or not by
   * this user: then only `tag` shows it. Absent if every name can be moved to another image.
   */
  isImmutable?(reference: string, options?: CallOptions): Promise<boolean>
  /** The names, each once. */
  tags(options?: CallOptions): AsyncIterable<string>
  /** Makes a manifest that was pushed, and has a `subject`, one of that subject's `referrers`. Attaching it again changes nothing. */
  attach(descriptor: Descriptor, options?: CallOptions): Promise<void>
  /** Manifests attached to this one, with the `artifactType` and annotations of their manifest, optionally of one artifact type only. */
  referrers(
    subject: Descriptor,
    options?: CallOptions & { readonly artifactType?: string | undefined },
  ): AsyncIterable<Descriptor>
  /** Where the content lies on this machine, if it does: then it can be linked, or read by a worker. Absent for stores that are elsewhere. */
  locate?(descriptor: Descriptor, options?: CallOptions): Promise<LocalContent | undefined>
  /**
   * Takes a content that is a whole file of this machine, by link or by a copy within the kernel, its size checked and its digest not.
   * False where that cannot be done: then `push` it.
   */
  pushFile?(descriptor: Descriptor, path: string, options?: CallOptions): Promise<boolean>
  /**
   * Takes a content over from another repository of the same registry without its bytes passing by. False where that cannot be done, or `source` is
   * elsewhere: then `push` it.
   */
  mount?(descriptor: Descriptor, source: Store, options?: CallOptions): Promise<boolean>
  /** Bytes of the content of that digest, whatever it is; `undefined` where there is none. Absent where only `exists` can be asked. */
  sizeOf?(digest: string, options?: CallOptions): Promise<number | undefined>
  /** Removes a content, and its names and attachments with it; what it refers to stays. Does nothing where it is not there. */
  delete?(descriptor: Descriptor, options?: CallOptions): Promise<void>
  /** When a manifest was pushed last; undefined where that is not known. Absent where it never is. */
  pushedAt?(descriptor: Descriptor, options?: CallOptions): Promise<Date | undefined>
  /** Takes a name away; what had it stays. @throws StoreError NOT_FOUND */
  untag?(reference: string, options?: CallOptions): Promise<void>
  /**
   * Releases files, and finishes an archive that is being written: it appears under its name now, if something was tagged in it; else
   * nothing is left of it. Further calls do nothing.
   */
  close(): Promise<void>
}

import type { CallOptions, ImageLocation } from './options.js'

export type EntryType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo'

/** A path of the image as its layers' union shows it. */
export interface ImageEntry {
  /** Without a leading slash, cleaned; bytes that are no UTF-8 are shown as U+FFFD. The root is ''. */
  readonly path: string
  readonly type: EntryType
  /** Content bytes; 0 for all but files. */
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** RFC 3339, as the zTOC has it; '' where it cannot be told, or for a directory that no layer lists. */
  readonly modified: string
  /** A symlink's target, as written. */
  readonly target?: string
  /** The layer it comes from; '' for a directory that no layer lists. */
  readonly layer: string
}

/** What has been read from the store so far. */
export interface FetchStatistics {
  /** Bytes and requests for layers' spans, and for zTOCs. */
  readonly bytes: number
  readonly requests: number
  /** zTOCs fetched. */
  readonly ztocs: number
  /** Layers without a zTOC that had to be read whole to know what is in them: their digests. */
  readonly wholeLayers: readonly string[]
  /** Compressed bytes of all the image's layers, for comparison. */
  readonly imageBytes: number
}

/** An image's files, read lazily: zTOCs are fetched when first needed, of the layers only the spans needed, each verified. */
export interface Image {
  readonly name: string
  /** `linux/amd64`. */
  readonly platform: string
  readonly digest: string
  /** What `path` (default: the root) holds, sorted by name bytes; of a file or link, itself. `recursive` adds all below. Symlinks on the way are followed. */
  list(path?: string, options?: CallOptions & { readonly recursive?: boolean }): Promise<readonly ImageEntry[]>
  /** The entry at `path`, its last element not followed. @throws ImageError PATH_NOT_FOUND */
  stat(path: string, options?: CallOptions): Promise<ImageEntry>
  /** A file's bytes; links are followed inside the image. For files of up to 1 GiB. @throws ImageError PATH_NOT_FOUND */
  read(path: string, options?: CallOptions): Promise<Uint8Array>
  /** A file's bytes as they come, of any size. */
  stream(path: string, options?: CallOptions): AsyncIterable<Uint8Array>
  readonly statistics: FetchStatistics
  close(): Promise<void>
}

export interface OpenImageOptions extends CallOptions {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
}

/**
 * Opens an image to read its files.
 * @example
 * const image = await openImage('oci:./image:app-soci', { platform: 'linux/arm64' })
 * const bytes = await image.read('etc/os-release') // one zTOC, one span
 * await image.close()
 */
export async function openImage(_image: ImageLocation, _options: OpenImageOptions = {}): Promise<Image> {
  throw new Error('not built yet')
}

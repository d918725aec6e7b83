import { ImageError } from './error.js'
import { extractFiles } from './extract.js'
import { tarFiles } from './extract-tar.js'
import type { TreeEntry } from './image/image-tree.js'
import { formatPlatform } from './image/platform.js'
import type { SociLookup } from './image/soci-lookup.js'
import type { CallOptions, ImageLocation, RegistryAccess, WholeLayerOptions } from './options.js'
import { openOnly, type Place } from './places/location.js'
import type { ExtractOptions, ExtractResult } from './reading/extract-result.js'
import { linkNameOf } from './reading/layer-tree.js'
import { FetchCounter, type LazyLayer } from './reading/lazy-layer.js'
import { readOnePlatform } from './reading/one-platform.js'
import { type Found, headerOf, isDirectory, Union } from './reading/union.js'
import { formatBinarySize } from './size.js'

export type EntryType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo'

/** A path of the image as its layers' union shows it. */
export interface ImageEntry {
  /**
   * Without a leading slash, cleaned. The root is ''. A byte that is not part of valid UTF-8 is a lone surrogate, U+DC80 to U+DCFF, as in Python's
   * `surrogateescape`; the methods take such paths, too.
   */
  readonly path: string
  readonly type: EntryType
  /** Content bytes; 0 for all but files. */
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** RFC 3339, as the zTOC has it; '' if unknown, or for a directory that no layer lists. */
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
  /**
   * Digest of the attached SOCI index (v1) that the files are read through. The image's digest does not cover it: anyone who may push to the repository
   * can attach one that shows other files. Absent for an index that is part of the image (v2), and without an index.
   */
  readonly attachedIndex?: string
  /**
   * What `path` (default: the root) holds, sorted by name bytes; of a file, itself. `recursive` adds all below. Symlinks on the way are
   * followed, `path` itself where it is one to a directory, those that are listed are not.
   * @throws ImageError PATH_NOT_FOUND
   */
  list(path?: string, options?: CallOptions & { readonly recursive?: boolean }): Promise<readonly ImageEntry[]>
  /** The entry at `path`, its last element not followed. @throws ImageError PATH_NOT_FOUND */
  stat(path: string, options?: CallOptions): Promise<ImageEntry>
  /** A file's bytes; links are followed inside the image. For files of up to 1 GiB. @throws ImageError PATH_NOT_FOUND */
  read(path: string, options?: CallOptions): Promise<Uint8Array>
  /** A file's bytes as they come, of any size. */
  stream(path: string, options?: CallOptions): AsyncIterable<Uint8Array>
  /**
   * Writes a file, or all that is in a directory, into a folder of this machine that is empty or not there yet. No name, and no link, leads out of it;
   * what cannot be written is skipped and reported. See `ExtractOptions` and `ExtractResult`.
   * @throws ImageError PATH_NOT_FOUND, DESTINATION_INVALID
   */
  extract(path: string, folder: string, options?: ExtractOptions): Promise<ExtractResult>
  /**
   * A file, or all that is in a directory, as a POSIX tar: with the image's owners, permissions, extended attributes and link targets. Devices, pipes and sparse files
   * are left out and reported.
   * @throws ImageError PATH_NOT_FOUND
   */
  tar(path: string, options?: CallOptions & Pick<ExtractOptions, 'onSkip'>): AsyncIterable<Uint8Array>
  readonly statistics: FetchStatistics
  close(): Promise<void>
}

export interface OpenImageOptions extends CallOptions, RegistryAccess, WholeLayerOptions {
  /** As `linux/arm64`. @default the machine's (with linux as the system), else the image's only one */
  readonly platform?: string | undefined
  /** Bytes that a layer without an index may unpack to. @default 16 GiB, or 100 times the layer's size if that is more */
  readonly layerLimit?: number | undefined
}

/**
 * Opens an image to read its files.
 * @throws ImageError, StoreError
 * @example
 * const image = await openImage('oci:./image:app-soci', { platform: 'linux/arm64' })
 * const bytes = await image.read('etc/os-release') // one zTOC, one span
 * await image.close()
 */
export async function openImage(image: ImageLocation, options: OpenImageOptions = {}): Promise<Image> {
  const { signal, platform, layerLimit, onWholeLayer } = options
  const place = await openOnly(image, 'read', options)
  try {
    const one = await readOnePlatform(place, platform, signal)
    const { entry } = one
    const soci = await one.findIndex()
    const counter = new FetchCounter()
    const layers = one.layers(soci, { counter, limit: layerLimit, onWholeLayer })
    return new LayeredImage(place, entry, soci.index, layers, counter)
  } catch (error) {
    await place.close()
    throw error
  }
}

const ENTRY_TYPES: Readonly<Record<string, EntryType>> = {
  reg: 'file',
  dir: 'dir',
  symlink: 'symlink',
  char: 'char',
  block: 'block',
  fifo: 'fifo',
}

/** Larger files are read as a stream. */
const MAX_READ_SIZE = 2 ** 30

class LayeredImage implements Image {
  readonly name: string
  readonly platform: string
  readonly digest: string
  readonly attachedIndex?: string
  readonly #place: Place
  readonly #layers: readonly LazyLayer[]
  readonly #counter: FetchCounter

  constructor(
    place: Place,
    entry: TreeEntry,
    index: SociLookup['index'],
    layers: readonly LazyLayer[],
    counter: FetchCounter,
  ) {
    this.name = place.name
    this.platform = formatPlatform(entry.platform!)
    this.digest = entry.manifestDescriptor!.digest
    if (index?.version === 'v1') this.attachedIndex = index.descriptor.digest
    this.#place = place
    this.#layers = layers
    this.#counter = counter
  }

  get statistics(): FetchStatistics {
    const { bytes, requests, ztocs, wholeLayers } = this.#counter
    const imageBytes = this.#layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
    return { bytes, requests, ztocs, wholeLayers: [...wholeLayers], imageBytes }
  }

  async list(path = '', options: CallOptions & { readonly recursive?: boolean } = {}): Promise<readonly ImageEntry[]> {
    const union = this.#union(options.signal)
    const found = await union.resolve(path, false)
    const target = found.entry?.type === 'symlink' ? await union.resolve(path, true).catch(() => found) : found
    if (!isDirectory(target)) return [await imageEntry(union, found)]
    const entries: ImageEntry[] = []
    if (options.recursive)
      for await (const found of union.descendants(target.path, options.signal))
        entries.push(await imageEntry(union, found))
    else for (const child of await union.children(target.path)) entries.push(await imageEntry(union, child))
    return entries
  }

  async stat(path: string, { signal }: CallOptions = {}): Promise<ImageEntry> {
    const union = this.#union(signal)
    const found = await union.resolve(path, false)
    return await imageEntry(union, found.entry === undefined ? (await union.lookup(found.path))! : found)
  }

  async read(path: string, options: CallOptions = {}): Promise<Uint8Array> {
    const file = await this.#file(path, options.signal)
    if (file.entry.size > MAX_READ_SIZE)
      throw new RangeError(
        `${path} has ${file.entry.size} bytes, more than the limit of ${formatBinarySize(MAX_READ_SIZE)}: use stream()`,
      )
    const chunks: Uint8Array[] = []
    for await (const chunk of file.layer.read(file.entry, options.signal)) chunks.push(chunk)
    return new Uint8Array(Buffer.concat(chunks))
  }

  async *stream(path: string, options: CallOptions = {}): AsyncGenerator<Uint8Array> {
    const file = await this.#file(path, options.signal)
    yield* file.layer.read(file.entry, options.signal)
  }

  async extract(path: string, folder: string, options: ExtractOptions = {}): Promise<ExtractResult> {
    return await extractFiles(this.#source(options), path, folder, options)
  }

  tar(path: string, options: CallOptions & Pick<ExtractOptions, 'onSkip'> = {}): AsyncIterable<Uint8Array> {
    return tarFiles(this.#source(options), path, options)
  }

  async close(): Promise<void> {
    await this.#place.close()
  }

  async #file(path: string, signal: AbortSignal | undefined) {
    const union = this.#union(signal)
    const { entry, layer } = await union.hardlinkTarget(await union.resolve(path, true))
    if (entry?.type !== 'reg')
      throw new ImageError(
        'PATH_NOT_FOUND',
        `${path} is not a file but a ${ENTRY_TYPES[entry?.type ?? 'dir'] ?? entry!.type}`,
      )
    return { entry, layer: this.#layer(layer!.digest) }
  }

  #source({ signal }: CallOptions) {
    return { union: this.#union(signal), layerOf: (digest: string) => this.#layer(digest) }
  }

  #layer(digest: string): LazyLayer {
    return this.#layers.find(({ descriptor }) => descriptor.digest === digest)!
  }

  #union(signal: AbortSignal | undefined): Union {
    return new Union(this.#layers.map((layer) => () => layer.open(signal)))
  }
}

/** A hard link is shown as the file that it is; one that leads nowhere as an empty file. */
async function imageEntry(union: Union, found: Found): Promise<ImageEntry> {
  const { path, layer } = found
  if (found.entry === undefined)
    return { path, type: 'dir', size: 0, mode: 0o755, uid: 0, gid: 0, modified: '', layer: '' }
  const target = await union.hardlinkTarget(found).catch((error) => {
    if (error instanceof ImageError) return undefined
    throw error
  })
  const { mode, uid, gid, modTime } = headerOf(found)!
  const entry = target?.entry
  const type = ENTRY_TYPES[entry?.type ?? 'reg'] ?? 'file'
  return {
    path,
    type,
    size: type === 'file' ? (entry?.size ?? 0) : 0,
    mode: mode & 0o7777,
    uid,
    gid,
    modified: modTime,
    ...(entry?.type === 'symlink' && { target: linkNameOf(entry) }),
    layer: layer!.digest,
  }
}

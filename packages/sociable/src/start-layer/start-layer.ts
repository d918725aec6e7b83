// The start layer: a layer on top of the image's own with copies of the files that a start reads, just as the image shows them. A runtime pulls it whole while the
// others load lazily. It adds nothing, removes nothing and changes nothing of what the image shows.
import { createHash } from 'node:crypto'
import type { Descriptor } from '@sociable/oci'
import { type FileEntry, FileError } from '@sociable/ztoc'
import { type CapturedFiles, spool, type TemporaryFiles } from '../indexing/temporary-files.js'
import { join, type LayerNode, parentPath } from '../reading/layer-tree.js'
import type { LazyLayer } from '../reading/lazy-layer.js'
import { comparePaths, encodePath } from '../reading/path-bytes.js'
import { type Found, headerOf, type Union } from '../reading/union.js'
import { compressLayer, LAYER_MEDIA_TYPES, type LayerCompression } from './compress-layer.js'
import type { ProfiledFile, ResolvedProfile } from './resolve-profile.js'
import { copyObstacle, encodeEntry, padding, TAR_END } from './tar-entry.js'

/** The image's layers, bottom first. */
export interface LayerSource {
  readonly union: Union
  readonly layers: readonly LazyLayer[]
  /** Contents that are at hand, by layer digest. */
  readonly captured: ReadonlyMap<string, CapturedFiles>
  readonly temporary: TemporaryFiles
}

export interface StartLayer {
  readonly descriptor: Descriptor
  /** Digest of the layer's tar. */
  readonly diffId: string
  /** Names of files in it, and bytes of the files. */
  readonly files: number
  readonly bytes: number
  /** Names of the files that could not be copied exactly, and why: they stay in their layers. */
  readonly left: readonly { readonly path: string; readonly reason: string }[]
  /** The layer's bytes; they may be made anew for each call, and are the same each time. */
  readonly content: () => AsyncIterable<Uint8Array>
}

/** A file of the layer: where its bytes are, and all paths that the image shows it under. */
interface Copy {
  readonly content: Found
  readonly names: readonly string[]
}

/**
 * Makes the layer, or nothing where there is not a file to copy. Memory: what the encoder takes, whatever the files' size. The layer is kept in a temporary
 * file; where there can be none, or the disk is full, it is made a second time when it is sent.
 * @throws StoreError, ZtocFormatError, LayerFormatError with the layer named
 */
export async function makeStartLayer(
  source: LayerSource,
  chosen: readonly ProfiledFile[],
  symlinks: ResolvedProfile['symlinks'],
  compression: LayerCompression,
  signal: AbortSignal | undefined,
): Promise<StartLayer | undefined> {
  const linked = await linkedNames(source, signal)
  const { copies, left } = await copiesOf(source, chosen, linked, signal)
  if (copies.length === 0) return undefined
  // A symlink with several names would lose them
  const links = [...symlinks.values()].filter(({ node }) => !linked.has(node!))
  const tar = (): AsyncGenerator<Uint8Array> => writeTar(source, copies, links, signal)
  let diffId = ''
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    for await (const bytes of tar()) {
      hash.update(bytes)
      yield bytes
    }
    diffId = `sha256:${hash.digest('hex')}`
  }
  const { digest, size, content } = await spool(source.temporary, () => compressLayer(hashed(), compression))
  return {
    descriptor: { mediaType: LAYER_MEDIA_TYPES[compression], digest, size },
    diffId,
    files: copies.reduce((sum, { names }) => sum + names.length, 0),
    bytes: copies.reduce((sum, { content }) => sum + content.entry!.size, 0),
    left,
    content,
  }
}

/** The files with all their names, in the order in which they lie in the layers. */
async function copiesOf(
  { layers }: LayerSource,
  chosen: readonly ProfiledFile[],
  linked: ReadonlyMap<LayerNode, readonly string[]>,
  signal: AbortSignal | undefined,
): Promise<{ copies: Copy[]; left: { path: string; reason: string }[] }> {
  const copies: (Copy & { layer: number })[] = []
  const left: { path: string; reason: string }[] = []
  for (const { content, path } of chosen) {
    const entry = content.entry!
    const layer = layers.findLastIndex(({ descriptor }) => descriptor.digest === content.layer!.digest)
    const obstacle = copyObstacle(entry, headerOf(content)) ?? (await readObstacle(layers[layer]!, entry, signal))
    if (obstacle !== undefined) {
      left.push({ path, reason: obstacle })
      continue
    }
    const names = linked.get(content.node!) ?? [path]
    copies.push({ content, names, layer })
  }
  copies.sort((a, b) => a.layer - b.layer || a.content.entry!.offset - b.content.entry!.offset)
  return { copies, left }
}

async function readObstacle(
  layer: LazyLayer,
  entry: FileEntry,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    await layer.locate(entry, signal)
    return undefined
  } catch (error) {
    if (error instanceof FileError) return error.message
    throw error
  }
}

/** All names, sorted, that the image shows of each file that has hard links. */
async function linkedNames(
  { union, layers }: LayerSource,
  signal: AbortSignal | undefined,
): Promise<Map<LayerNode, string[]>> {
  const linked = new Map<LayerNode, string[]>()
  for (const layer of new Set(layers)) {
    const { tree } = await layer.open(signal)
    for (const { path, node } of namesOfLinked(tree, '')) {
      const found = await union.lookup(path)
      if (found?.node !== node) continue // a layer above hides it
      const content = await union.hardlinkTarget(found!).catch(() => undefined)
      if (content?.node === undefined) continue
      const names = linked.get(content.node) ?? []
      linked.set(content.node, names)
      names.push(path)
    }
  }
  for (const names of linked.values()) names.sort(comparePaths)
  return linked
}

/** The layer's hard links, and what they are other names of. */
function* namesOfLinked(directory: LayerNode, path: string): Generator<{ path: string; node: LayerNode }> {
  const pending = [{ path, node: directory }]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at.node.type === 'hardlink' || at.node.header !== undefined) yield at
    for (const [name, node] of at.node.children ?? []) pending.push({ path: join(at.path, name), node })
  }
}

async function* writeTar(
  source: LayerSource,
  copies: readonly Copy[],
  symlinks: readonly Found[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const folders = new Folders(source.union)
  for (const { path, entry } of [...symlinks].sort((a, b) => comparePaths(a.path, b.path))) {
    if (copyObstacle(entry!) !== undefined) continue
    yield* folders.above(path)
    yield encodeEntry({ type: 'symlink', path: encodePath(path), linkname: entry!.linknameBytes, from: entry! })
  }
  for (const layer of new Set(source.layers)) {
    const own = new Map<number, Copy>()
    for (const copy of copies)
      if (copy.content.layer!.digest === layer.descriptor.digest) own.set(copy.content.entry!.index, copy)
    const captured = source.captured.get(layer.descriptor.digest)
    if (own.size > 0) yield* writeFiles(layer, own, captured, folders, signal)
  }
  yield TAR_END
}

/** The bytes of the files, which are in the tar's order; only what is not at hand is read. */
async function* contentsOf(
  layer: LazyLayer,
  entries: readonly FileEntry[],
  captured: CapturedFiles | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly file: FileEntry; readonly bytes: Uint8Array }> {
  let lacking: FileEntry[] = []
  for (const file of entries) {
    if (file.size > 0 && !captured?.has(file.offset)) {
      lacking.push(file)
      continue
    }
    yield* layer.readTogether(lacking, signal)
    lacking = []
    if (file.size === 0) yield { file, bytes: new Uint8Array(0) }
    else for await (const bytes of captured!.read(file.offset)) yield { file, bytes }
  }
  yield* layer.readTogether(lacking, signal)
}

async function* writeFiles(
  layer: LazyLayer,
  copies: ReadonlyMap<number, Copy>,
  captured: CapturedFiles | undefined,
  folders: Folders,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let current: FileEntry | undefined
  const entries = [...copies.values()].map(({ content }) => content.entry!)
  for await (const { file, bytes } of contentsOf(layer, entries, captured, signal)) {
    if (file !== current) {
      if (current !== undefined) yield* endFile(current)
      current = file
      const { content, names } = copies.get(file.index)!
      yield* folders.above(names[0]!)
      yield encodeEntry({ type: 'reg', path: encodePath(names[0]!), from: file, header: headerOf(content) })
    }
    yield bytes
  }
  if (current !== undefined) yield* endFile(current)

  async function* endFile(file: FileEntry): AsyncGenerator<Uint8Array> {
    yield padding(file.size)
    const { content, names } = copies.get(file.index)!
    const linkname = encodePath(names[0]!)
    for (const path of names.slice(1)) {
      yield* folders.above(path)
      yield encodeEntry({
        type: 'hardlink',
        path: encodePath(path),
        linkname,
        from: file,
        header: headerOf(content),
      })
    }
  }
}

/** Writes each folder once, before what is in it. One that no layer lists is left out: it is there in the layers below. */
class Folders {
  readonly #union: Union
  readonly #written = new Set<string>()

  constructor(union: Union) {
    this.#union = union
  }

  /** The folders above the path, from the root down, that were not written. */
  async *above(path: string): AsyncGenerator<Uint8Array> {
    const missing: string[] = []
    for (let at = parentPath(path); !this.#written.has(at); at = parentPath(at)) {
      this.#written.add(at)
      missing.push(at)
    }
    for (const folder of missing.reverse()) {
      const { entry } = (await this.#union.lookup(folder))!
      if (entry !== undefined && copyObstacle(entry) === undefined)
        yield encodeEntry({ type: 'dir', path: encodePath(folder), from: entry })
    }
  }
}

// Files of an image as a tar, which keeps what a folder of this machine may not: owners, symlinks to anywhere, names of every kind.
import { type FileEntry, FileError } from '@sociable/ztoc'
import { ImageError } from './error.js'
import type { ExtractOptions, SkippedEntry } from './reading/extract-result.js'
import { kindOf } from './reading/extract-writer.js'
import { parentPath } from './reading/layer-tree.js'
import type { LazyLayer } from './reading/lazy-layer.js'
import { encodePath } from './reading/path-bytes.js'
import { headerOf, isDirectory, type Union } from './reading/union.js'
import { copyObstacle, encodeEntry, padding, TAR_END } from './start-layer/tar-entry.js'

/** What an image's files are read from. */
export interface TarSource {
  readonly union: Pick<Union, 'resolve' | 'descendants' | 'hardlinkTarget'>
  layerOf(digest: string): Pick<LazyLayer, 'locate' | 'readTogether'>
}

/** A file, and whose attributes it has. */
interface Content {
  readonly entry: FileEntry
  readonly header: FileEntry | undefined
  /** The first of its paths in the image. */
  readonly path: string
  /** Its paths in the tar. */
  readonly names: Uint8Array[]
}

/** The contents of a layer, by the number of their entry. */
type Contents = Map<number, Content>

/**
 * What is at `path` as a POSIX tar: of a directory all that is in it, named from there, else the one file. Entries have the image's owners, permissions, times, extended
 * attributes and link targets. Directories and symlinks come first, then files in the order in which they lie in the layers, each followed by its hard links. Left out
 * are devices, pipes and sparse files, and directories that no layer lists.
 * @throws ImageError PATH_NOT_FOUND
 */
export async function* tarFiles(
  { union, layerOf }: TarSource,
  path: string,
  { signal, onSkip }: ExtractOptions = {},
): AsyncGenerator<Uint8Array> {
  const top = await union.resolve(path, true)
  const isTree = isDirectory(top)
  const root = isTree ? top.path : parentPath(top.path)
  const skip = (skipped: SkippedEntry): void => onSkip?.(skipped)
  const layers = new Map<string, Contents>()
  for await (const found of isTree ? union.descendants(top.path, signal) : [top]) {
    if (found.entry === undefined) continue
    const name = encodePath(root === '' ? found.path : found.path.slice(root.length + 1))
    const header = headerOf(found)
    try {
      const { entry, layer } = await union.hardlinkTarget(found)
      const { type } = entry!
      const obstacle = kindOf(type) ?? copyObstacle(entry!, header)
      if (obstacle !== undefined) skip({ path: found.path, reason: obstacle })
      else if (type === 'reg')
        addContent(layers, layer!.digest, { entry: entry!, header, path: found.path, names: [name] })
      else if (type === 'symlink')
        yield encodeEntry({ type: 'symlink', path: name, linkname: entry!.linknameBytes, from: entry!, header })
      else yield encodeEntry({ type: 'dir', path: name, from: entry! })
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
      skip({ path: found.path, reason: error.message })
    }
  }
  for (const [digest, contents] of layers) yield* writeContents(layerOf(digest), contents, skip, signal)
  yield TAR_END
}

function addContent(layers: Map<string, Contents>, layer: string, content: Content): void {
  const contents: Contents = layers.get(layer) ?? new Map()
  layers.set(layer, contents)
  const known = contents.get(content.entry.index)
  if (known === undefined) contents.set(content.entry.index, content)
  else known.names.push(...content.names)
}

async function* writeContents(
  layer: ReturnType<TarSource['layerOf']>,
  contents: Contents,
  skip: (skipped: SkippedEntry) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const entries: FileEntry[] = []
  for (const { entry, path } of contents.values())
    try {
      await layer.locate(entry, signal)
      entries.push(entry)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      skip({ path, reason: error.message })
    }
  let current: Content | undefined
  for await (const { file, bytes } of layer.readTogether(entries, signal)) {
    if (current?.entry !== file) {
      if (current !== undefined) yield* endOf(current)
      current = contents.get(file.index)!
      yield encodeEntry({ type: 'reg', path: current.names[0]!, from: file, header: current.header })
    }
    yield bytes
  }
  if (current !== undefined) yield* endOf(current)
}

/** What comes behind a file's bytes: padding, and its other names. */
function* endOf({ entry, header, names }: Content): Generator<Uint8Array> {
  yield padding(entry.size)
  const [linkname, ...others] = names
  for (const path of others) yield encodeEntry({ type: 'hardlink', path, linkname, from: entry, header })
}

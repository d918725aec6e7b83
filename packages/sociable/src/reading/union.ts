// The view that an image's layers give together, as containerd's overlay of them: each path from the topmost layer that has it, unless a layer above
// hides it. A symlink of a layer below leads no entry of a layer above elsewhere, as each layer is applied by itself.
import type { FileEntry, Toc } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import {
  cleanPath,
  join,
  type LayerNode,
  type LayerTree,
  layerTree,
  linkNameOf,
  MAX_PATH_LENGTH,
  nameOf,
  parentPath,
  turn,
} from './layer-tree.js'
import { comparePaths } from './path-bytes.js'

/** A layer opened for reading: what is in it, and the tree of it. */
export interface OpenLayer {
  readonly digest: string
  readonly toc: Toc
  readonly tree: LayerTree
}

export async function openLayer(digest: string, toc: Toc, signal?: AbortSignal): Promise<OpenLayer> {
  return { digest, toc, tree: await layerTree(toc.files, signal) }
}

/** Where a path was found. `entry` is undefined for a directory that no layer lists. */
export interface Found {
  readonly path: string
  readonly layer: OpenLayer | undefined
  readonly entry: FileEntry | undefined
  /** In the layer's tree; undefined where `layer` is. */
  readonly node?: LayerNode | undefined
}

const ROOT: Found = { path: '', layer: undefined, entry: undefined }

/** As Linux's own limit. */
const MAX_SYMLINKS = 40
/** Entries of a listing after which other work of the process gets its turn. */
const ENTRIES_AT_ONCE = 2000

/** Layers are opened from the top only as far down as an answer needs. */
export class Union {
  readonly #layers: readonly (() => Promise<OpenLayer>)[]

  /** @param layers the image's, bottom first, each opened when first needed */
  constructor(layers: readonly (() => Promise<OpenLayer>)[]) {
    this.#layers = layers
  }

  /**
   * What is at the path, none of whose elements is a symlink. Undefined where there is nothing.
   * @param typeOnly is content with knowing a directory to be one: its own entry may be in a layer further down
   */
  lookup(path: string, typeOnly = false): Promise<Found | undefined> {
    if (typeOnly && path === '') return Promise.resolve(ROOT)
    return this.#lookupBelow(path, this.#layers.length, typeOnly)
  }

  /** As `lookup`, in the layers below the one at `top`. */
  async #lookupBelow(path: string, top: number, typeOnly: boolean): Promise<Found | undefined> {
    const parts = path === '' ? [] : path.split('/')
    let implied = path === ''
    for (let i = top - 1; i >= 0; i--) {
      const layer = await this.#layers[i]!()
      const { node, hides } = walk(layer.tree, parts)
      if (node?.entry !== undefined) {
        // Below a directory that upper layers need, a file is hidden: the directory is one that no layer lists
        if (!implied || node.type === 'dir') return foundIn(layer, path, node)
        break
      }
      if (node !== undefined) implied = true
      if ((implied && typeOnly) || hides) break
    }
    return implied ? { path, layer: undefined, entry: undefined } : undefined
  }

  /** What the directory holds, sorted by the bytes of the names; `path` is free of symlinks. */
  async children(path: string): Promise<Found[]> {
    const parts = path === '' ? [] : path.split('/')
    const found = new Map<string, Found>()
    const implied = new Set<string>()
    const hidden = new Set<string>()
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = await this.#layers[i]!()
      const { node: directory, hides } = walk(layer.tree, parts)
      if (directory !== undefined && directory.type !== 'dir') break
      for (const [name, node] of directory?.children ?? []) {
        if (found.has(name) || hidden.has(name)) continue
        if (node.entry === undefined) implied.add(name)
        else if (node.type === 'dir' || !implied.has(name)) found.set(name, foundIn(layer, join(path, name), node))
        else hidden.add(name) // a file below an implied directory: what is under it stays hidden
      }
      for (const name of directory?.whiteouts ?? []) hidden.add(name)
      if (directory?.opaque === true || hides) break
    }
    for (const name of implied)
      if (!found.has(name)) found.set(name, { path: join(path, name), layer: undefined, entry: undefined })
    return [...found.values()].sort((a, b) => comparePaths(a.path, b.path))
  }

  /** All that is below the directory, each directory before what it holds. */
  async *descendants(path: string, signal: AbortSignal | undefined): AsyncGenerator<Found> {
    const pending = (await this.children(path)).reverse()
    for (let count = 1; pending.length > 0; count++) {
      const next = pending.pop()!
      yield next
      if (isDirectory(next)) for (const child of (await this.children(next.path)).reverse()) pending.push(child)
      if (count % ENTRIES_AT_ONCE === 0) await turn(signal)
    }
  }

  /**
   * The path with every symlink on the way resolved inside the image; the last element too with `follow`. Of a directory the entry may be missing.
   * @throws ImageError PATH_NOT_FOUND where something on the way is missing or no directory, or links go in circles
   */
  async resolve(path: string, follow: boolean): Promise<Found> {
    const pending = path.split('/').reverse()
    let at = ROOT
    let links = 0
    while (pending.length > 0) {
      const part = pending.pop()!
      if (part === '' || part === '.') continue
      if (at.entry !== undefined && at.entry.type !== 'dir')
        throw new ImageError('PATH_NOT_FOUND', `${path}: ${at.path} is not a directory`)
      if (part === '..') {
        at = (await this.lookup(parentPath(at.path), true))!
        continue
      }
      const child = join(at.path, part)
      const next = await this.lookup(child, true)
      if (next === undefined)
        throw new ImageError(
          'PATH_NOT_FOUND',
          `${path}: ${child === cleanPath(path) ? 'not in the image' : `there is no ${child}`}`,
        )
      const last = pending.every((rest) => rest === '' || rest === '.')
      const entry = (await this.#target(next))?.entry
      if (entry?.type === 'symlink' && (follow || !last)) {
        if (++links > MAX_SYMLINKS)
          throw new ImageError('PATH_NOT_FOUND', `${path}: more than ${MAX_SYMLINKS} symlinks on the way`)
        const target = linkNameOf(entry)
        if (target.length > MAX_PATH_LENGTH)
          throw new ImageError(
            'PATH_NOT_FOUND',
            `${path}: symlink ${child} leads to a path of ${target.length} characters`,
          )
        if (target.startsWith('/')) at = ROOT
        pending.push(...target.split('/').reverse())
      } else at = next
    }
    return at
  }

  /**
   * What a hard link is another name of: in its own layer the file that had the target's name when the link was made, else that of the layers below.
   * Anything else is itself.
   * @throws ImageError PATH_NOT_FOUND for a hard link to what is not in the image, or is a directory
   */
  async hardlinkTarget(link: Found): Promise<Found> {
    const target = await this.#target(link)
    if (target !== undefined) return target
    const to = cleanPath(linkNameOf(link.entry!))
    throw new ImageError('PATH_NOT_FOUND', `${link.path} is a hard link to /${to}, which is not a file of the image`)
  }

  /** Undefined for a hard link that leads nowhere. */
  async #target(link: Found, links = 0): Promise<Found | undefined> {
    if (link.entry?.type !== 'hardlink') return link
    if (links > MAX_SYMLINKS) return undefined
    const layer = link.layer!
    const own = link.node!.target
    if (own !== undefined) return foundIn(layer, cleanPath(nameOf(layer.toc.files.at(own.entry!)!)), own)
    const path = cleanPath(linkNameOf(link.entry))
    if (path === '') return undefined
    const { node, hides } = walk(layer.tree, path.split('/'))
    if (!hides) {
      let top = this.#layers.length - 1
      while (top > 0 && (await this.#layers[top]!()) !== layer) top--
      const below = await this.#lookupBelow(path, top, false)
      if (below?.entry !== undefined && below.entry.type !== 'dir') return await this.#target(below, links + 1)
    }
    // A link that comes before its target: Apply fails on it, other tools go by the whole layer
    if (node === undefined || node.type === 'dir' || node === link.node) return undefined
    return await this.#target(foundIn(layer, path, node), links + 1)
  }
}

export function isDirectory({ entry }: Found): boolean {
  return entry === undefined || entry.type === 'dir'
}

/** The entry whose owner, mode and time a path has. */
export function headerOf({ layer, entry, node }: Found): FileEntry | undefined {
  const header = (node?.target ?? node)?.header
  return header === undefined ? entry : layer!.toc.files.at(header)
}

function foundIn(layer: OpenLayer, path: string, node: LayerNode): Found {
  return { path, layer, entry: layer.toc.files.at(node.entry!)!, node }
}

/**
 * The node at a path of a layer, and whether the layer keeps layers below from showing anything there: by a whiteout, an opaque directory, or a file or link
 * where the path needs a directory.
 */
function walk(tree: LayerTree, parts: readonly string[]): { node: LayerNode | undefined; hides: boolean } {
  let node = tree
  let hides = false
  for (const name of parts) {
    if (node.type !== 'dir') return { node: undefined, hides: true }
    if (node.opaque === true || node.whiteouts?.has(name)) hides = true
    const child = node.children?.get(name)
    if (child === undefined) return { node: undefined, hides }
    node = child
  }
  return { node, hides }
}

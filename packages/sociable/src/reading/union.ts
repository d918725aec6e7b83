// The view that an image's layers give together: each path from the topmost layer that has it, unless a layer above hides it.
import type { FileEntry, Toc } from '@sociable/ztoc'
import { ImageError } from '../error.js'
import { cleanPath, hides, join, type LayerTree, layerTree, MAX_PATH_LENGTH, parentPath } from './layer-tree.js'

/** A layer opened for reading: what is in it, and the tree of it. */
export interface OpenLayer {
  readonly digest: string
  readonly toc: Toc
  readonly tree: LayerTree
}

export function openLayer(digest: string, toc: Toc): OpenLayer {
  return { digest, toc, tree: layerTree(toc.files) }
}

/** Where a path was found. `entry` is undefined for a directory that no layer lists. */
export interface Found {
  readonly path: string
  readonly layer: OpenLayer | undefined
  readonly entry: FileEntry | undefined
}

const ROOT: Found = { path: '', layer: undefined, entry: undefined }

/** As Linux's own limit. */
const MAX_SYMLINKS = 40

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
  async lookup(path: string, typeOnly = false): Promise<Found | undefined> {
    if (typeOnly && path === '') return ROOT
    let implied = path === ''
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = await this.#layers[i]!()
      const node = layer.tree.nodes.get(path)
      if (typeof node === 'number') {
        const entry = layer.toc.files.at(node)!
        // Below a directory that upper layers need, a file is hidden: the directory is one that no layer lists
        if (!implied || entry.type === 'dir') return { path, layer, entry }
        break
      }
      if (node === 'implied') implied = true
      if (implied && typeOnly) break
      if (hides(layer.tree, path) || replacesParent(layer, path)) break
    }
    return implied ? { path, layer: undefined, entry: undefined } : undefined
  }

  /** What the directory holds, by name; `path` is free of symlinks. */
  async children(path: string): Promise<Found[]> {
    const found = new Map<string, Found>()
    const implied = new Set<string>()
    const hidden = new Set<string>()
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = await this.#layers[i]!()
      const own = layer.tree.nodes.get(path)
      if (typeof own === 'number' && layer.toc.files.at(own)!.type !== 'dir') break
      const names = layer.tree.children.get(path) ?? []
      for (const name of names) {
        if (found.has(name) || hidden.has(name)) continue
        const child = join(path, name)
        const node = layer.tree.nodes.get(child)
        const entry = typeof node === 'number' ? layer.toc.files.at(node)! : undefined
        if (entry === undefined) implied.add(name)
        else if (entry.type === 'dir' || !implied.has(name)) found.set(name, { path: child, layer, entry })
        else hidden.add(name) // a file below an implied directory: what is under it stays hidden
      }
      for (const name of layer.tree.whiteouts.get(path) ?? []) hidden.add(name)
      if (layer.tree.opaque.has(path) || hides(layer.tree, path) || replacesParent(layer, path)) break
    }
    for (const name of implied)
      if (!found.has(name)) found.set(name, { path: join(path, name), layer: undefined, entry: undefined })
    return [...found.values()]
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
        throw new ImageError('PATH_NOT_FOUND', `${path}: ${at.path} is no directory`)
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
      const { entry } = await this.hardlinkTarget(next)
      if (entry?.type === 'symlink' && (follow || !last)) {
        if (++links > MAX_SYMLINKS)
          throw new ImageError('PATH_NOT_FOUND', `${path}: more than ${MAX_SYMLINKS} symlinks on the way`)
        const target = entry.linkname
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

  /** The entry that holds a hardlink's bytes: the last of its chain, in the same layer or, where that lacks it, in the layers below. */
  async hardlinkTarget(link: Found): Promise<Found> {
    let at = link
    for (let i = 0; at.entry?.type === 'hardlink'; i++) {
      const target = cleanPath(at.entry.linkname)
      const node = at.layer!.tree.nodes.get(target)
      const inLayer =
        typeof node === 'number' ? { path: target, layer: at.layer, entry: at.layer!.toc.files.at(node)! } : undefined
      const next = inLayer ?? (await this.lookup(target))
      if (next === undefined || i > MAX_SYMLINKS)
        throw new ImageError('PATH_NOT_FOUND', `${link.path} is a hardlink to ${target}, which is not in the image`)
      at = next
    }
    return at
  }
}

/** Whether the layer has a file or link where the path needs a directory, so that layers below do not show through. */
function replacesParent(layer: OpenLayer, path: string): boolean {
  for (let at = path; at !== ''; ) {
    at = parentPath(at)
    const node = layer.tree.nodes.get(at)
    if (typeof node === 'number' && layer.toc.files.at(node)!.type !== 'dir') return true
  }
  return false
}

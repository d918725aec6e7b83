// One layer's entries as a tree of cleaned paths, with its whiteouts (image-spec v1.1.1, layer.md "Whiteouts").
import { type FileEntry, type FileList, ZtocFormatError } from '@sociable/ztoc'

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

/** Linux's PATH_MAX, in UTF-16 units here: no runtime shows a longer path, so its entry is passed over. */
export const MAX_PATH_LENGTH = 4096
/** Far more than any layer has that lists files without their directories; a bound for what a made-up zTOC can cost. */
const MAX_IMPLIED = 1_000_000

/** What a layer says of a path: an entry's index in its file list; `implied`: only something below it is listed, so it is a directory. */
export type LayerNode = number | 'implied'

export interface LayerTree {
  readonly nodes: ReadonlyMap<string, LayerNode>
  /** Names below each directory, whiteouts apart. */
  readonly children: ReadonlyMap<string, ReadonlySet<string>>
  /** Names, by directory, that this layer removes from the layers below. */
  readonly whiteouts: ReadonlyMap<string, ReadonlySet<string>>
  /** Directories of which this layer hides all that the layers below have in them. */
  readonly opaque: ReadonlySet<string>
}

/** A tar name or a user's path as a path from the root, without slashes around it; `..` stays inside. The root is ''. */
export function cleanPath(name: string): string {
  // Nearly every name is clean but for a leading `./` or a trailing slash
  if (!/(^|\/)(\.{0,2})(\/|$)/.test(name)) return name
  const parts: string[] = []
  for (const part of name.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/**
 * Of several entries of one path the last counts, as when the tar is unpacked.
 * @throws ZtocFormatError where an entry is malformed, or a million directories are only implied
 */
export function layerTree(files: FileList): LayerTree {
  const nodes = new Map<string, LayerNode>([['', 'implied']])
  const children = new Map<string, Set<string>>()
  const whiteouts = new Map<string, Set<string>>()
  const opaque = new Set<string>()
  let implied = 0
  let index = 0
  for (const file of files) {
    addEntry(file, index)
    index++
  }
  return { nodes, children, whiteouts, opaque }

  function addEntry(file: FileEntry, at: number): void {
    if (file.name.length > MAX_PATH_LENGTH) return
    const path = cleanPath(file.name)
    const name = baseName(path)
    const parent = parentPath(path)
    if (name === OPAQUE) opaque.add(parent)
    // Other names with two prefixes are aufs's own records: they hide nothing and are no files
    else if (name.startsWith(WHITEOUT) && !name.startsWith(WHITEOUT + WHITEOUT))
      addName(whiteouts, parent, name.slice(WHITEOUT.length))
    else if (!name.startsWith(WHITEOUT)) {
      addToParent(path)
      nodes.set(path, at)
    }
  }

  function addToParent(path: string): void {
    for (let child = path; child !== ''; child = parentPath(child)) {
      const parent = parentPath(child)
      addName(children, parent, baseName(child))
      if (nodes.has(parent)) return // its parents are there too
      if (++implied > MAX_IMPLIED)
        throw new ZtocFormatError(
          'ZTOC_INVALID',
          `it has files in more than ${MAX_IMPLIED} directories that it does not list`,
        )
      nodes.set(parent, 'implied')
    }
  }
}

function addName(directories: Map<string, Set<string>>, directory: string, name: string): void {
  const names = directories.get(directory)
  if (names === undefined) directories.set(directory, new Set([name]))
  else names.add(name)
}

export function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`
}

/** Whether the layer hides `path` from the layers below it: it or a directory above is whited out, or one above is opaque. */
export function hides(tree: LayerTree, path: string): boolean {
  if (tree.whiteouts.size === 0 && tree.opaque.size === 0) return false
  for (let at = path; ; at = parentPath(at)) {
    if (at === '') return false
    const parent = parentPath(at)
    if (tree.opaque.has(parent) || tree.whiteouts.get(parent)?.has(baseName(at))) return true
  }
}

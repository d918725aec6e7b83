// One layer's entries as a tree, as containerd's `archive.Apply` (containerd v2.2, pkg/archive/tar.go) makes it of them one after the other in a folder of
// its own: later entries replace earlier ones, a hard link is another name of the file that its target is at that moment, and a symlink of the same layer is
// followed where an entry's path leads through it. Whiteouts (image-spec v1.1.1, layer.md "Whiteouts") hide what the layers below have.
import { type FileEntry, type FileList, ZtocFormatError } from '@sociable/ztoc'
import { decodeName } from './path-bytes.js'

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

/** Linux's PATH_MAX, in UTF-16 units here: no runtime shows a longer path, so its entry is passed over. */
export const MAX_PATH_LENGTH = 4096
/** Far more than any layer has that lists files without their directories; a bound for what a made-up zTOC can cost. */
const MAX_IMPLIED = 1_000_000
/** Symlinks on one entry's way, as Apply allows. */
const MAX_LINKS = 255
/** Entries after which other work of the process gets its turn. */
const ENTRIES_AT_ONCE = 20_000

export interface LayerNode {
  readonly type: string
  /** The entry that shows it, by its index; undefined for a directory of which only something below is listed. */
  entry: number | undefined
  /** Of a hard link: the node that it is another name of; `undefined` where that is not in this layer. */
  readonly target?: LayerNode | undefined
  /** Of a file with hard links: the entry of the last of them, whose owner, mode and time are then those of all names. */
  header?: number
  /** Of a symlink: where it leads, as text. */
  readonly linkname?: string
  /** Of a directory. */
  children?: Map<string, LayerNode>
  /** Names in this directory that the layer removes from the layers below. */
  whiteouts?: Set<string>
  /** Whether the layer hides all that the layers below have in this directory. */
  opaque?: boolean
}

/** The layer's root directory. */
export type LayerTree = LayerNode

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

export function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`
}

/** The path's text, of bytes that need not be UTF-8. */
export const nameOf = (file: FileEntry): string => decodeName(file.name, () => file.nameBytes)
export const linkNameOf = (file: FileEntry): string => decodeName(file.linkname, () => file.linknameBytes)

/**
 * What Apply would fail on is passed over: entries below a file, or through too many symlinks.
 * @throws ZtocFormatError where an entry is malformed, or a million directories are only implied; the signal's reason
 */
export async function layerTree(files: FileList, signal?: AbortSignal): Promise<LayerTree> {
  const builder = new TreeBuilder()
  let index = 0
  for (const file of files) {
    builder.add(file, index++)
    if (index % ENTRIES_AT_ONCE === 0) await turn(signal)
  }
  return builder.root
}

/** Lets signals and timers in. */
export async function turn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal?.throwIfAborted()
}

class TreeBuilder {
  readonly root: LayerNode = { type: 'dir', entry: undefined }
  #implied = 0

  add(file: FileEntry, index: number): void {
    if (file.name.length > MAX_PATH_LENGTH) return
    const path = cleanPath(nameOf(file))
    if (path === '') return // the root is what it is
    const parent = this.#directory(parentPath(path), true)
    if (parent === undefined) return
    const name = baseName(path)
    if (name.startsWith(WHITEOUT)) {
      whiteOut(parent, name)
      return
    }
    const children = childrenOf(parent)
    const present = children.get(name)
    if (present?.type === 'dir' && file.type === 'dir') {
      present.entry = index
      return
    }
    children.delete(name) // before a link is resolved, as it may name itself
    const target = file.type === 'hardlink' ? this.#linked(linkNameOf(file)) : undefined
    if (file.type === 'hardlink') {
      if (target !== undefined) target.header = index
      children.set(name, { type: file.type, entry: index, target })
    } else if (file.type === 'symlink')
      children.set(name, { type: file.type, entry: index, linkname: linkNameOf(file) })
    // A directory in the place of a file of the same layer is a new one: what the layers below have there went with the file
    else if (file.type === 'dir' && present !== undefined)
      children.set(name, { type: file.type, entry: index, opaque: true })
    else children.set(name, { type: file.type, entry: index })
  }

  /** The file or link at the target of a hard link; symlinks before its last element are followed. */
  #linked(linkname: string): LayerNode | undefined {
    if (linkname.length > MAX_PATH_LENGTH) return undefined
    const path = cleanPath(linkname)
    const node = this.#directory(parentPath(path), false)?.children?.get(baseName(path))
    return node?.type === 'hardlink' ? node.target : node?.type === 'dir' ? undefined : node
  }

  /** The directory at a path. @param make whether directories that are missing are made; without it undefined is the answer then, too */
  #directory(path: string, make: boolean): LayerNode | undefined {
    if (path === '') return this.root
    let way = [this.root]
    let names: string[] = []
    const pending = path.split('/').reverse()
    let links = 0
    while (pending.length > 0) {
      const name = pending.pop()!
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (names.pop() !== undefined) way.pop()
        continue
      }
      const at = way.at(-1)!
      let child = at.children?.get(name)
      if (child === undefined) {
        if (!make) return undefined
        child = this.#imply()
        childrenOf(at).set(name, child)
      }
      const node: LayerNode | undefined = child.type === 'hardlink' ? child.target : child
      if (node?.type === 'dir') {
        way.push(node)
        names.push(name)
      } else if (node?.type === 'symlink') {
        const target = node.linkname!
        if (++links > MAX_LINKS || target.length > MAX_PATH_LENGTH) return undefined
        if (target.startsWith('/')) [way, names] = [[this.root], []]
        pending.push(...target.split('/').reverse())
      } else return undefined
    }
    return way.at(-1)
  }

  #imply(): LayerNode {
    if (++this.#implied > MAX_IMPLIED)
      throw new ZtocFormatError(
        'ZTOC_INVALID',
        `it has files in more than ${MAX_IMPLIED} directories that it does not list`,
      )
    return { type: 'dir', entry: undefined }
  }
}

function childrenOf(directory: LayerNode): Map<string, LayerNode> {
  directory.children ??= new Map()
  return directory.children
}

/** Other names with two prefixes are aufs's own records: they hide nothing and are not files. What the same layer had under the name goes, too. */
function whiteOut(directory: LayerNode, name: string): void {
  if (name === OPAQUE) directory.opaque = true
  else if (!name.startsWith(WHITEOUT + WHITEOUT)) {
    const hidden = name.slice(WHITEOUT.length)
    if (hidden === '' || hidden === '.' || hidden === '..') return
    directory.whiteouts ??= new Set()
    directory.whiteouts.add(hidden)
    directory.children?.delete(hidden)
  }
}

import { FILE_DIRECTORY, FILE_LINK, FILE_READ, type ReportData } from '../src/report/report-data'

/** A node of the image's tree, with sums over all below it. */
export interface TreeNode {
  readonly id: number
  readonly name: string
  readonly parent: TreeNode | undefined
  readonly children: TreeNode[]
  readonly layer: number
  readonly isDirectory: boolean
  readonly isLink: boolean
  /** Bytes of the files below, or its own. */
  size: number
  /** Of these, bytes of files that the start reads. */
  read: number
  /** Bytes by layer: the layer with the most colours a directory. */
  files: number
}

/** The page's data: gzip in base64, so that 100,000 files take some megabytes. */
export async function loadData(): Promise<ReportData> {
  const packed = document.getElementById('report-data')!.textContent!
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return (await new Response(stream).json()) as ReportData
}

/** Builds the tree and its sums. Nodes come parents first, so sums run from the last to the first. */
export function buildTree({ files }: ReportData): TreeNode[] {
  const nodes: TreeNode[] = []
  for (let id = 0; id < files.names.length; id++) {
    const flags = files.flags[id]!
    const parent = id === 0 ? undefined : nodes[files.parents[id]!]
    const size = files.sizes[id]!
    const isDirectory = (flags & FILE_DIRECTORY) !== 0
    const node: TreeNode = {
      id,
      name: files.names[id]!,
      parent,
      children: [],
      layer: files.layers[id]!,
      isDirectory,
      isLink: (flags & FILE_LINK) !== 0,
      size,
      read: (flags & FILE_READ) !== 0 ? size : 0,
      files: isDirectory ? 0 : 1,
    }
    nodes.push(node)
    parent?.children.push(node)
  }
  for (let id = nodes.length - 1; id > 0; id--) {
    const { parent, size, read, files } = nodes[id]!
    parent!.size += size
    parent!.read += read
    parent!.files += files
  }
  for (const node of nodes) node.children.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1))
  return nodes
}

export function pathOf(node: TreeNode): string {
  const names: string[] = []
  for (let at: TreeNode | undefined = node; at?.parent !== undefined; at = at.parent) names.unshift(at.name)
  return `/${names.join('/')}`
}

/** The directories from the root down to the node. */
export function wayTo(node: TreeNode): TreeNode[] {
  const way: TreeNode[] = []
  for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) way.unshift(at)
  return way
}

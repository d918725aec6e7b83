// The image's tree in the report's columns, and what in it could be smaller.
import { spanAt } from '@sociable/ztoc'
import { baseName, parentPath } from '../reading/layer-tree.js'
import { type Found, isDirectory, type OpenLayer, type Union } from '../reading/union.js'
import type { ResolvedProfile } from '../start-layer/resolve-profile.js'
import { FILE_DIRECTORY, FILE_LINK, FILE_READ, type ReportFiles, type ReportWaste } from './report-data.js'

/** Bytes from which on a file counts as a waste of its own. */
const LARGE = 100_000
const MAX_WASTES = 20

/** A regular file as the image shows it. */
interface ShownFile {
  readonly path: string
  readonly layer: OpenLayer
  readonly index: number
  readonly size: number
}

export interface ShownTree {
  readonly files: ReportFiles
  readonly shown: readonly ShownFile[]
}

/** @param layers bottom first */
export async function readTree(
  union: Union,
  layers: readonly OpenLayer[],
  profile: ResolvedProfile | undefined,
  signal: AbortSignal | undefined,
): Promise<ShownTree> {
  const read = new Set(profile?.files.map(({ content }) => fileKey(content.layer!, content.entry!.index)))
  const nodes = new Map<string, number>([['', 0]])
  const [names, parents, sizes, at, flags] = [[''], [0], [0], [-1], [FILE_DIRECTORY]]
  const shown: ShownFile[] = []
  for await (const found of union.descendants('', signal)) {
    const { path, layer } = found
    const content = isDirectory(found) ? undefined : await union.hardlinkTarget(found).catch(() => undefined)
    const isFile = content?.entry?.type === 'reg'
    const isLinked = found.entry?.type === 'hardlink' // its bytes are counted under another name
    const size = isFile && !isLinked ? content.entry!.size : 0
    const isRead = isFile && read.has(fileKey(content.layer!, content.entry!.index))
    nodes.set(path, names.length)
    names.push(baseName(path))
    parents.push(nodes.get(parentPath(path))!)
    sizes.push(size)
    at.push(layer === undefined ? -1 : layers.indexOf(layer))
    flags.push(
      (isDirectory(found) ? FILE_DIRECTORY : 0) +
        (isRead ? FILE_READ : 0) +
        (isFile && !isLinked ? 0 : linkFlag(found)),
    )
    if (isFile && !isLinked) shown.push({ path, layer: content.layer!, index: content.entry!.index, size })
  }
  return { files: { names, parents, sizes, layers: at, flags }, shown }
}

const linkFlag = (found: Found): number => (isDirectory(found) ? 0 : FILE_LINK)

const fileKey = ({ digest }: OpenLayer, index: number) => `${digest} ${index}`

export interface LayerFacts {
  /** Regular files. */
  readonly files: number
  /** Bytes of those that the image does not show. */
  readonly hiddenBytes: number
  /** The largest of them. */
  readonly hidden: readonly { readonly path: string; readonly size: number }[]
  /** Spans that the profile reads. */
  readonly touched: readonly (readonly [first: number, last: number])[]
}

export function layerFacts(layer: OpenLayer, { shown }: ShownTree, profile: ResolvedProfile | undefined): LayerFacts {
  const visible = new Set(shown.filter((file) => file.layer === layer).map(({ index }) => index))
  const hidden: { path: string; size: number }[] = []
  let [files, hiddenBytes, index] = [0, 0, 0]
  for (const { type, name, size } of layer.toc.files) {
    if (type === 'reg' && !baseName(name).startsWith('.wh.')) {
      files++
      if (!visible.has(index)) {
        hiddenBytes += size
        if (size >= LARGE) hidden.push({ path: name, size })
      }
    }
    index++
  }
  hidden.sort((a, b) => b.size - a.size)
  return { files, hiddenBytes, hidden: hidden.slice(0, MAX_WASTES), touched: touchedSpans(layer, profile) }
}

function touchedSpans({ toc, digest }: OpenLayer, profile: ResolvedProfile | undefined): [number, number][] {
  const spans = new Set<number>()
  for (const { content, ranges } of profile?.files ?? []) {
    if (content.layer!.digest !== digest || toc.spanCount === 0) continue
    const { offset, size } = content.entry!
    for (const [start, end] of ranges ?? [[0, size]]) {
      if (Math.min(end, size) <= start) continue
      const last = spanAt(toc, offset + Math.min(end, size) - 1)
      for (let span = spanAt(toc, offset + start); span <= last; span++) spans.add(span)
    }
  }
  const touched: [number, number][] = []
  for (const span of [...spans].sort((a, b) => a - b)) {
    const before = touched.at(-1)
    if (before !== undefined && before[1] === span - 1) before[1] = span
    else touched.push([span, span])
  }
  return touched
}

/** What stands out, largest first. Files count as the same by name and size: none is read. */
export function findWastes(
  facts: readonly LayerFacts[],
  { shown }: ShownTree,
  small: { readonly layers: number; readonly bytes: number },
): ReportWaste[] {
  const wastes: ReportWaste[] = facts.flatMap(({ hidden }, layer) =>
    hidden.map(
      ({ path, size }): ReportWaste => ({
        kind: 'hidden',
        bytes: size,
        title: `/${path.replace(/^(\.?\/)+/, '')} of layer ${layer + 1} is hidden by an upper layer`,
        detail: 'Remove it in the build step that adds it.',
      }),
    ),
  )
  const copies = new Map<string, ShownFile[]>()
  for (const file of shown) {
    if (file.size < LARGE) continue
    const key = `${baseName(file.path)} ${file.size}`
    copies.set(key, [...(copies.get(key) ?? []), file])
  }
  for (const [first, ...others] of copies.values())
    if (others.length > 0)
      wastes.push({
        kind: 'duplicate',
        bytes: others.length * first!.size,
        title: `${baseName(first!.path)} is there ${others.length + 1} times with the same size`,
        detail: [first!, ...others]
          .slice(0, 4)
          .map(({ path }) => `/${path}`)
          .join(', '),
      })
  wastes.sort((a, b) => b.bytes - a.bytes)
  const largest = wastes.slice(0, MAX_WASTES)
  if (small.layers > 1)
    largest.push({
      kind: 'small-layer',
      bytes: 0,
      title: `${small.layers} layers are too small to be lazy`,
      detail: 'Join build steps, or lower --min-layer-size.',
    })
  return largest
}

import { useMemo, useState } from 'preact/hooks'
import type { ReportData } from '../src/report/report-data'
import { buildTree, pathOf, type TreeNode, wayTo } from './data'
import { formatCount, formatShare, formatSize, plural, shortDigest } from './format'
import { Treemap } from './treemap'

/** Rows of a table or of search results; more than these nobody reads. */
const MAX_ROWS = 200

type Colouring = 'layer' | 'start'

export function Files({ data }: { readonly data: ReportData }) {
  const nodes = useMemo(() => buildTree(data), [data])
  const [directory, setDirectory] = useState(nodes[0]!)
  const [colouring, setColouring] = useState<Colouring>(data.profile === undefined ? 'layer' : 'start')
  const [query, setQuery] = useState('')
  const colour = (node: TreeNode) => (colouring === 'layer' ? layerColour(node.layer) : readColour(node))
  const open = (node: TreeNode) => {
    setDirectory(node)
    setQuery('')
  }
  const found = useMemo(() => search(nodes, query), [nodes, query])
  return (
    <section aria-labelledby="files">
      <h2 id="files">Files</h2>
      <div class="tools">
        <label>
          Search{' '}
          <input
            type="search"
            value={query}
            placeholder="part of a path"
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
        <fieldset>
          <legend>Colour by</legend>
          <label>
            <input type="radio" name="colour" checked={colouring === 'layer'} onChange={() => setColouring('layer')} />{' '}
            layer
          </label>
          <label>
            <input
              type="radio"
              name="colour"
              disabled={data.profile === undefined}
              checked={colouring === 'start'}
              onChange={() => setColouring('start')}
            />{' '}
            what the start reads
          </label>
        </fieldset>
      </div>
      <nav aria-label="Directory" class="crumbs">
        {wayTo(directory).map((node) => (
          <button
            type="button"
            key={node.id}
            aria-current={node === directory ? 'true' : undefined}
            onClick={() => open(node)}
          >
            {node.parent === undefined ? '/' : node.name}
          </button>
        ))}
        <span aria-live="polite">
          {formatSize(directory.size)} in {plural(directory.files, 'file')}
        </span>
      </nav>
      <Treemap directory={directory} colour={colour} onOpen={open} />
      {colouring === 'start' && <p class="note">The darker a directory, the more of it the start reads.</p>}
      <Listing
        caption={query === '' ? `What ${pathOf(directory)} holds` : `${formatCount(found.total)} paths with “${query}”`}
        rows={query === '' ? directory.children.slice(0, MAX_ROWS) : found.nodes}
        total={query === '' ? directory.children.length : found.total}
        whole={directory.size}
        full={query !== ''}
        data={data}
        onOpen={open}
      />
    </section>
  )
}

interface ListingProps {
  readonly caption: string
  readonly rows: readonly TreeNode[]
  readonly total: number
  readonly whole: number
  /** Whether rows are named by their whole path. */
  readonly full: boolean
  readonly data: ReportData
  readonly onOpen: (node: TreeNode) => void
}

function Listing({ caption, rows, total, whole, full, data, onOpen }: ListingProps) {
  const profiled = data.profile !== undefined
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="number">
              Share
            </th>
            {profiled && (
              <th scope="col" class="number">
                Read by the start
              </th>
            )}
            <th scope="col">Layer</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((node) => (
            <tr key={node.id}>
              <td class="path">
                {node.isDirectory ? (
                  <button type="button" onClick={() => onOpen(node)}>
                    {full ? pathOf(node) : node.name}/
                  </button>
                ) : (
                  <span>{full ? pathOf(node) : node.name}</span>
                )}
              </td>
              <td class="number">{node.isLink ? 'link' : formatSize(node.size)}</td>
              <td class="number">{formatShare(node.size, whole)}</td>
              {profiled && <td class="number">{node.read === 0 ? '–' : formatSize(node.read)}</td>}
              <td>
                {node.layer < 0 ? (
                  '–'
                ) : (
                  <>
                    {node.layer + 1} <code>{shortDigest(data.layers[node.layer]!.digest)}</code>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {total > rows.length && <p>{formatCount(total - rows.length)} more are not listed.</p>}
    </section>
  )
}

function search(nodes: readonly TreeNode[], query: string): { readonly nodes: TreeNode[]; readonly total: number } {
  if (query === '') return { nodes: [], total: 0 }
  const text = query.toLowerCase()
  const isPath = text.includes('/')
  const found = nodes.filter((node) => (isPath ? pathOf(node) : node.name).toLowerCase().includes(text))
  found.sort((a, b) => b.size - a.size)
  return { nodes: found.slice(0, MAX_ROWS), total: found.length }
}

/** Hues far apart for neighbouring layers. */
function layerColour(layer: number): string {
  if (layer < 0) return 'var(--rest)'
  const hue = Math.round((360 * ((layer * 0.381966) % 1)) % 360)
  return `hsl(${hue} var(--cell-saturation) var(--cell-lightness))`
}

/** From nothing read to all read in five steps. */
function readColour({ read, size }: TreeNode): string {
  if (read === 0 || size === 0) return 'var(--unread)'
  return `color-mix(in srgb, var(--read-cell) ${Math.ceil((5 * read) / size) * 20}%, var(--unread))`
}

// The files of one directory as a treemap: what it holds, and one level below that. Only what is large enough to be seen is laid out, so that the cost
// follows the screen and not the image.
import { hierarchy, treemap, treemapSquarify } from 'd3-hierarchy'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { pathOf, type TreeNode } from './data'
import { formatShare, formatSize } from './format'

/** Square pixels below which a cell cannot be seen or hit. */
const MIN_AREA = 60
const LABEL_WIDTH = 44
const LABEL_HEIGHT = 18

export interface Cell {
  readonly node: TreeNode | undefined
  /** Files too small to be drawn are one cell without a node. */
  readonly rest: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly inner: boolean
}

interface Item {
  readonly node: TreeNode | undefined
  readonly size: number
  readonly rest: number
  readonly items: readonly Item[]
}

/** The directory's cells for an area in pixels; cells of level 2 follow their parent. */
export function layoutCells(directory: TreeNode, width: number, height: number): Cell[] {
  if (width < 1 || height < 1 || directory.size === 0) return []
  const scale = (width * height) / directory.size
  const itemsOf = (node: TreeNode, deep: boolean): Item[] => {
    const items: Item[] = []
    let [restSize, rest] = [0, 0]
    for (const child of node.children) {
      if (child.size === 0) continue
      if (child.size * scale < MIN_AREA) {
        restSize += child.size
        rest += child.files
      } else {
        const items2 = deep && child.size * scale > 30 * MIN_AREA ? itemsOf(child, false) : []
        items.push({ node: child, size: child.size, rest: 0, items: items2 })
      }
    }
    if (restSize * scale >= MIN_AREA) items.push({ node: undefined, size: restSize, rest, items: [] })
    return items
  }
  const root = hierarchy<Item>(
    { node: directory, size: 0, rest: 0, items: itemsOf(directory, true) },
    (item) => item.items,
  )
  root.sum((item) => (item.items.length > 0 ? 0 : item.size))
  const laidOut = treemap<Item>()
    .tile(treemapSquarify.ratio(1.4))
    .size([width, height])
    .paddingInner(1)
    .paddingTop((node) =>
      node.depth === 1 && node.y1 - node.y0 > 2 * LABEL_HEIGHT ? LABEL_HEIGHT : node.depth === 1 ? 1 : 0,
    )
    .round(true)(root)
  const cells: Cell[] = []
  laidOut.eachBefore((at) => {
    if (at.depth === 0) return
    const { x0, x1, y0, y1, data, depth } = at
    if (x1 - x0 < 1 || y1 - y0 < 1) return
    cells.push({ node: data.node, rest: data.rest, x: x0, y: y0, width: x1 - x0, height: y1 - y0, inner: depth > 1 })
  })
  return cells
}

export interface TreemapProps {
  readonly directory: TreeNode
  readonly colour: (node: TreeNode) => string
  readonly onOpen: (node: TreeNode) => void
}

/** A zoomable treemap. Arrow keys move between the cells, Enter opens a directory, Backspace or Escape goes up. */
export function Treemap({ directory, colour, onOpen }: TreemapProps) {
  const box = useRef<HTMLDivElement>(null)
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 })
  const [active, setActive] = useState(0)
  useLayoutEffect(() => {
    const element = box.current!
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => setActive(0), [directory])
  const cells = useMemo(() => layoutCells(directory, width, height), [directory, width, height])
  const outer = cells.filter(({ inner }) => !inner)

  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event
    const current = outer[active]
    if ((key === 'Backspace' || key === 'Escape') && directory.parent !== undefined) onOpen(directory.parent)
    else if (key.startsWith('Arrow') && current !== undefined) move(nextCell(outer, current, key))
    else if (key === 'Home') move(0)
    else if (key === 'End') move(outer.length - 1)
    else return
    event.preventDefault()
  }
  const move = (index: number) => {
    setActive(index)
    box.current!.querySelector<HTMLElement>(`[data-cell="${index}"]`)?.focus()
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms, and cannot be laid out like this
    <div
      class="treemap"
      ref={box}
      role="group"
      aria-label={`Files in ${pathOf(directory)} by size`}
      onKeyDown={onKeyDown}
    >
      {cells.map((cell) => {
        const style = `left:${cell.x}px;top:${cell.y}px;width:${cell.width}px;height:${cell.height}px`
        const { node } = cell
        const fits = cell.width >= LABEL_WIDTH && cell.height >= LABEL_HEIGHT
        if (cell.inner)
          return (
            <div
              class="cell inner"
              aria-hidden="true"
              style={`${style};background:${node ? colour(node) : 'var(--rest)'}`}
            >
              {fits && node?.name}
            </div>
          )
        const index = outer.indexOf(cell)
        const label =
          node === undefined
            ? `${cell.rest} smaller files`
            : `${node.name}${node.isDirectory ? '/' : ''}, ${formatSize(node.size)}, ${formatShare(node.size, directory.size)}`
        return (
          <button
            type="button"
            class="cell"
            data-cell={index}
            tabIndex={index === active ? 0 : -1}
            title={label}
            aria-label={label}
            style={`${style};background:${node ? colour(node) : 'var(--rest)'}`}
            onFocus={() => setActive(index)}
            onClick={() => node?.isDirectory && onOpen(node)}
          >
            {fits && (node === undefined ? `+${cell.rest}` : `${node.name}${node.isDirectory ? '/' : ''}`)}
          </button>
        )
      })}
    </div>
  )
}

/** The index of the nearest cell in an arrow key's direction, or of the cell itself. */
export function nextCell(cells: readonly Cell[], from: Cell, key: string): number {
  const horizontal = key === 'ArrowLeft' || key === 'ArrowRight'
  const sign = key === 'ArrowLeft' || key === 'ArrowUp' ? -1 : 1
  const centre = (cell: Cell) => ({ x: cell.x + cell.width / 2, y: cell.y + cell.height / 2 })
  const here = centre(from)
  let [best, shortest] = [cells.indexOf(from), Number.POSITIVE_INFINITY]
  cells.forEach((cell, index) => {
    const there = centre(cell)
    const along = sign * (horizontal ? there.x - here.x : there.y - here.y)
    const across = Math.abs(horizontal ? there.y - here.y : there.x - here.x)
    if (along <= 1 || across > 2 * along) return
    const distance = along + 2 * across
    if (distance < shortest) [best, shortest] = [index, distance]
  })
  return best
}

/** A line of a tree, and what is below it. */
export interface TreeNode {
  readonly text: string
  readonly children?: readonly TreeNode[]
}

/** A tree as tree(1) draws it, a line for each node. */
export function drawTree({ text, children = [] }: TreeNode): string[] {
  return [
    text,
    ...children.flatMap((child, i) => {
      const isLast = i === children.length - 1
      const [first, ...rest] = drawTree(child)
      return [`${isLast ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${isLast ? '   ' : '│  '}${line}`)]
    }),
  ]
}

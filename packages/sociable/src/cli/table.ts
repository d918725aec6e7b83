/** A column's heading, with its alignment: numbers stand to the right. */
export interface Column {
  readonly name: string
  readonly align?: 'left' | 'right'
}

/** Rows under their headings, columns two spaces apart, without lines around them: easy to read, grep and cut. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const head = columns.map((column) => column.name)
  const widths = columns.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)))
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (columns[i]!.align === 'right' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
}

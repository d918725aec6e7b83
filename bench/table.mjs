// Markdown tables for people.

/** Rows of cells under a heading row; the first column is text, the others are numbers. */
export function table(heading, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(heading), line(heading.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

export const seconds = (value) => (value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)} s`)

export const megabytes = (value) => `${(value / 1e6).toFixed(0)} MB`

export const times = (value) => `${value.toFixed(2)} ×`

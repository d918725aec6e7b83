/** Names longer than this are not compared: the time grows with the product of two lengths. */
const COMPARED_LENGTH = 128

/**
 * The names, those that take the fewest edits to get from the wanted one first; equal ones stay in their order.
 * @param compared what of a name is compared with the wanted one
 */
export function nearestFirst(
  wanted: string,
  names: readonly string[],
  compared: (name: string) => string = (name) => name,
): string[] {
  const ranked = names.map((name) => ({ name, distance: editDistance(wanted, compared(name)) }))
  return ranked.sort((a, b) => (a.distance === b.distance ? 0 : a.distance - b.distance)).map(({ name }) => name)
}

/** Levenshtein's: insertions, deletions and replacements of characters. */
function editDistance(a: string, b: string): number {
  if (a.length > COMPARED_LENGTH || b.length > COMPARED_LENGTH) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

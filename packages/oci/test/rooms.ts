// The layering of a package's sources: rooms are folders (or single files of `src`), and imports point only to rooms further down.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** Imports of every source file within `src`, by file: paths relative to `src`, with `/`. */
export function relativeImports(src: string): ReadonlyMap<string, readonly string[]> {
  const files = (readdirSync(src, { recursive: true }) as string[]).map((file) => file.replaceAll('\\', '/'))
  return new Map(
    files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => {
        const found = readFileSync(join(src, file), 'utf8').matchAll(/ from '(\.[^']+)'|import\('(\.[^']+)'\)/g)
        const path = (name: string) => posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts')
        return [file, [...found].map(([, name, dynamic]) => path(name ?? dynamic!))]
      }),
  )
}

/**
 * Asserts that each file imports only its own room and rooms listed before it, and that no files import each other in a circle.
 * @param rooms from the bottom up; a room is a list of folders (`image/`) and files (`error`) of `src`, one of them `*` for all files of `src` that no other room names
 */
export function assertLayers(src: string, rooms: readonly (readonly string[])[]): void {
  const imports = relativeImports(src)
  const levelOf = (file: string) => {
    const named = rooms.findIndex((room) => room.includes(file.replace(/\.ts$/, '')))
    if (named >= 0) return named
    const folder = posix.dirname(file)
    const level = rooms.findIndex((room) => room.includes(folder === '.' ? '*' : `${folder}/`))
    assert.ok(level >= 0, `${file} is in no room: add its folder to the list of rooms`)
    return level
  }
  for (const [file, names] of imports)
    for (const name of names)
      assert.ok(levelOf(name) <= levelOf(file), `${file} imports ${name}, which is in a room above it`)
  assert.deepEqual(findCircle(imports), [])
}

/** The files of the first circle of imports, or none. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const way: string[] = []
  const visit = (file: string): string[] => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return []
    way.push(file)
    for (const name of imports.get(file) ?? []) {
      const circle = visit(name)
      if (circle.length > 0) return circle
    }
    way.pop()
    done.add(file)
    return []
  }
  for (const file of imports.keys()) {
    const circle = visit(file)
    if (circle.length > 0) return circle
  }
  return []
}

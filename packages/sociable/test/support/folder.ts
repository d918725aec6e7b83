import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { LayoutBuilder } from './layout.js'

/** A folder for the tests of a file; it goes when they are done. */
export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'sociable-test-'))
  #count = 0

  constructor() {
    after(() => rmSync(this.path, { recursive: true }))
  }

  /** A path that nothing has yet. */
  fresh(): string {
    return join(this.path, String(this.#count++))
  }

  /** A layout on disk. */
  layout(build: (layout: LayoutBuilder) => void): string {
    const layout = new LayoutBuilder()
    build(layout)
    const path = this.fresh()
    layout.write(path)
    return path
  }
}

/** What a folder holds: each file's path with its size, inode and time of change. Equal before and after: nothing was written. */
export function snapshot(folder: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const { size, ino, mtimeMs } = statSync(path)
    files[path.slice(folder.length + 1)] = `${size} ${ino} ${mtimeMs}`
  }
  return files
}

/** A blob of a layout as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of any shape
export function blobJson(folder: string, digest: string): any {
  return JSON.parse(readFileSync(join(folder, 'blobs', 'sha256', digest.slice(7)), 'utf8'))
}

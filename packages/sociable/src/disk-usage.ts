import type { Image, ImageEntry } from './image.js'
import type { CallOptions } from './options.js'

export interface DiskUsageOptions extends CallOptions {
  /** A folder or file in the image. @default its root */
  readonly path?: string | undefined
  /** Levels of folders that get an entry of their own. @default 1 */
  readonly depth?: number | undefined
}

export interface DiskUsage {
  /** A folder or file, as the image has it. */
  readonly path: string
  /** Bytes of the files in it. A file with several names counts for each of them. */
  readonly size: number
  /** Names of files. */
  readonly files: number
}

/**
 * What takes the space in an image's files, as its layers together show them: the largest first, those of one size by name.
 * @throws ImageError PATH_NOT_FOUND
 */
export async function diskUsage(image: Image, options: DiskUsageOptions = {}): Promise<readonly DiskUsage[]> {
  const { path = '', depth = 1, signal } = options
  const entries = await image.list(path, { recursive: true, signal })
  const root = parentOfAll(entries)
  const usage = new Map<string, { size: number; files: number }>()
  for (const entry of entries) {
    const parts = entry.path.slice(root.length).split('/')
    const levels = Math.min(depth, parts.length)
    for (let level = 1; level <= levels; level++) {
      const within = root + parts.slice(0, level).join('/')
      const sum = usage.get(within) ?? { size: 0, files: 0 }
      usage.set(within, sum)
      sum.size += entry.size
      if (entry.type === 'file') sum.files++
    }
  }
  return [...usage]
    .map(([path, sum]) => ({ path, ...sum }))
    .sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
}

/** The folder that was listed, with its slash: no entry is nearer to the root than its own. */
function parentOfAll(entries: readonly ImageEntry[]): string {
  let shortest: string | undefined
  for (const { path } of entries) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    if (shortest === undefined || folder.length < shortest.length) shortest = folder
  }
  return shortest ?? ''
}

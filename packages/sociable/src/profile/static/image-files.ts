// What the analysis of an image asks of its files. The languages' parts know only these types.

export interface FileFacts {
  /** The real path, with a leading slash. */
  readonly path: string
  readonly type: 'file' | 'dir' | 'other'
  readonly size: number
  /** Seconds since 1970; NaN where it is unknown. */
  readonly modified: number
}

/** Files of an image as its union shows them. Symlinks are followed. Paths are absolute. */
export interface ImageFiles {
  /** Undefined where nothing is there. */
  stat(path: string): Promise<FileFacts | undefined>
  /** Names in a folder; none where there is not a folder. */
  names(path: string): Promise<ReadonlySet<string>>
  /** Bytes [start, end) of a file, fewer where it ends earlier. Undefined where there is no such file, or the limit of all reads is reached. */
  read(path: string, start: number, end: number): Promise<Buffer | undefined>
}

/** A longer source is a data file by another name: it is not scanned. */
const MAX_SOURCE_SIZE = 8 << 20

/** The text of a file that a person or a compiler wrote; undefined where there is none, or it is too long. */
export async function readSource(files: ImageFiles, path: string): Promise<string | undefined> {
  const facts = await files.stat(path)
  if (facts?.type !== 'file' || facts.size > MAX_SOURCE_SIZE) return undefined
  return (await files.read(path, 0, facts.size))?.toString()
}

export async function isFile(files: ImageFiles, path: string): Promise<boolean> {
  return (await files.stat(path))?.type === 'file'
}

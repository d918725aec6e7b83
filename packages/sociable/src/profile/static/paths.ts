import { posix } from 'node:path'

export const folderOf = posix.dirname

/** A path as a process in `cwd` names it. */
export function absolute(cwd: string, path: string): string {
  return posix.resolve('/', cwd, path)
}

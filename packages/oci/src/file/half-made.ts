import { rmSync } from 'node:fs'

const files = new Set<string>()

function removeAll(): void {
  for (const file of files) {
    try {
      rmSync(file, { force: true })
    } catch {
      // nobody is left to tell
    }
  }
}

/**
 * Has a file that is being made removed at the process's end, should that come before the file is whole: an `exit` that does not wait for anyone. Gives what ends
 * that, to be called when the file has its name, or is gone.
 */
export function removeAtExit(file: string): () => void {
  if (files.size === 0) process.on('exit', removeAll)
  files.add(file)
  return () => {
    files.delete(file)
    if (files.size === 0) process.off('exit', removeAll)
  }
}

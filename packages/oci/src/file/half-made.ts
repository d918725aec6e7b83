import { rmSync } from 'node:fs'

/** Files, each with whether it is still this process's. */
const files = new Map<string, () => boolean>()

function removeAll(): void {
  for (const [file, isOurs] of files) {
    try {
      if (isOurs()) rmSync(file, { force: true, recursive: true })
    } catch {
      // nobody is left to tell
    }
  }
}

/**
 * Has a file or folder that is being made removed at the process's end, should that come before the file is whole: an `exit` that does not wait for anyone. Gives what ends
 * that, to be called when the file has its name, or is gone. `isOurs` is asked first.
 */
export function removeAtExit(file: string, isOurs = () => true): () => void {
  if (files.size === 0) process.on('exit', removeAll)
  files.set(file, isOurs)
  return () => {
    files.delete(file)
    if (files.size === 0) process.off('exit', removeAll)
  }
}

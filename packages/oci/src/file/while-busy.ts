import { setTimeout } from 'node:timers/promises'

/** How often, and with which pauses in milliseconds: a virus scanner or an indexer lets a file go within a second. */
const PAUSES = [10, 20, 40, 80, 160, 320, 500]

/**
 * Repeats a change of a file that Windows refuses while another process has the file open. Only for files whose folder this process has just written to:
 * there the same codes do not mean that it may not.
 */
export async function whileBusy<T>(change: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await change()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (!['EBUSY', 'EPERM', 'EACCES'].includes(code)) throw error
      await setTimeout(pause)
    }
  }
  return change()
}

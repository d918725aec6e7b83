import { readFileSync } from 'node:fs'

/**
 * Address space below which no threads are started. V8 reserves some 10 GB for a memory shared by threads, and 0.1 to 1 GB for each thread's code. A thread
 * that cannot reserve its part ends the whole process without an error (Node 20 under `ulimit -v 12000000`, Node 26 under 3000000), so the limit is generous.
 */
const NEEDED_BYTES = 64 * 2 ** 30

/** Whether the operating system lets this process reserve what threads need. Only Linux is asked; other systems do not limit the address space. */
export function hasAddressSpaceForThreads(): boolean {
  let limits: string
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return true
  }
  const soft = /^Max address space +(\d+)/m.exec(limits)
  return soft === null || Number(soft[1]) >= NEEDED_BYTES
}

// Where the address space is limited (`ulimit -v`), V8 cannot reserve what it wants around a WebAssembly memory, and a flag that only a start takes helps.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { hasAddressSpace, LOW_ADDRESS_SPACE_FLAG } from '@sociable/ztoc'

/** Whether the program has to be started again with the flag that makes do with less. */
export const needsRestart = (): boolean => !process.execArgv.includes(LOW_ADDRESS_SPACE_FLAG) && !hasAddressSpace()

/** Runs this program again with the flag, in its place: same streams, same signals. Gives its exit status. */
export function restart(): Promise<number> {
  // Before the start: a signal that comes meanwhile is delivered after it, rather than ending this process alone
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  const child = spawn(process.execPath, [...process.execArgv, LOW_ADDRESS_SPACE_FLAG, ...process.argv.slice(1)], {
    stdio: 'inherit',
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve(status ?? 128 + constants.signals[signal!]))
  })
}

// Where the address space is limited (`ulimit -v`), V8 cannot reserve what it wants around a WebAssembly memory, and a flag that only a start takes helps.
import { hasAddressSpace, LOW_ADDRESS_SPACE_FLAG } from '@sociable/ztoc'
import { type ProgramEnd, runProgram } from './run-program.js'

/** Whether the program has to be started again with the flag that makes do with less. */
export const needsRestart = (): boolean => !process.execArgv.includes(LOW_ADDRESS_SPACE_FLAG) && !hasAddressSpace()

/** Runs this program again with the flag, in its place. */
export function restart(): Promise<ProgramEnd> {
  const args = [...process.execArgv, LOW_ADDRESS_SPACE_FLAG, ...process.argv.slice(1)]
  return runProgram(process.execPath, args, { stdio: 'inherit', env: process.env })
}

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { constants } from 'node:os'

/** How a program ended. */
export interface ProgramEnd {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/**
 * Runs a program in this one's place: it gets the signals that are sent to this process, which stays until it has ended. @throws the system's error where
 * it cannot be started (ENOENT, EACCES)
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { stdio, env }: { readonly stdio: StdioOptions; readonly env: NodeJS.ProcessEnv },
): Promise<ProgramEnd> {
  let child: ChildProcess | undefined
  const forward = (signal: NodeJS.Signals): void => {
    // Ctrl-C reaches every process of a terminal's foreground: twice would be once too often
    const fromTerminal = (signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY
    if (!fromTerminal) child?.kill(signal)
  }
  // Before the start: a signal that comes meanwhile is delivered after it, rather than ending this process alone
  for (const signal of SIGNALS) process.on(signal, forward)
  try {
    const started = spawn(program, args, { stdio, env })
    child = started
    return await new Promise((resolve, reject) => {
      started.on('error', reject)
      started.on('close', (status, signal) => resolve({ status, signal }))
    })
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward)
  }
}

/** Ends this process as the program ended. */
export function endAs({ status, signal }: ProgramEnd): never {
  if (signal === null) process.exit(status ?? 1)
  process.once('exit', () => process.kill(process.pid, signal))
  process.exit(128 + constants.signals[signal])
}

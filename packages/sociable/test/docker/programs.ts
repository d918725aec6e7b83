// Runs any program, with an environment that has nothing of the caller's.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { finished, type RunOptions } from '../cli/run.js'

/** How a program ended, and what it wrote. */
export interface ProgramRun {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export function startProgramOf(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): { readonly child: ChildProcessWithoutNullStreams; readonly ended: Promise<ProgramRun> } {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(program, args, { env: { PATH, HOME, LANG: 'C.UTF-8', ...options.env }, cwd: options.cwd })
  child.stdin.on('error', () => {}) // it may end without having read all
  child.stdin.end(options.input)
  return { child, ended: finished(child).then(({ status, signal, out, err }) => ({ status, signal, out, err })) }
}

export function runProgramOf(program: string, args: readonly string[], options: RunOptions = {}): Promise<ProgramRun> {
  return startProgramOf(program, args, options).ended
}

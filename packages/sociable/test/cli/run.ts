// Runs the real program, as a user's shell would.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const PROGRAM = fileURLToPath(new URL('../../bin/cli/sociable.js', import.meta.url))

export interface RunOptions {
  /** Added to an environment that has nothing of the caller's CI, colours and flags. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: Uint8Array | string
}

export interface RunResult {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  /** stdout as text. */
  readonly out: string
  readonly err: string
}

export function start(args: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, LANG: 'C.UTF-8', ...options.env }
  return spawn(process.execPath, [PROGRAM, ...args], { env, cwd: options.cwd })
}

export async function run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = start(args, options)
  child.stdin.on('error', () => {}) // it may end without having read all
  child.stdin.end(options.input)
  return finished(child)
}

export async function finished(child: ChildProcessWithoutNullStreams): Promise<RunResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...ended) => resolve(ended))
  })
  const all = Buffer.concat(stdout)
  return { status, signal, stdout: all, out: all.toString(), err: Buffer.concat(stderr).toString() }
}

import { type ChildProcess, spawn } from 'node:child_process'

const START_LIMIT = 20_000 // ms until a server must have said where it listens
const STOP_LIMIT = 5_000 // ms that it has to end by itself

/** A server of another program, running. */
export interface RunningChild {
  /** What `ready` found in its output. */
  readonly match: RegExpExecArray
  /** All that it has printed, on stdout and stderr. */
  log(): string
  /** Ends it, and returns when it has ended. Further calls do nothing. */
  stop(): Promise<void>
}

/**
 * Starts a program and waits until its output matches `ready`.
 * @throws Error with its output, where it ends or says nothing in time; then it does not run any more
 */
export async function startChild(
  command: string,
  args: readonly string[],
  ready: RegExp,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RunningChild> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment })
  // A test process that dies must not leave servers behind.
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      process.off('exit', kill)
      resolve()
    })
  })
  let output = ''
  const stop = () => stopChild(child, ended)
  try {
    const match = await new Promise<RegExpExecArray>((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`${command} ${args.join(' ')} ${what}: ${output.slice(-2000)}`))
      const timer = setTimeout(fail, START_LIMIT, `was not ready after ${START_LIMIT} ms`)
      const look = (chunk: Buffer) => {
        output += chunk
        const found = ready.exec(output)
        if (found === null) return
        clearTimeout(timer)
        resolve(found)
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      child.once('error', (error) => fail(`could not be started (${error.message})`))
      void ended.then(() => fail(`ended with ${child.exitCode ?? child.signalCode}`))
    })
    return { match, log: () => output, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
  await ended
  clearTimeout(timer)
}

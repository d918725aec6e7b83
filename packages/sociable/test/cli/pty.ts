// Runs the real program on a pseudo-terminal, with python's help: node has none of its own.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM } from './run.js'

/** For tests that need it: skipped where there is no python, but not in CI. */
export const skipWithoutPty =
  process.env.CI === undefined && spawnSync('python3', ['-c', 'import pty']).status !== 0 && 'needs python3'

/** stdout and stderr are the terminal, stdin is too (`typed`) or what this process has. First its id is told, at last its status (negative: the signal). */
const DRIVER = `
import fcntl, os, pty, struct, subprocess, sys, termios
columns, rows, typed, *command = sys.argv[1:]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', int(rows), int(columns), 0, 0))
child = subprocess.Popen(command, stdin=slave if typed == 'true' else None, stdout=slave, stderr=slave)
os.close(slave)
os.write(1, b'pid %d\\n' % child.pid)
while True:
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
os.write(1, b'\\nstatus %d' % child.wait())
`

export interface TerminalSession {
  readonly stdin: ChildProcessWithoutNullStreams['stdin']
  /** What the program wrote so far. */
  screen(): string
  /** Waits for it to write something. */
  shows(pattern: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** Its exit status; negative: the number of the signal that ended it. */
  ended(): Promise<number>
}

export async function onTerminal(
  args: readonly string[],
  options: {
    readonly columns?: number
    readonly typed?: boolean
    readonly env?: Readonly<Record<string, string>>
    readonly cwd?: string
  } = {},
): Promise<TerminalSession> {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...options.env }
  const columns = String(options.columns ?? 100)
  const command = ['-c', DRIVER, columns, '30', String(options.typed ?? false), process.execPath, PROGRAM, ...args]
  const child = spawn('python3', command, { env, cwd: options.cwd })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.pipe(process.stderr)
  child.stdin.on('error', () => {})
  const closed = once(child, 'close')
  const session: TerminalSession = {
    stdin: child.stdin,
    screen: () => output.replace(/^pid \d+\n/, '').replace(/\nstatus -?\d+$/, ''),
    async shows(pattern) {
      while (!pattern.test(session.screen())) {
        if (child.stdout.readableEnded) throw new Error(`ended without ${pattern}:\n${output}`)
        await Promise.race([once(child.stdout, 'data'), closed])
      }
    },
    kill: (signal) => process.kill(Number(/^pid (\d+)/.exec(output)![1]), signal),
    async ended() {
      child.stdin.end()
      await closed
      return Number(/\nstatus (-?\d+)$/.exec(output)![1])
    },
  }
  while (!/^pid \d+\n/.test(output)) await Promise.race([once(child.stdout, 'data'), closed])
  return session
}

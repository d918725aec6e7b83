// One run of the program: signals, the command, the exit status.
import { CommanderError } from 'commander'
import { describeFailure, type ErrorDocument, EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from './failure.js'
import { buildProgram } from './program.js'
import { Terminal } from './terminal.js'

// The AWS SDK's packages are pinned to versions that support Node.js 20, so its advice to upgrade would only mislead
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** A run that is interrupted has this long to clean up behind it. */
const GRACE_MILLISECONDS = 800

let received: NodeJS.Signals | undefined
const interruption = new AbortController()
const terminal = new Terminal(process, interruption.signal)

for (const signal of SIGNALS)
  process.on(signal, () => {
    if (received !== undefined) return die(signal) // a second one does not wait
    received = signal
    interruption.abort(new Error(`interrupted by ${signal}`))
    setTimeout(die, GRACE_MILLISECONDS, signal)
  })

/**
 * Ends at once, and as the signal would have ended us, so that a shell's loop stops too (status 130 for Ctrl-C). What is half-made goes with an `exit` event, which
 * a signal alone would not bring.
 */
function die(signal: NodeJS.Signals): never {
  for (const each of SIGNALS) process.removeAllListeners(each)
  process.once('exit', () => process.kill(process.pid, signal))
  process.exit()
}

/**
 * Before a command does anything: starts the program again where it could not work as it was started. Help, completion and wrong usage come without, as what
 * finds that out takes longer to load than they do.
 */
async function settleAddressSpace(command: string): Promise<void> {
  if (command === 'completion' || command === 'help') return
  const { needsRestart, restart } = await import('./address-space.js')
  if (!needsRestart()) return
  for (const signal of SIGNALS) process.removeAllListeners(signal) // they are passed on instead
  const { endAs } = await import('./run-program.js')
  endAs(await restart())
}

async function run(): Promise<number> {
  try {
    await buildProgram(terminal)
      .hook('preAction', (_, command) => settleAddressSpace(command.name()))
      .parseAsync()
    return terminal.exitStatus
  } catch (error) {
    // After --help, --version, and (wrong usage) the help that stands for a missing command.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE
    if (received !== undefined && !(error instanceof Error && 'code' in error && error.code === 'LEFT_BEHIND')) {
      terminal.fail(['interrupted: no incomplete output is left'], undefined)
      return EXIT_FAILED
    }
    const { status, code, lines, stack } = describeFailure(error)
    terminal.fail(lines, stack)
    const document: ErrorDocument = { error: { code, message: lines.join('\n') } }
    if (terminal.json) await terminal.result(document, [])
    return status
  }
}

process.exitCode = await run()
if (received !== undefined) die(received)

// The whole command line as commander knows it. Commands load the library only when they run, so that --version and --help are quick.
import { Command, type CommanderError } from 'commander'
import { backfillCommand } from './backfill.js'
import { catCommand } from './cat.js'
import { completionCommand } from './completion.js'
import { convertCommand } from './convert.js'
import { copyCommand } from './copy.js'
import { createCommand } from './create.js'
import { diffCommand } from './diff.js'
import { duCommand } from './du.js'
import { addExamples } from './examples.js'
import { extractCommand } from './extract.js'
import { UsageError } from './failure.js'
import { helpCommand } from './help.js'
import { inspectCommand } from './inspect.js'
import { loginCommand } from './login.js'
import { logoutCommand } from './logout.js'
import { lsCommand } from './ls.js'
import { option, settleVariables } from './option.js'
import { profileCommand } from './profile.js'
import { pruneCommand } from './prune.js'
import { publishCommand } from './publish.js'
import { reportCommand } from './report.js'
import { rmCommand } from './rm.js'
import { serveCommand } from './serve.js'
import { simulateCommand } from './simulate.js'
import { tagsCommand } from './tags.js'
import type { Manners, Terminal } from './terminal.js'
import { TOPICS } from './topics.js'
import { verifyCommand } from './verify.js'
import { packageVersion } from './version.js'
import { waitCommand } from './wait.js'
import { ztocCommand } from './ztoc.js'

const COMMANDS = [
  convertCommand,
  createCommand,
  ztocCommand,
  inspectCommand,
  lsCommand,
  catCommand,
  extractCommand,
  duCommand,
  diffCommand,
  copyCommand,
  rmCommand,
  profileCommand,
  simulateCommand,
  reportCommand,
  publishCommand,
  backfillCommand,
  pruneCommand,
  verifyCommand,
  tagsCommand,
  waitCommand,
  loginCommand,
  logoutCommand,
  serveCommand,
  completionCommand,
  helpCommand,
]

const EPILOGUE = `
Images: REGISTRY/NAME[:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG].
Every flag can be set by a variable: --span-size by SOCIABLE_SPAN_SIZE; switches by 1 or 0.
Exit status: 0 done, 1 failed, 2 wrong usage.
More: sociable help ${TOPICS.map(({ name }) => name).join('|')}`

/** The program. Its `parseAsync` throws CommanderError after help or the version was printed, UsageError for wrong usage. */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command('sociable')
    .description('Creates, inspects and reads SOCI indexes of container images, without containerd, Docker or root.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .addOption(option('--json', 'print one JSON document on stdout'))
    .addOption(option('-q, --quiet', 'print only the result and errors: no progress, summary or warnings'))
    .addOption(option('-v, --verbose', 'also print a line per layer, what was fetched, and stack traces'))
    .helpOption('-h, --help', 'print help')
    .helpCommand(false) // ours knows topics, too
    .exitOverride(rethrow('sociable'))
    // The variables follow one rule, which stands once, at the end of the program's help.
    .configureHelp({ showGlobalOptions: true, optionDescription: (option) => option.description })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      // Errors are printed where all errors are.
      outputError: () => {},
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
    })
    .hook('preAction', (_, command) => terminal.behave(command.optsWithGlobals<Manners>()))
  for (const make of COMMANDS) {
    const command = make(terminal).copyInheritedSettings(program)
    if (command.options.some(({ short }) => short === '-h')) command.helpOption('--help', 'print help')
    program.addCommand(command.exitOverride(rethrow(`sociable ${command.name()}`)))
  }
  addExamples(program, [
    {
      command: 'sociable convert registry.example/app:1',
      does: 'create a SOCI-enabled image, app:1-soci',
    },
    { command: 'sociable inspect registry.example/app:1-soci', does: 'show which layers load lazily' },
  ])
  program.addHelpText('after', EPILOGUE)
  settleVariables(program, terminal.environment)
  return program
}

function rethrow(command: string): (error: CommanderError) => never {
  return (error) => {
    if (error.exitCode === 0 || error.code === 'commander.help') throw error
    const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split(/\n(?=\(Did you mean )/)
    const hint = [suggestion, `See \`${command} --help\`.`].filter((part) => part !== '').join(' ')
    throw new UsageError(message, { hint })
  }
}

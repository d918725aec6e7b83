// The one way to the user: results to stdout, all else to stderr.
import { once } from 'node:events'
import { styleText } from 'node:util'
import { isPrintable, printable, printableJson } from '../printable.js'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** How much is said, from the flags that all commands have. */
export interface Manners {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** Where progress goes: bars that are redrawn, a line per finished layer, or nowhere. */
export type ProgressForm = 'bars' | 'lines' | 'none'

export class Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: NodeJS.ProcessEnv
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** What the program ends with when the command throws nothing: 1 for one that printed its result, and the result is a no. */
  exitStatus = 0
  #manners: Manners = {}
  #hide: (() => void) | undefined

  constructor(io: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>, signal: AbortSignal) {
    this.stdout = io.stdout
    this.stderr = io.stderr
    this.environment = io.env
    this.signal = signal
  }

  get json(): boolean {
    return this.#manners.json === true
  }

  get verbose(): boolean {
    return this.#manners.verbose === true
  }

  get progressForm(): ProgressForm {
    if (this.#manners.quiet) return 'none'
    const lines = isContinuousIntegration(this.environment) || this.verbose
    if (this.stderr.isTTY && !lines && this.environment.TERM !== 'dumb') return 'bars'
    return this.stderr.isTTY || lines ? 'lines' : 'none'
  }

  behave(manners: Manners): void {
    this.#manners = manners
  }

  /** What is on the screen that must go before anything else is written to stderr: progress bars. They come back with their next frame. */
  hideBeforeNote(hide: (() => void) | undefined): void {
    this.#hide = hide
  }

  /** The command's result: `document` with --json, else the lines. */
  async result(document: unknown, lines: readonly string[]): Promise<void> {
    if (this.json) await this.write(`${printableJson(document, 2)}\n`)
    else if (lines.length > 0) await this.write(`${lines.map((line) => gate(line, this.stdout)).join('\n')}\n`)
  }

  /** To stdout, waiting while the reader is slow. */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (!this.stdout.write(chunk)) await once(this.stdout, 'drain', { signal: this.signal })
  }

  /** A line about what was done, for a person who looks on. */
  note(text: string): void {
    if (!this.#manners.quiet) this.#say([text])
  }

  /** Something the user should know although the command goes on. */
  warn(message: string): void {
    this.note(`${this.styleError('yellow', 'warning:')} ${printable(message)}`)
  }

  /** At most three lines, and the stack where it was asked for. */
  fail(lines: readonly string[], stack: string | undefined): void {
    const [first, ...rest] = lines.map(printable)
    this.#say([`${this.styleError('red', 'error:')} ${first}`, ...rest.map((line) => `  ${line}`)])
    if (stack !== undefined && this.verbose) this.#say(stack.split('\n'))
  }

  #say(lines: readonly string[]): void {
    this.#hide?.()
    this.stderr.write(lines.map((line) => `${gate(line, this.stderr)}\n`).join(''))
  }

  /** Coloured where stdout is a terminal that has colours and NO_COLOR is not set. */
  style(style: Style, text: string): string {
    return paint(this.stdout, style, text)
  }

  /** The same for stderr. */
  styleError(style: Style, text: string): string {
    return paint(this.stderr, style, text)
  }
}

/** The program's own colours, as `paint` writes them: nothing else that moves a cursor or starts a line gets to a terminal or a log. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const COLOUR = /(\u001b\[\d{1,2}m)/

/** Every line that is printed passes here, whatever stands in it. */
function gate(line: string, stream: NodeJS.WriteStream): string {
  if (isPrintable(line)) return line
  const isColoured = stream.isTTY && stream.hasColors()
  if (!isColoured) return printable(line)
  return line
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('')
}

function paint(stream: NodeJS.WriteStream, style: Style, raw: string): string {
  const text = printable(raw)
  // hasColors is there on terminals only, and heeds NO_COLOR, FORCE_COLOR and TERM.
  return stream.isTTY && stream.hasColors() ? styleText(style, text, { validateStream: false }) : text
}

/** CodeBuild and Azure set no CI, and the older ones neither. */
const CI_VARIABLES = ['CODEBUILD_BUILD_ID', 'TF_BUILD', 'JENKINS_URL', 'TEAMCITY_VERSION']

function isContinuousIntegration(environment: NodeJS.ProcessEnv): boolean {
  const ci = environment.CI ?? ''
  return !['', '0', 'false'].includes(ci) || CI_VARIABLES.some((name) => environment[name] !== undefined)
}

// The one way to the user: results to stdout, all else to stderr.
import { once } from 'node:events'
import { styleText } from 'node:util'
import { printable, printableJson } from '../printable.js'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A piece of a line with a colour of its own. */
export interface Styled {
  readonly style: Style
  readonly text: string
}

/** A line of output. Colours are part of its structure, never of its text: an escape sequence in a text is not printed as one. */
export type Line = string | readonly (string | Styled)[]

/** How much is said, from the flags that all commands have. */
export interface Manners {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** Where progress goes: bars that are redrawn, a line per finished layer, or nowhere. */
export type ProgressForm = 'bars' | 'lines' | 'none'

/** Progress bars, which must not be on the screen when something else is written. */
export interface Bars {
  /** Until their next frame. */
  hide(): void
  /** For good. */
  end(): void
}

export class Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: NodeJS.ProcessEnv
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** What the program ends with when the command throws nothing: 1 for one that printed its result, and the result is a no. */
  exitStatus = 0
  #manners: Manners = {}
  #bars: Bars | undefined

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

  /** The progress bars on the screen. A note hides them for a moment; output on the same screen ends them, as it may not end with a line's end. */
  showing(bars: Bars | undefined): void {
    this.#bars = bars
  }

  /** The command's result: `document` with --json, else the lines. */
  async result(document: unknown, lines: readonly Line[]): Promise<void> {
    if (this.json) await this.write(`${printableJson(document, 2)}\n`)
    else if (lines.length > 0) await this.write(`${lines.map((line) => render(line, this.stdout)).join('\n')}\n`)
  }

  /** To stdout, waiting while the reader is slow. */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (this.stdout.isTTY) this.#bars?.end()
    if (!this.stdout.write(chunk)) await once(this.stdout, 'drain', { signal: this.signal })
  }

  /** A line about what was done, for a person who looks on. */
  note(text: string): void {
    if (!this.#manners.quiet) this.#say([text])
  }

  /** Something the user should know although the command goes on. */
  warn(message: string): void {
    if (!this.#manners.quiet) this.#say([[{ style: 'yellow', text: 'warning:' }, ` ${message}`]])
  }

  /** At most three lines, and the stack where it was asked for. */
  fail(lines: readonly string[], stack: string | undefined): void {
    const [first, ...rest] = lines
    this.#say([[{ style: 'red', text: 'error:' }, ` ${first}`], ...rest.map((line) => `  ${line}`)])
    if (stack !== undefined && this.verbose) this.#say(stack.split('\n'))
  }

  #say(lines: readonly Line[]): void {
    this.#bars?.hide()
    this.stderr.write(lines.map((line) => `${render(line, this.stderr)}\n`).join(''))
  }
}

/** Every line that is printed passes here: of its texts nothing gets to a terminal or a log that moves a cursor, changes colours or starts a line or a command. */
function render(line: Line, stream: NodeJS.WriteStream): string {
  const pieces = typeof line === 'string' ? [line] : line
  // hasColors is there on terminals only, and heeds NO_COLOR, FORCE_COLOR and TERM
  if (!stream.isTTY || !stream.hasColors())
    return printable(pieces.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join(''))
  return pieces
    .map((piece) =>
      typeof piece === 'string'
        ? printable(piece)
        : styleText(piece.style, printable(piece.text), { validateStream: false }),
    )
    .join('')
}

/** CodeBuild and Azure set no CI, and the older ones neither. */
const CI_VARIABLES = ['CODEBUILD_BUILD_ID', 'TF_BUILD', 'JENKINS_URL', 'TEAMCITY_VERSION']

function isContinuousIntegration(environment: NodeJS.ProcessEnv): boolean {
  const ci = environment.CI ?? ''
  return !['', '0', 'false'].includes(ci) || CI_VARIABLES.some((name) => environment[name] !== undefined)
}

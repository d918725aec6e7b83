// Flags, each of which can also be set by an environment variable: `--span-size` by SOCIABLE_SPAN_SIZE.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from './failure.js'

/** A flag with its variable; `parse` checks the value and may add it to those given before. */
export function option<T>(
  flags: string,
  description: string,
  parse?: (text: string, previous: T | undefined) => T,
): Option {
  const made = new Option(flags, description)
  made.env(variableName(made))
  if (parse !== undefined) made.argParser(parse)
  return made
}

/** Adds flags, in the order of the help. */
export function addOptions(command: Command, ...options: readonly Option[]): Command {
  for (const each of options) command.addOption(each)
  return command
}

function variableName(made: Option): string {
  return `SOCIABLE_${made.name().replaceAll('-', '_').toUpperCase()}`
}

/** A positional argument that must say something: an unset variable in a script leaves an empty one. */
export function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.')
  return text
}

const YES = ['1', 'true', 'yes', 'on']
const NO = ['0', 'false', 'no', 'off']

/**
 * Commander takes any value of a switch's variable for yes, and an empty one for a value. So those that mean no, or nothing, are taken out of
 * `environment` first.
 */
export function settleVariables(program: Command, environment: NodeJS.ProcessEnv): void {
  for (const command of [program, ...program.commands])
    for (const { envVar, required, long } of command.options) {
      const value = envVar === undefined ? undefined : environment[envVar]
      if (envVar === undefined || value === undefined) continue
      const lower = value.trim().toLowerCase()
      if (lower === '' || (!required && NO.includes(lower))) delete environment[envVar]
      else if (!required && !YES.includes(lower))
        throw new UsageError(
          `${envVar}="${value}" is neither yes nor no: set it to 1 or 0, or unset it and use ${long}`,
        )
    }
}

import type { Command } from 'commander'

export interface Example {
  readonly command: string
  readonly does: string
}

const EXAMPLES = new WeakMap<Command, readonly Example[]>()

/** Puts examples at the end of the command's help. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  EXAMPLES.set(command, examples)
  const lines = examples.map(({ command, does }) => `  # ${does}\n  $ ${command}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** For the reference page, which shows them in its own form. */
export function examplesOf(command: Command): readonly Example[] {
  return EXAMPLES.get(command) ?? []
}
